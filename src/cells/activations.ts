import { endScratch } from '../memory/arena.ts';
import { Layout } from '../memory/layout.ts';
import { copyInFrom, copyOut, placeOf } from '../memory/rows.ts';
import { wasm } from '../memory/wasm.ts';
import { onnxKernels } from './kernels.ts';

// The activation functions of all readers, in linear memory. A name has one definition, the one in assembly/onnx/activations.ts,
// in layers and in cells of every format; formats differ in what they call them and in their constants.

/** The numbers that the kernel knows the functions by. */
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
} as const;

/** An activation function with its constants, where it has any; they are rounded to float32. */
export interface Activation {
  readonly kind: number;
  readonly alpha: number;
  readonly beta: number;
}

export function activation(name: keyof typeof KINDS, alpha = 0, beta = 0): Activation {
  return { kind: KINDS[name], alpha, beta };
}

const layout = new Layout();

/** Bytes of scratch that the kernel needs besides, wherever they lie. */
export const SPARE_BYTES = 4 * 64;

/** Makes sure that kernels are there, before something is changed that needs them. */
export function prepare({ kind }: Activation): void {
  if (kind > KINDS.softmax) onnxKernels();
}

/** In place on `rows` rows of `size` floats at `pointer`; the softmaxes go over rows. `spare`: SPARE_BYTES of scratch. */
function run({ kind, alpha, beta }: Activation, pointer: number, rows: number, size: number, spare: number): void {
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

/** In place on `data`, rows of `size` numbers. Makes no garbage. */
export function activate(f: Activation, data: Float32Array, size: number): void {
  const count = data.length;
  if (count === 0 || f.kind === KINDS.linear) return;
  const place = placeOf(data);
  layout.clear().output(count);
  const spare = layout.line(SPARE_BYTES);
  const at = layout.scratch();
  copyInFrom(at, data, place, 0, count);
  run(f, at, count / size, size, at + spare);
  copyOut(at, count, data, 0);
  endScratch();
}

/** Whether a cell with these functions of gates, input and output is PyTorch's. */
export function isStandard(functions: readonly Activation[]): boolean {
  return functions.every(({ kind }, i) => kind === (i % 3 ? KINDS.tanh : KINDS.sigmoid));
}
