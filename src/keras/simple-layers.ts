import { describe, product, wrongValue } from '../base/tensor.ts';
import type { Lower } from '../operators/node.ts';
import { activated, readActivation } from './activations.ts';
import type { Config } from './config.ts';
import type { Dialect, LayerPlan } from './plan.ts';
import { refuse } from './refuse.ts';
import { checkOutput, checkRank, describeShape, lastSize } from './shapes.ts';
import { checkChannels } from './windows.ts';

// Layers without weights that change the shape of a tensor, or nothing.

/** The layers that return their input unchanged outside of training, and the ranks of inputs that they take, if not any. */
export const IDENTITIES: ReadonlyMap<string, readonly number[]> = new Map([
  ['Dropout', []],
  ['SpatialDropout1D', [3]],
  ['SpatialDropout2D', [4]],
  ['SpatialDropout3D', [5]],
  ['GaussianNoise', []],
  ['GaussianDropout', []],
  ['AlphaDropout', []],
  ['ActivityRegularization', []],
  ['Identity', []],
]);

/** Reads a layer of IDENTITIES. */
export function readIdentity(ranks: readonly number[], name: string): LayerPlan {
  return {
    build([input]) {
      if (ranks.length > 0) checkRank(name, input!.shape, ...ranks);
      return [input!];
    },
  };
}

/** Reads keras.layers.Activation. */
export function readActivationLayer(config: Config, name: string, dialect: Dialect): LayerPlan {
  const activation = readActivation(config.get('activation'), name, dialect);
  return {
    build([input], { graph }) {
      lastSize(name, input!.shape);
      return [{ ...input!, slot: activated(graph, input!.slot, activation) }];
    },
  };
}

/** Reads keras.layers.Flatten: (B, *) to (B, n). */
export function readFlatten(config: Config, name: string, dialect: Dialect): LayerPlan {
  checkChannels(config, name, dialect);
  return {
    build([input], { graph }) {
      const [batch, ...sizes] = input!.shape;
      const size = sizes.includes(null) ? null : product(sizes as number[]);
      const slot = graph.view(input!.slot, ([B, ...rest]) => [B!, product(rest)]);
      return [{ slot, shape: [batch!, size] }];
    },
  };
}

/** Reads keras.layers.Reshape: a sample to other dimensions. One of them may be -1, and follows from the others. */
export function readReshape(config: Config, name: string): LayerPlan {
  const field = config.get('target_shape');
  // TensorFlow.js may write null for -1
  const target = field.items().map((item) => (item.given && item.value !== -1 ? item.integer(1) : -1));
  const open = target.indexOf(-1);
  if (target.length > 7 || target.lastIndexOf(-1) !== open)
    field.refuse('wrong-value', 'at most 7 sizes, one of them -1');
  const known = product(target.filter((size) => size !== -1));
  /** Gives the target dimensions for a sample of `count` numbers; undefined if they do not fit. */
  const dimsOf = (count: number) => {
    if (open < 0 ? count !== known : count % known !== 0) return undefined;
    return target.map((size) => (size === -1 ? count / known : size));
  };
  return {
    build([input], { graph }) {
      const { shape, slot } = input!;
      const sizes = shape.slice(1);
      const unknown = sizes.includes(null);
      const dims = unknown ? target.map((size) => (size === -1 ? null : size)) : dimsOf(product(sizes as number[]));
      if (!dims) {
        const found = describeShape(shape);
        refuse.because('wrong-shape', name, `${name} cannot reshape ${found} to ${describe(target)}`, target, found);
      }
      const made = graph.view(slot, (given) => {
        const [batch, ...rest] = given;
        const fitting = dimsOf(product(rest));
        if (!fitting) throw wrongValue(name, 'input', `samples that fit ${describe(target)}`, given);
        return [batch!, ...fitting];
      });
      return [{ slot: made, shape: [shape[0]!, ...dims] }];
    },
  };
}

/** Reads keras.layers.RepeatVector: (B, n) to (B, times, n). */
export function readRepeatVector(config: Config, name: string): LayerPlan {
  const times = config.get('n').integer(1);
  return {
    build([input], { graph }) {
      const { shape, slot } = input!;
      checkRank(name, shape, 2);
      const output = checkOutput(name, [shape[0]!, times, shape[1]!]);
      return [{ slot: graph.step([slot], repeat(graph.path, times))[0]!, shape: output }];
    },
  };
}

function repeat(path: string, times: number): Lower {
  return ([x], plan) => {
    const [B, n] = x!.dims as [number, number];
    // a vector without numbers is repeated too
    if (n === 0) plan.count(B * times, path);
    const out = plan.make('float32', [B, times, n], path);
    plan.copy(x!, 0, [n, 0, 1], out);
    return [out];
  };
}
