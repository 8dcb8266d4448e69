import { tag, wrongType } from '../base/tensor.ts';
import { floats, scratch } from '../memory/arena.ts';
import { decode } from '../memory/compile.ts';
import { wasm } from '../memory/wasm.ts';
import { embeddedOnnx } from './embedded.ts';

/** The exports of lstm-onnx.wasm, which works on the memory of lstm.wasm; shapes are in assembly/onnx/. */
interface OnnxKernels {
  exp_f32(x: number, n: number): void;
  log_f32(x: number, n: number): void;
  pow_f32(x: number, y: number, n: number): void;
  log_softmax_f32(x: number, outer: number, n: number, inner: number): void;
  lstm_cell_f32(
    z: number,
    c: number,
    h: number,
    H: number,
    p: number,
    clip: number,
    inputForget: number,
    functions: number,
  ): void;
}

let kernels: OnnxKernels | undefined;
let source: WebAssembly.Module | undefined;

/**
 * Takes the compiled lstm-onnx.wasm, for runtimes that forbid compiling bytes. Too late, it is left aside: the same runs.
 * @throws TypeError if it is something else
 */
export function useKernels(module: unknown): void {
  const fits =
    tag(module) === 'WebAssembly.Module' &&
    WebAssembly.Module.exports(module as WebAssembly.Module).some(({ name }) => name === 'lstm_cell_f32');
  if (!fits) throw wrongType('loadOnnx', 'kernels', 'the compiled lstm-onnx.wasm', module);
  source ??= module as WebAssembly.Module;
}

/** The one instance of this thread, made at the first call: most models need none. */
export function onnxKernels(): OnnxKernels {
  if (!kernels) {
    const { memory, sigmoid_f32, tanh_f32 } = wasm();
    const module = source ?? new WebAssembly.Module(decode(embeddedOnnx));
    kernels = new WebAssembly.Instance(module, { env: { memory, sigmoid_f32, tanh_f32 } })
      .exports as unknown as OnnxKernels;
  }
  return kernels;
}

/** Elements that pass through linear memory at once. */
const CHUNK = 1 << 16;

/** Fills `out` with what `run` makes of `inputs`, a chunk at a time; it works in place on the first. */
export function inMemory(
  inputs: readonly Float32Array[],
  out: Float32Array,
  run: (pointers: readonly number[], count: number) => void,
): void {
  const size = Math.min(out.length, CHUNK);
  for (let at = 0; at < out.length; at += size) {
    const start = scratch(4 * size * inputs.length);
    const count = Math.min(size, out.length - at);
    const pointers = inputs.map((input, i) => {
      const pointer = start + 4 * size * i;
      floats().set(input.subarray(at, at + count), pointer / 4);
      return pointer;
    });
    run(pointers, count);
    out.set(floats().subarray(start / 4, start / 4 + count), at);
  }
}
