import { checkBoolean, checkOptions, tag, wrongType } from '../base/tensor.ts';
import { ABI, FLOAT32, FLOAT32_WIDE } from './abi.ts';
import { compile, compileInt8 } from './compile.ts';

/** The exports of lstm.wasm. Pointers and strides are in bytes, sizes in floats or rows; shapes are in `assembly/`. */
export interface Kernels {
  readonly memory: WebAssembly.Memory;
  readonly table: WebAssembly.Table;
  readonly ABI: WebAssembly.Global<'i32'>;
  readonly HEAP_BASE: WebAssembly.Global<'i32'>;
  /** @param product pointer of a Product (structs.ts) */
  multiply(product: number): void;
  linear(product: number, out: number, outFeatures: number): void;
  gemv_f32(w: number, x: number, K: number, init: number, z: number, panels: number): void;
  lstm_gates_f32(z: number, c: number, h: number, y: number, H: number): void;
  /** @param run pointer of a Run (structs.ts) */
  lstm_run(model: number, run: number, from: number, to: number): void;
  copy_rows(dst: number, dstStride: number, src: number, srcStride: number, rows: number, floats: number): void;
  gather_states(table: number, offset: number, rows: number, groups: number, n: number, floats: number): void;
  scatter_states(table: number, offset: number, rows: number, groups: number, n: number, floats: number): void;
  panel_index(row: number, K: number, H: number): number;
  random_f32(x: number, n: number, stride: number, state: number, terms: number, low: number, scale: number): number;
  dropout_f32(x: number, n: number, p: number, scale: number, state: number): number;
  sigmoid_f32(x: number, n: number): void;
  tanh_f32(x: number, n: number): void;
  relu_f32(x: number, n: number): void;
  softmax_f32(x: number, outer: number, n: number, inner: number): void;
}

/** The exports of lstm-int8.wasm. */
interface Int8Kernels {
  readonly ABI: WebAssembly.Global<'i32'>;
  readonly dot_i8: unknown;
  is_emulated(): number;
}

const COMPILED = "this version's compiled lstm.wasm";
const COMPILED_INT8 = "this version's compiled lstm-int8.wasm";
/** The slot of the table in which gemm_i8 finds the relaxed form. */
const RELAXED_SLOT = 1;

let kernels: Kernels | undefined;
let source: WebAssembly.Module | undefined;
let int8Source: WebAssembly.Module | undefined;
let relaxed: boolean | undefined;
let int8Started = false;
let wideWanted: boolean | undefined;

/** The form in which gemm_f32 computes float32 products (assembly/product.ts); results have the same bits in both. */
export let floatForm: typeof FLOAT32 | typeof FLOAT32_WIDE = FLOAT32;

/** A WebAssembly.Module. TypeScript has a name for it only where `lib` has `dom`, or in the types of a platform. */
export type WasmModule = object;

/** Options of initialize(). */
export interface InitializeOptions {
  /** The compiled `lstm-wasm/lstm-int8.wasm`, used by quantize() where `relaxed` allows it. */
  readonly int8?: WasmModule | undefined;
  /**
   * Whether quantized modules use relaxed SIMD; results have the same bits with and without it. true: wherever the engine has it.
   * Default: where the engine has it and runs it faster.
   */
  readonly relaxed?: boolean | undefined;
  /**
   * Whether V8 may pack pairs of vectors into 256 bits, in Node 24 and later on x86-64; results have the same bits. true sets V8's
   * experimental flag `--experimental-wasm-revectorize` for the whole process, and needs AVX2 to be faster. Other engines ignore
   * it. Default: where `node` was started with that flag.
   */
  readonly wide?: boolean | undefined;
}

/** The part of Node's `process` that says whether, and makes, its V8 pack vectors. */
interface NodeProcess {
  readonly arch: string;
  readonly versions?: { readonly v8?: string; readonly bun?: string };
  readonly execArgv: readonly string[];
  getBuiltinModule(name: 'v8'): { setFlagsFromString(flag: string): void };
}

/** Gives the one instance of this thread, made from the embedded bytes at the first call. */
export function wasm(): Kernels {
  return kernels ?? instantiate();
}

