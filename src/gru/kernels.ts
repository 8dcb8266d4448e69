import { compile } from '../memory/compile.ts';
import { attach, givenModules } from '../memory/wasm.ts';
import { embeddedGRU } from './embedded.ts';

/** The exports of lstm-gru.wasm, which works on the memory of lstm.wasm; shapes are in assembly/gru/. */
export interface GRUKernels {
  readonly ABI: WebAssembly.Global<'i32'>;
  gru_gates_f32(x: number, s: number, h: number, y: number, H: number): void;
  rnn_gate_f32(z: number, h: number, y: number, H: number, relu: number): void;
  /** @param run pointer of a Run (structs.ts) */
  cells_run(model: number, run: number, from: number, to: number): void;
}

const LINES = "import gru from 'lstm-wasm/lstm-gru.wasm'; initialize(wasm, { gru })";

let kernels: GRUKernels | undefined;

/**
 * Gives the one instance of this thread, made at the first call.
 * @throws Error where compiling bytes is forbidden and no module was given
 */
export function gruKernels(): GRUKernels {
  kernels ??= attach('gru', givenModules.gru ?? compile(embeddedGRU, LINES)) as GRUKernels;
  return kernels;
}
