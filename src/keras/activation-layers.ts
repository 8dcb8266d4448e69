import { type Activation, activation } from '../cells/activations.ts';
import { add, pRelu } from '../operators/arithmetic.ts';
import { softmaxOperator } from '../operators/reduce.ts';
import { activated } from './activations.ts';
import type { Config } from './config.ts';
import { elementwise, type KerasGraph } from './graph.ts';
import { maskNumbers } from './mask-steps.ts';
import type { Dialect, LayerPlan } from './plan.ts';
import { knownSizes, readAxes } from './shapes.ts';

// Activations that are layers of their own.

function planOf(apply: (graph: KerasGraph, slot: number) => number): LayerPlan {
  return { build: ([input], { graph }) => [{ ...input!, slot: apply(graph, input!.slot) }] };
}

const byFunction = (f: Activation): LayerPlan => planOf((graph, slot) => activated(graph, slot, f));

/** Reads keras.layers.ReLU: x from a threshold up to max_value; below, negative_slope (x - threshold). */
export function readRelu(config: Config): LayerPlan {
  const most = config.get('max_value').number(Number.POSITIVE_INFINITY);
  const slope = config.get('negative_slope').number(0);
  const threshold = config.get('threshold').number(0);
  if (threshold === 0 && most === Number.POSITIVE_INFINITY) return byFunction(activation('leakyRelu', slope));
  if (threshold === 0 && slope === 0 && most === 6) return byFunction(activation('relu6'));
  const relu = (x: number) => (x < threshold ? slope * (x - threshold) : Math.min(x, most));
  return planOf((graph, slot) => graph.step([slot], elementwise(graph.path, 'float32', relu))[0]!);
}

/** Reads keras.layers.LeakyReLU: x, below 0 the slope times x, which Keras 2 calls alpha. */
export function readLeakyRelu(config: Config): LayerPlan {
  const field = config.get('negative_slope').given ? config.get('negative_slope') : config.get('alpha');
  return byFunction(activation('leakyRelu', field.number(0.3)));
}

/** Reads keras.layers.ELU. */
export function readElu(config: Config): LayerPlan {
  return byFunction(activation('elu', config.get('alpha').number(1)));
}

/** Reads keras.layers.ThresholdedReLU of Keras 2: x above theta, else 0. */
export function readThresholdedRelu(config: Config): LayerPlan {
  return byFunction(activation('thresholdedRelu', config.get('theta').number(1)));
}

/** Reads keras.layers.PReLU: x, below 0 times a trained slope, which is one along shared axes. */
export function readPrelu(config: Config, name: string): LayerPlan {
  return {
    build([input], { graph, weights }) {
      const { shape, slot } = input!;
      const field = config.get('shared_axes');
      const shared = field.given ? readAxes(field, shape.length) : [];
      const own = [...shape.keys()].slice(1).filter((axis) => !shared.includes(axis));
      const sizes = knownSizes(name, shape, own);
      const dims = shape.slice(1).map((_, i) => sizes[own.indexOf(i + 1)] ?? 1);
      const [slopes] = weights.read({ folder: '' }, [{ name: 'alpha', dims }]);
      return [{ ...input!, slot: graph.node(pRelu, [slot, slopes]) }];
    },
  };
}

/** Subtracted from a masked number before a softmax. */
export const MASKED = -1e9;

/** Reads keras.layers.Softmax. A mask of the input's shape takes numbers out of it. */
export function readSoftmax(config: Config, name: string, dialect: Dialect): LayerPlan {
  const field = config.get('axis');
  if (field.isArray && field.items().length !== 1) dialect.unsupported(`several axes of ${name}`);
  return {
    build([input], { graph }) {
      const { shape, slot, mask } = input!;
      const [axis] = readAxes(field, shape.length);
      const isMasked = mask !== undefined && shape.length === 2 && !dialect.tfjs;
      const x = isMasked ? graph.node(add, [slot, maskNumbers(graph, mask, 0, MASKED)]) : slot;
      return [{ ...input!, slot: graph.node(softmaxOperator, [x], { axis }) }];
    },
  };
}