/**
 * Instantiates the kernels now, from `module` if given: the compiled `lstm-wasm/lstm.wasm`. Needed only where a runtime
 * forbids compiling bytes; otherwise the first use does the same from the embedded copy.
 * @returns whether the kernels take the form for 256 bits: the option `wide`
 *
 * @example
 * ```js
 * import { readFileSync } from 'node:fs';
 * import { initialize, LSTM } from 'lstm-wasm';
 *
 * const bytes = readFileSync(new URL(import.meta.resolve('lstm-wasm/lstm.wasm')));
 * initialize(new WebAssembly.Module(bytes));
 * console.log(new LSTM(10, 20).hiddenSize); // 20
 * ```
 * @throws TypeError if a module is not the compiled lstm.wasm or lstm-int8.wasm of this version
 * @throws Error if the kernels already run from another module, if the engine has no WebAssembly SIMD, if `wide` changes
 *   after that, or another option after 8-bit weights were made
 */
export function initialize(module?: WasmModule, options?: InitializeOptions): boolean {
  checkOptions('initialize', options, ['int8', 'relaxed', 'wide']);
  const { int8 = int8Source, relaxed: wanted = relaxed, wide = wideWanted } = options ?? {};
  if (wanted !== undefined) checkBoolean('initialize', 'relaxed', wanted);
  if (wide !== undefined) checkBoolean('initialize', 'wide', wide);
  checkModule('module', module, 'lstm_run', COMPILED);
  checkModule('int8', int8, 'is_emulated', COMPILED_INT8);
  if (kernels && module && module !== source) throw new Error('initialize: another module runs already');
  if (kernels && wide !== wideWanted) throw new Error('initialize: kernels run already, too late for "wide"');
  if (int8Started && (int8 !== int8Source || wanted !== relaxed)) {
    throw new Error('initialize: 8-bit weights are in use already');
  }
  if (!kernels) instantiate(module, wide);
  if (int8 && int8 !== int8Source && instanceOfInt8(int8).ABI?.value !== ABI) {
    throw wrongType('initialize', 'int8', COMPILED_INT8, int8);
  }
  int8Source = int8;
  relaxed = wanted;
  return floatForm === FLOAT32_WIDE;
}

/** Checks that `module`, if given, is a module with the export `name`. @throws TypeError */
function checkModule(what: string, module: WebAssembly.Module | undefined, name: string, expected: string): void {
  if (module === undefined) return;
  if (tag(module) !== 'WebAssembly.Module') throw wrongType('initialize', what, 'a WebAssembly.Module', module);
  const exports = WebAssembly.Module.exports(module);
  if (!exports.some((each) => each.name === name)) throw wrongType('initialize', what, expected, module);
}

const PACK = '--experimental-wasm-revectorize';

/**
 * Tells whether the kernels are to be wide, and then makes V8 pack vectors. Node's builds can from V8 13.6 on, on x86-64, and look for
 * AVX2 themselves; other builds lack the flag, and Bun only names a V8.
 */
function startWide(wide: boolean | undefined): boolean {
  const { process } = globalThis as { process?: NodeProcess };
  const { v8 = '', bun } = process?.versions ?? {};
  if (bun || !v8.includes('-node') || parseFloat(v8) < 13.6 || process!.arch !== 'x64') return false;
  const isWide = wide ?? process!.execArgv.includes(PACK);
  if (isWide) process!.getBuiltinModule('v8').setFlagsFromString(PACK);
  return isWide;
}

function instantiate(module?: WebAssembly.Module, wide?: boolean): Kernels {
  module ??= compile();
  const exports = new WebAssembly.Instance(module).exports as unknown as Kernels;
  if (exports.ABI?.value !== ABI) throw wrongType('initialize', 'module', COMPILED, module);
  source = module;
  kernels = exports;
  // only now, that nothing can throw: V8 looks at the flag when it optimizes a function, after some calls
  if (startWide(wide)) floatForm = FLOAT32_WIDE;
  wideWanted = wide;
  return kernels;
}

function instanceOfInt8(module: WebAssembly.Module): Int8Kernels {
  const { memory } = wasm();
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Int8Kernels;
}

/**
 * Puts the relaxed form of 8-bit products into the table, where gemm_i8 finds it.
 * @returns false where the engine lacks relaxed SIMD, or is known to be slower with it, unless the option `relaxed` decides
 */
export function instantiateInt8(): boolean {
  const { table } = wasm();
  int8Started = true;
  // only its errors have a property `line`
  const isJavaScriptCore = Object.hasOwn(new Error(), 'line');
  if (!(relaxed ?? !isJavaScriptCore)) return false;
  try {
    int8Source ??= compileInt8();
    const { dot_i8, is_emulated } = instanceOfInt8(int8Source);
    if (relaxed === undefined && is_emulated()) return false;
    table.grow(1);
    table.set(RELAXED_SLOT, dot_i8);
    return true;
  } catch {
    return false;
  }
}
