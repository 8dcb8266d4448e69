import { embedded } from './embedded.ts';
import { tag, wrongType } from './tensor.ts';

/** The exports of lstm.wasm. Pointers and strides are in bytes, sizes in floats or rows; shapes are in `assembly/`. */
export interface Kernels {
  readonly memory: WebAssembly.Memory;
  readonly PANEL: WebAssembly.Global<'i32'>;
  readonly TILE_ROWS: WebAssembly.Global<'i32'>;
  readonly HEAP_BASE: WebAssembly.Global<'i32'>;
  gemv_f32(w: number, x: number, K: number, init: number, z: number, panels: number): void;
  gemm_f32(
    w: number,
    x: number,
    xStride: number,
    K: number,
    init: number,
    initStride: number,
    z: number,
    zStride: number,
    rows: number,
    panels: number,
  ): void;
  lstm_gates_f32(z: number, c: number, h: number, y: number, H: number): void;
  lstm_run(
    model: number,
    from: number,
    to: number,
    x: number,
    even: number,
    odd: number,
    h: number,
    c: number,
    steps: number,
    batch: number,
    batchSizes: number,
    rows: number,
    z: number,
    blockRows: number,
  ): void;
  linear_f32(
    w: number,
    bias: number,
    x: number,
    inFeatures: number,
    out: number,
    outFeatures: number,
    rows: number,
    z: number,
  ): void;
  copy_rows(dst: number, dstStride: number, src: number, srcStride: number, rows: number, floats: number): void;
  move_states(
    table: number,
    offset: number,
    rows: number,
    groups: number,
    n: number,
    floats: number,
    back: boolean,
  ): void;
  panel_index(row: number, K: number, H: number): number;
  random_f32(x: number, n: number, stride: number, state: number, terms: number, low: number, scale: number): number;
  dropout_f32(x: number, n: number, p: number, scale: number, state: number): number;
  sigmoid_f32(x: number, n: number): void;
  tanh_f32(x: number, n: number): void;
  relu_f32(x: number, n: number): void;
  softmax_f32(x: number, outer: number, n: number, inner: number): void;
}

let kernels: Kernels | undefined;
let source: WebAssembly.Module | undefined;

/** The one instance of this thread, made from the embedded bytes at the first call. */
export function wasm(): Kernels {
  return kernels ?? instantiate();
}

/**
 * Instantiates the kernels now, from `module` if given: the compiled `lstm-wasm/lstm.wasm`. Needed only where a runtime
 * forbids compiling bytes; otherwise the first use does the same from the embedded copy.
 * @throws TypeError if `module` is not a WebAssembly.Module with the exports of this version's lstm.wasm
 * @throws Error if the kernels already run from another module, or if the engine has no WebAssembly SIMD
 */
export function initialize(module?: WebAssembly.Module): void {
  if (module !== undefined && tag(module) !== 'WebAssembly.Module') {
    throw wrongType('initialize', 'module', 'a WebAssembly.Module', module);
  }
  if (!kernels) instantiate(module);
  else if (module && module !== source) throw new Error('initialize: another module runs already');
}

function instantiate(module: WebAssembly.Module = compile()): Kernels {
  if (!WebAssembly.Module.exports(module).some(({ name }) => name === 'lstm_run')) {
    throw wrongType('initialize', 'module', 'the compiled lstm.wasm', module);
  }
  const { exports } = new WebAssembly.Instance(module);
  source = module;
  kernels = exports as unknown as Kernels;
  return kernels;
}

function compile(): WebAssembly.Module {
  const bytes = decode(embedded);
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    let reason = 'WebAssembly is needed, which this runtime lacks';
    if (typeof WebAssembly === 'object') {
      reason = WebAssembly.validate(bytes)
        ? 'compiling bytes is forbidden here: pass the compiled lstm-wasm/lstm.wasm to initialize()'
        : 'WebAssembly SIMD is needed, which this engine lacks';
    }
    throw new Error(`lstm-wasm: ${reason}`, { cause });
  }
}

/** Bytes of hexadecimal, read by the engine's own parser a word at a time: a loop over characters takes 5 ms more at start. */
function decode(hex: string): Uint8Array<ArrayBuffer> {
  const length = hex.length / 2;
  const view = new DataView(new ArrayBuffer(length + 3));
  for (let i = 0; i < length; i += 4) view.setUint32(i, parseInt(hex.slice(2 * i, 2 * i + 8).padEnd(8, '0'), 16));
  return new Uint8Array(view.buffer, 0, length);
}
