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

/** Codes from 35 are the values 0 .. 87; 123 and 124 before one add 88 and 176. A value is a byte plus 3, modulo 256. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  let high = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i) - 35;
    if (code < 88) {
      bytes[length++] = high + code - 3;
      high = 0;
    } else high = (code - 87) * 88;
  }
  return bytes.slice(0, length);
}
