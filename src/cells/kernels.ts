import { checkOptions } from '../base/tensor.ts';
import { canCompile, compile } from '../memory/compile.ts';
import { attach, givenModules, isModuleWith, type WasmModule, wrongModule } from '../memory/wasm.ts';
import { embeddedOnnx } from './embedded.ts';

/** The exports of lstm-onnx.wasm, which works on the memory of lstm.wasm; shapes are in assembly/onnx/. */
export interface OnnxKernels {
  readonly ABI: WebAssembly.Global<'i32'>;
  exp_f32(x: number, n: number): void;
  log_f32(x: number, n: number): void;
  pow_f32(x: number, y: number, n: number): void;
  log_softmax_f32(x: number, outer: number, n: number, inner: number): void;
  activate_f32(kind: number, alpha: number, beta: number, x: number, rows: number, n: number, spare: number): void;
  lstm_cell_f32(cell: number, z: number, c: number, h: number, spare: number): void;
  gru_gates_f32(cell: number, z: number, gap: number, h: number, reset: number, spare: number): void;
  gru_state_f32(cell: number, z: number, gap: number, s: number, h: number, spare: number): void;
  rnn_cell_f32(cell: number, z: number, h: number, spare: number): void;
  /** @param view a View of walks.ts */
  copy_view(view: number): void;
  /**
   * @param op one of BINARY
   * @param pairs Pairs of walks.ts
   */
  binary_f32(op: number, pairs: number): void;
  /** @param op one of UNARY */
  unary_f32(op: number, x: number, out: number, n: number, alpha: number): void;
  clip_f32(x: number, out: number, n: number, low: number, high: number): void;
  /** @param op one of REDUCE */
  reduce_f32(op: number, x: number, out: number, outer: number, n: number, inner: number): void;
  /** @param norm a LayerNorm of walks.ts */
  layer_norm_f32(norm: number, epsilon: number): void;
  channel_factors(scale: number, variances: number, epsilon: number, factors: number, channels: number): void;
  channel_affine_f32(
    x: number,
    factors: number,
    means: number,
    offsets: number,
    out: number,
    outer: number,
    channels: number,
    inner: number,
  ): void;
  /** @param conv a Depthwise of walks.ts */
  depthwise_f32(conv: number): void;
  /**
   * @param mean 1: means, 0: the largest
   * @param windows a Windows of windows.ts
   */
  pool_f32(mean: number, windows: number): void;
  /** @param windows a Windows of windows.ts */
  depthwise_windows_f32(windows: number): void;
  /** @param overlay an Overlay of windows.ts */
  overlay_f32(overlay: number): void;
}

/** Options of loadOnnx(), loadKeras() and loadRTNeural(), whose models may need more kernels than lstm.wasm has. */
export interface KernelOptions {
  /**
   * The compiled `lstm-wasm/lstm-onnx.wasm`, for runtimes that forbid compiling bytes; the option `onnx` of initialize() takes
   * it too. Ignored once it is given or a model has needed the kernels.
   */
  readonly kernels?: WasmModule | undefined;
}

const KERNEL_OPTIONS = ['kernels'];
const LINES = "import onnx from 'lstm-wasm/lstm-onnx.wasm'; initialize(wasm, { onnx })";

let kernels: OnnxKernels | undefined;
let givenTo: string | undefined;

/**
 * Takes the compiled lstm-onnx.wasm. Ignored once the kernels are instantiated.
 * @param others options that the caller reads itself
 * @throws TypeError if it is something else
 */
export function useKernels(who: string, options: KernelOptions | undefined, others: readonly string[] = []): void {
  checkOptions(who, options, [...KERNEL_OPTIONS, ...others]);
  const module: unknown = options?.kernels;
  if (module === undefined) return;
  if (!isModuleWith('activate_f32', module)) throw wrongModule('kernels', module, who);
  if (givenModules.onnx || kernels) return;
  givenModules.onnx = module;
  givenTo = who;
}

/**
 * Gives the one instance of this thread, made at the first call, since most models do not need it.
 * @throws Error where compiling bytes is forbidden and no module was given
 * @throws TypeError if the module that was given is another version's
 */
export function onnxKernels(): OnnxKernels {
  kernels ??= start();
  return kernels;
}

/** Throws what onnxKernels() would throw at the first run where no bytes are compiled and no module was given. */
export function checkKernels(): void {
  if (!kernels && !givenModules.onnx && !canCompile()) onnxKernels();
}

function start(): OnnxKernels {
  const given = givenModules.onnx;
  try {
    return attach('kernels', given ?? compile(embeddedOnnx, LINES), givenTo) as OnnxKernels;
  } catch (error) {
    // another version's: the next one to be given may be right
    if (givenTo) givenModules.onnx = undefined;
    throw error;
  }
}
