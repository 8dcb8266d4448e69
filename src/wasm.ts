import { embedded } from './embedded.ts';
import { tag, wrongType } from './tensor.ts';

/** The exports of lstm.wasm. Pointers and strides are in bytes, sizes in floats or rows; shapes are in `assembly/`. */
export interface Kernels {
  readonly memory: WebAssembly.Memory;
  readonly PANEL: WebAssembly.Global<'i32'>;
  readonly TILE_ROWS: WebAssembly.Global<'i32'>;
  readonly LAYER_CALL_BYTES: WebAssembly.Global<'i32'>;
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
  lstm_run(calls: number, count: number): void;
  linear_f32(
    w: number,
    bias: number,
    x: number,
    xStride: number,
    inFeatures: number,
    out: number,
    outStride: number,
    outFeatures: number,
    rows: number,
    z: number,
  ): void;
  copy_rows(dst: number, dstStride: number, src: number, srcStride: number, rows: number, floats: number): void;
  sigmoid_f32(x: number, out: number, n: number): void;
  tanh_f32(x: number, out: number, n: number): void;
  relu_f32(x: number, out: number, n: number): void;
  softmax_f32(x: number, outer: number, n: number, inner: number): void;
}

let kernels: Kernels | undefined;
let source: WebAssembly.Module | undefined;

/** The one instance of this thread, made from the embedded bytes at the first call. */
export function wasm(): Kernels {
  return kernels ?? instantiate(undefined);
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
  else if (module && module !== source) {
    throw new Error('initialize: the kernels already run from another module; call it before anything else, and once');
  }
}

function instantiate(module: WebAssembly.Module | undefined): Kernels {
  const compiled = module ?? compile();
  const names = WebAssembly.Module.exports(compiled).map((entry) => entry.name);
  if (!names.includes('lstm_run') || !names.includes('LAYER_CALL_BYTES')) {
    throw new TypeError(`initialize: "module" expected the module of lstm.wasm, got one that exports [${names}]`);
  }
  const instance = new WebAssembly.Instance(compiled);
  source = compiled;
  kernels = instance.exports as unknown as Kernels;
  return kernels;
}

function compile(): WebAssembly.Module {
  if (typeof WebAssembly === 'undefined') {
    throw new Error('lstm-wasm: this runtime has no WebAssembly, which the kernels are written for');
  }
  const bytes = new Uint8Array(embedded.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (nibble(2 * i) << 4) | nibble(2 * i + 1);
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    const reason = WebAssembly.validate(bytes)
      ? 'this runtime forbids compiling WebAssembly from bytes; hand a precompiled lstm-wasm/lstm.wasm to initialize(module)'
      : 'this engine has no WebAssembly SIMD (Chrome 91, Firefox 89, Safari 16.4, Node 16.4 or later have it)';
    throw new Error(`lstm-wasm: ${reason}`, { cause });
  }
}

/** The digit at `at`: '0' .. '9' are codes 48 .. 57, 'a' .. 'f' 97 .. 102. */
function nibble(at: number): number {
  const code = embedded.charCodeAt(at);
  return code < 58 ? code - 48 : code - 87;
}
