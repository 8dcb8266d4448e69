import { describe, formatDims, sameDims, wrongValue } from '../base/tensor.ts';
import type { Lower } from '../operators/node.ts';
import type { Config } from './config.ts';
import { elementwise, type KerasGraph } from './graph.ts';
import type { Dialect, LayerCall, LayerPlan, LayerReader } from './plan.ts';
import { checkRank, lastSize, readAxes, readAxis } from './shapes.ts';

// Masking, and the operations that Keras 3 puts into a functional model for the masks of Masking and Embedding: a layer that
// takes a mask has it as an argument, which comes from NotEqual and Any.

/** Reads keras.layers.Masking: steps whose features all equal the value become zeros and are masked. */
export function readMasking(config: Config, name: string): LayerPlan {
  const value = Math.fround(config.get('mask_value').number(0));
  return {
    build([input], { graph }) {
      const { shape, slot } = input!;
      checkRank(name, shape, 3);
      lastSize(name, shape);
      const [made, mask] = graph.step([slot], masking(graph.path, value), 2);
      return [{ slot: made!, shape, mask }];
    },
  };
}

function masking(path: string, value: number): Lower {
  return ([x], plan) => {
    const [B, T, size] = x!.dims as [number, number, number];
    const out = plan.make('float32', x!.dims, path);
    const mask = plan.make('bool', [B, T], path);
    plan.step([x, out, mask], () => () => {
      const [from, to, kept] = [x!.data as Float32Array, out.data, mask.data];
      for (let row = 0; row < kept.length; row++) {
        let isKept = 0;
        const end = (row + 1) * size;
        for (let i = row * size; i < end && !isKept; i++) if (from[i] !== value) isKept = 1;
        kept[row] = isKept;
        for (let i = row * size; i < end; i++) to[i] = isKept ? from[i]! : 0;
      }
    });
    return [out, mask];
  };
}

/** Reads keras.ops.not_equal of a tensor and a number: 1 where they differ, else 0. */
export function readNotEqual(_: Config, name: string, dialect: Dialect, { constants }: LayerCall): LayerPlan {
  const { value } = constants[0] ?? {};
  if (constants.length !== 1 || typeof value !== 'number')
    dialect.unsupported(`arguments of ${name} but a tensor and a number`);
  const other = Math.fround(value as number);
  return {
    constants: 1,
    build([input], { graph }) {
      const { shape, slot } = input!;
      const lower = elementwise(graph.path, 'float32', (x) => (x !== other ? 1 : 0));
      return [{ slot: graph.step([slot], lower)[0]!, shape }];
    },
  };
}

/** Reads keras.ops.any over the last axis. */
export function readAny(config: Config, name: string, dialect: Dialect): LayerPlan {
  if (config.get('keepdims').boolean(false)) dialect.unsupported(`keepdims of ${name}`);
  return {
    build([input], { graph }) {
      const { shape, slot } = input!;
      const axis = config.get('axis');
      const [last, ...more] = readAxes(axis, shape.length);
      if (!axis.given || last !== shape.length - 1 || more.length > 0) axis.refuse('unsupported', 'the last axis');
      lastSize(name, shape);
      return [{ slot: graph.step([slot], any(graph.path))[0]!, shape: shape.slice(0, -1) }];
    },
  };
}

function any(path: string): Lower {
  return ([x], plan) => {
    const { dims } = x!;
    const size = dims.at(-1)!;
    const out = plan.make('float32', dims.slice(0, -1), path);
    plan.step([x, out], () => () => {
      const from = x!.data;
      const to = out.data;
      for (let row = 0, at = 0; row < to.length; row++) {
        to[row] = 0;
        for (const end = at + size; at < end; at++) if (from[at] !== 0) to[row] = 1;
      }
    });
    return [out];
  };
}

/** Reads keras.ops.zeros_like and ones_like: masks of inputs that have none. */
export function readFilled(value: number): LayerReader {
  return () => ({
    build: ([input], { graph }) => {
      const { shape, slot } = input!;
      return [
        {
          slot: graph.step(
            [slot],
            elementwise(graph.path, 'float32', () => value),
          )[0]!,
          shape,
        },
      ];
    },
  });
}

/** Reads keras.ops.expand_dims: an axis of size 1. */
export function readExpandDims(config: Config): LayerPlan {
  return {
    build([input], { graph }) {
      const { shape, slot } = input!;
      const axis = readAxis(config.get('axis'), shape.length + 1);
      const made = graph.view(slot, (dims) => dims.toSpliced(axis, 0, 1));
      return [{ slot: made, shape: shape.toSpliced(axis, 0, 1) }];
    },
  };
}

/** Makes the mask of an input of numbers, one for each of its samples and steps. */
export function toMask(graph: KerasGraph, name: string, slot: number, input: number): number {
  const check = (dims: readonly number[], of: readonly number[]) => {
    const wanted = of.slice(0, 2);
    if (!sameDims(dims, wanted)) throw wrongValue(describe(name), 'mask', formatDims(wanted), dims);
    return dims;
  };
  const numbers = graph.view(slot, (dims, of) => check(dims, of!), [input]);
  return graph.step(
    [numbers],
    elementwise(graph.path, 'bool', (x) => (x !== 0 ? 1 : 0)),
  )[0]!;
}
