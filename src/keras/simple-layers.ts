import { describe, product, wrongValue, zeros } from '../base/tensor.ts';
import { activate } from '../cells/activations.ts';
import { readActivation } from './activations.ts';
import type { Config, Shape } from './config.ts';
import { readDense } from './dense.ts';
import type { Effort, Layer, MaskedTensor } from './layer.ts';
import type { Dialect, LayerPlan } from './plan.ts';
import { refuse } from './refuse.ts';
import { checkOutput, checkRank, describeShape, lastSize } from './shapes.ts';

// Layers that have no weights of their own, and Embedding.

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
    build([shape]) {
      if (ranks.length > 0) checkRank(name, shape!, ...ranks);
      return { outputs: [shape!], layer: { run: ([input]) => [input!] } };
    },
  };
}

/** Reads keras.layers.Activation. */
export function readActivationLayer(config: Config, name: string, dialect: Dialect): LayerPlan {
  const activation = readActivation(config.get('activation'), name, dialect);
  return {
    build([shape]) {
      const size = lastSize(name, shape!);
      const run = ([input]: readonly MaskedTensor[]): MaskedTensor[] => {
        const data = input!.data.slice();
        activate(activation, data, size);
        return [{ ...input!, data }];
      };
      return { outputs: [shape!], layer: { run } };
    },
  };
}

/**
 * Reads keras.layers.TimeDistributed of a Dense or of a layer that changes nothing: they treat every step alike, so that it is the
 * layer itself.
 */
export function readTimeDistributed(config: Config, name: string, dialect: Dialect): LayerPlan | undefined {
  const layer = config.get('layer');
  const className = layer.get('class_name').string();
  const ranks = IDENTITIES.get(className);
  if (ranks) return readIdentity(ranks.length > 0 ? ranks.map((rank) => rank + 1) : [3, 4, 5], name);
  if (className !== 'Dense') {
    dialect.unsupported(`TimeDistributed of ${className} (${name})`);
    return undefined;
  }
  const dense = readDense(layer.get('config'), name, dialect, 'layer');
  return {
    build(inputs, weights, holding) {
      checkRank(name, inputs[0]!, 3, 4, 5);
      return dense.build(inputs, weights, holding);
    },
  };
}

/** Reads keras.layers.Flatten: (B, *) to (B, n). */
export function readFlatten(config: Config, name: string, dialect: Dialect): LayerPlan {
  checkChannels(config, name, dialect);
  return {
    build([shape]) {
      const sizes = shape!.slice(1);
      const size = sizes.includes(null) ? null : product(sizes as number[]);
      const run = ([input]: readonly MaskedTensor[]): MaskedTensor[] => {
        const { data, dims } = input!;
        return [{ data, dims: [dims[0]!, product(dims.slice(1))] }];
      };
      return { outputs: [[shape![0]!, size]], layer: { run } };
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
    build([shape]) {
      const sizes = shape!.slice(1);
      const unknown = sizes.includes(null);
      const dims = unknown ? target.map((size) => (size === -1 ? null : size)) : dimsOf(product(sizes as number[]));
      if (!dims) {
        const found = describeShape(shape!);
        refuse.because('wrong-shape', name, `${name} cannot reshape ${found} to ${describe(target)}`, target, found);
      }
      const run = ([input]: readonly MaskedTensor[]): MaskedTensor[] => {
        const [batch, ...rest] = input!.dims;
        const fitting = dimsOf(product(rest));
        if (!fitting) throw wrongValue(name, 'input', `samples that fit ${describe(target)}`, input!.dims);
        return [{ data: input!.data, dims: [batch!, ...fitting] }];
      };
      return { outputs: [[shape![0]!, ...dims]], layer: { run } };
    },
  };
}

/** Reads keras.layers.RepeatVector: (B, n) to (B, times, n). */
export function readRepeatVector(config: Config, name: string): LayerPlan {
  const times = config.get('n').integer(1);
  return {
    build([shape]) {
      checkRank(name, shape!, 2);
      const outputs = [checkOutput(name, [shape![0]!, times, shape![1]!])];
      const run = ([input]: readonly MaskedTensor[]): MaskedTensor[] => {
        const [batch, size] = input!.dims as [number, number];
        const output = zeros(name, [batch, times, size]);
        for (let i = 0; i < batch * times; i++) {
          const row = Math.floor(i / times) * size;
          output.data.set(input!.data.subarray(row, row + size), i * size);
        }
        return [output];
      };
      // a vector without numbers is repeated too
      const effort = ([dims]: readonly (readonly number[])[]) => {
        return { made: dims![0]! * times * Math.max(1, dims![1]!), multiplied: 0 };
      };
      return { outputs, layer: { run, effort } };
    },
  };
}

/** Reads keras.layers.Embedding: rows by number; with mask_zero a 0 is a masked step. */
export function readEmbedding(config: Config, name: string): LayerPlan {
  // numbers beyond 2^24 are not exact in float32
  const count = config.get('input_dim').integer(1, 2 ** 24);
  const size = config.get('output_dim').integer(1);
  const maskZero = config.get('mask_zero').boolean(false);
  return {
    build([shape], weights) {
      const outputs = [checkOutput(name, [...shape!, size])];
      const [table] = weights.read({ folder: '' }, [{ name: 'embeddings', dims: [count, size] }]);
      return { outputs, layer: new EmbeddingLayer(name, table!, count, size, maskZero) };
    },
  };
}

class EmbeddingLayer implements Layer {
  private readonly _name: string;
  private readonly _table: Float32Array;
  private readonly _count: number;
  private readonly _size: number;
  private readonly _maskZero: boolean;

  constructor(name: string, table: Float32Array, count: number, size: number, maskZero: boolean) {
    this._name = name;
    this._table = table;
    this._count = count;
    this._size = size;
    this._maskZero = maskZero;
  }

  effort([dims]: readonly (readonly number[])[]): Effort {
    return { made: product(dims!) * this._size, multiplied: 0 };
  }

  run([input]: readonly MaskedTensor[]): MaskedTensor[] {
    const { data, dims } = input!;
    const size = this._size;
    const wrong = data.find((index) => !Number.isInteger(index) || index < 0 || index >= this._count);
    if (wrong !== undefined) {
      throw wrongValue(this._name, 'input', `integers from 0 to ${this._count - 1}`, wrong);
    }
    const output = zeros(this._name, [...dims, size]);
    for (const [i, index] of data.entries()) {
      output.data.set(this._table.subarray(index * size, (index + 1) * size), i * size);
    }
    const mask =
      this._maskZero && dims.length === 2 ? Uint8Array.from(data, (index) => (index === 0 ? 0 : 1)) : undefined;
    return [{ ...output, mask }];
  }
}

/** Notes `data_format` channels_first, which is not supported. */
export function checkChannels(config: Config, name: string, dialect: Dialect): void {
  const format = config.get('data_format');
  if (format.given && format.string() !== 'channels_last') {
    dialect.unsupported(`data_format ${describe(format.value)} of ${name}`);
  }
}

/** Gives the shape (B, size(T), width) for a shape (B, T, *). */
export function withSteps(shape: Shape, width: number, size: (steps: number) => number): Shape {
  const steps = shape[1] ?? null;
  return [shape[0]!, steps === null ? null : size(steps), width];
}
