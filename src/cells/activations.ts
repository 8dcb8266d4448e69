import { endScratch } from '../memory/arena.ts';
import { Layout } from '../memory/layout.ts';
import { copyInFrom, copyOut, placeOf } from '../memory/rows.ts';
import { wasm } from '../memory/wasm.ts';
import { type Activation, KINDS } from './activation-kinds.ts';
import { onnxKernels } from './kernels.ts';

export { type Activation, activation, activationName } from './activation-kinds.ts';

// The activation functions of all readers, in linear memory. Each has one definition, in assembly/onnx/activations.ts, for the
// layers and cells of every format; formats differ in the names and constants that they give the functions.

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
