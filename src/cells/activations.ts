import { endScratch } from '../memory/arena.ts';
import { Layout } from '../memory/layout.ts';
import { copyInFrom, copyOut, placeOf } from '../memory/rows.ts';
import { wasm } from '../memory/wasm.ts';
import { onnxKernels } from './kernels.ts';

// The activation functions of all readers, in linear memory. Each has one definition, in assembly/onnx/activations.ts, for the
// layers and cells of every format; formats differ in the names and constants that they give the functions.

/** The number of each function in the kernel. */
const KINDS = {
  linear: 0,
  sigmoid: 1,
  tanh: 2,
  relu: 3,
  softmax: 4,
  logSoftmax: 5,
  exponential: 6,
  /** alpha tanh(beta x) */
  scaledTanh: 7,
  silu: 8,
  mish: 9,
  /** gelu by its approximation with tanh */
  geluTanh: 10,
  gelu: 11,
  /** alpha x + beta */
  affine: 12,
  /** x, below 0 alpha x */
  leakyRelu: 13,
  /** x, below alpha 0 */
  thresholdedRelu: 14,
  relu6: 15,
  /** alpha x + beta between 0 and 1 */
  hardSigmoid: 16,
  /** x times relu6(x + 3) / 6 */
  hardSilu: 17,
  /** x, below 0 alpha (e^x - 1) */
  elu: 18,
  selu: 19,
  softsign: 20,
  softplus: 21,
  /** beta times elu */
  scaledElu: 22,
  /** x, below 0 alpha (e^(x / alpha) - 1) */
  celu: 23,
} as const;

/** An activation function and its constants, rounded to float32; 0 if it has none. */
export interface Activation {
  readonly kind: number;
  readonly alpha: number;
  readonly beta: number;
}

/** Names an activation function. */
export function activation(name: keyof typeof KINDS, alpha = 0, beta = 0): Activation {
  return { kind: KINDS[name], alpha, beta };
}

/** Gives the name of an activation function: 'tanh'. */
export function activationName({ kind }: Activation): string {
  return Object.keys(KINDS)[kind]!;
}

const layout = new Layout();

/** Bytes of scratch that the kernel needs besides the numbers. */
export const SPARE_BYTES = 4 * 64;

/** Instantiates the kernels that a function needs, so that activate() cannot fail later, when something is changed already. */
export function prepare({ kind }: Activation): void {
  if (kind > KINDS.softmax) onnxKernels();
}

/**
 * Applies a function in place to `rows` rows of `size` floats at `pointer`; the softmaxes go over rows.
 * @param spare pointer of SPARE_BYTES of scratch
 */
export function applyActivation(
  { kind, alpha, beta }: Activation,
  pointer: number,
  rows: number,
  size: number,
  spare: number,
): void {
  switch (kind) {
    case KINDS.sigmoid:
      wasm().sigmoid_f32(pointer, rows * size);
      break;
    case KINDS.tanh:
      wasm().tanh_f32(pointer, rows * size);
      break;
    case KINDS.relu:
      wasm().relu_f32(pointer, rows * size);
      break;
    case KINDS.softmax:
      wasm().softmax_f32(pointer, rows, size, 1);
      break;
    default:
      onnxKernels().activate_f32(kind, alpha, beta, pointer, rows, size, spare);
  }
}

/** Applies a function in place to `data`, rows of `size` numbers. Makes no garbage. */
export function activate(f: Activation, data: Float32Array, size: number): void {
  const count = data.length;
  if (count === 0 || f.kind === KINDS.linear) return;
  const place = placeOf(data);
  layout.clear().output(count);
  const spare = layout.line(SPARE_BYTES);
  const at = layout.scratch();
  copyInFrom(at, data, place, 0, count);
  applyActivation(f, at, count / size, size, at + spare);
  copyOut(at, count, data, 0);
  endScratch();
}

/** Tells whether a cell with these functions, of the gates, the input and the output in turn, is PyTorch's. */
export function isStandard(functions: readonly Activation[]): boolean {
  return functions.every(({ kind }, i) => kind === (i % 3 ? KINDS.tanh : KINDS.sigmoid));
}
