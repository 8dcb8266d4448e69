import { onnxKernels } from '../cells/kernels.ts';
import { wasm } from '../memory/wasm.ts';
import { cast } from './cast.ts';
import { inMemory } from './chunks.ts';
import type { Operator } from './node.ts';
import { isFloat, type RunValue } from './value.ts';

// Operators that compute each element from the one at its place in the input.

/** An operator of one input in plain arithmetic: out[i] from x[i]; with `integers` for int64 and int32 too. */
function unary(run: (x: Float32Array, out: Float32Array) => void, integers?: (x: bigint) => bigint): Operator {
  return {
    inputs: [1, 1],
    prepare:
      (node) =>
      ([a], work) => {
        const value = a!;
        const out = work.make(value.type, value.dims, node.path);
        if (isFloat(value)) run(value.data, out.data as Float32Array);
        else if (!integers || value.type === 'bool')
          node.wrongType('input', integers ? 'numbers' : 'float32', value.type);
        else {
          const narrow = value.type === 'int32';
          const data = out.data as unknown as (number | bigint)[];
          for (const [i, x] of Array.from<number | bigint>(value.data as ArrayLike<number | bigint>).entries()) {
            const result = integers(BigInt(x));
            data[i] = narrow ? Number(BigInt.asIntN(32, result)) : result;
          }
        }
        return [out];
      },
  };
}

/** An operator of one float input that runs in wasm. */
function kernel(run: (pointer: number, count: number) => void): Operator {
  return unary((x, out) => inMemory([x], out, ([pointer], count) => run(pointer!, count)));
}

const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;

const clip: Operator = {
  inputs: [1, 3],
  prepare(node) {
    // bounds are attributes before operator set 11
    const fixed = node.opset < 11;
    const low = node.float('min', -MAX_FLOAT);
    const high = node.float('max', MAX_FLOAT);
    return ([a, from, to], work) => {
      const value = a!;
      if (value.type === 'bool') node.wrongType('input', 'numbers', value.type);
      const bound = (what: string, given: RunValue | undefined, fallback: number) => {
        // without a bound every finite number passes
        if (fixed || !given) return fallback;
        if (given.type !== value.type) node.wrongType(what, value.type, given.type);
        return node.scalar(what, given, value.type);
      };
      const least = bound('min', from, low);
      const most = bound('max', to, high);
      const out = work.make(value.type, value.dims, node.path);
      // comparisons mix numbers and bigints; NaN passes
      const target = out.data as unknown as (number | bigint)[];
      for (let i = 0; i < value.data.length; i++) {
        let x: number | bigint = value.data[i]!;
        if (x < least) x = least;
        if (x > most) x = most;
        target[i] = x;
      }
      return [out];
    };
  },
};

const leakyRelu: Operator = {
  inputs: [1, 1],
  prepare(node) {
    const alpha = node.float('alpha', Math.fround(0.01));
    const { prepare } = unary((x, out) => {
      for (let i = 0; i < x.length; i++) out[i] = x[i]! < 0 ? x[i]! * alpha : x[i]!;
    });
    return prepare(node);
  },
};

export const ELEMENTWISE: readonly (readonly [string, Operator])[] = [
  ['Cast', cast],
  ['Clip', clip],
  ['LeakyRelu', leakyRelu],
  [
    'Neg',
    unary(
      (x, out) => {
        for (let i = 0; i < x.length; i++) out[i] = -x[i]!;
      },
      (x) => -x,
    ),
  ],
  [
    'Abs',
    unary(
      (x, out) => {
        for (let i = 0; i < x.length; i++) out[i] = Math.abs(x[i]!);
      },
      (x) => (x < 0n ? -x : x),
    ),
  ],
  [
    'Relu',
    unary(
      (x, out) => {
        for (let i = 0; i < x.length; i++) out[i] = Math.max(0, x[i]!);
      },
      (x) => (x < 0n ? 0n : x),
    ),
  ],
  [
    'Sqrt',
    unary((x, out) => {
      for (let i = 0; i < x.length; i++) out[i] = Math.sqrt(x[i]!);
    }),
  ],
  [
    'Floor',
    unary((x, out) => {
      for (let i = 0; i < x.length; i++) out[i] = Math.floor(x[i]!);
    }),
  ],
  [
    'Ceil',
    unary((x, out) => {
      for (let i = 0; i < x.length; i++) out[i] = Math.ceil(x[i]!);
    }),
  ],
  ['Exp', kernel((pointer, count) => onnxKernels().exp_f32(pointer, count))],
  ['Log', kernel((pointer, count) => onnxKernels().log_f32(pointer, count))],
  ['Sigmoid', kernel((pointer, count) => wasm().sigmoid_f32(pointer, count))],
  ['Tanh', kernel((pointer, count) => wasm().tanh_f32(pointer, count))],
];
