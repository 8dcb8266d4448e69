import { checkBoolean, checkOptions, tag, wrongType } from '../base/tensor.ts';
import { ABI } from './abi.ts';
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
}

/** Gives the one instance of this thread, made from the embedded bytes at the first call. */
export function wasm(): Kernels {
  return kernels ?? instantiate();
}

/**
 * Instantiates the kernels now, from `module` if given: the compiled `lstm-wasm/lstm.wasm`. Needed only where a runtime
 * forbids compiling bytes; otherwise the first use does the same from the embedded copy.
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
 * @throws Error if the kernels already run from another module, if the engine has no WebAssembly SIMD, or if an option changes
 *   after 8-bit weights were made
 */
export function initialize(module?: WasmModule, options?: InitializeOptions): void {
  checkOptions('initialize', options, ['int8', 'relaxed']);
  const { int8 = int8Source, relaxed: wanted = relaxed } = options ?? {};
  if (wanted !== undefined) checkBoolean('initialize', 'relaxed', wanted);
  checkModule('module', module, 'lstm_run', COMPILED);
  checkModule('int8', int8, 'is_emulated', COMPILED_INT8);
  if (kernels && module && module !== source) throw new Error('initialize: another module runs already');
  if (int8Started && (int8 !== int8Source || wanted !== relaxed)) {
    throw new Error('initialize: 8-bit weights are in use already');
  }
  if (!kernels) instantiate(module);
  if (int8 && int8 !== int8Source && instanceOfInt8(int8).ABI?.value !== ABI) {
    throw wrongType('initialize', 'int8', COMPILED_INT8, int8);
  }
  int8Source = int8;
  relaxed = wanted;
}

/** Checks that `module`, if given, is a module with the export `name`. @throws TypeError */
function checkModule(what: string, module: WebAssembly.Module | undefined, name: string, expected: string): void {
  if (module === undefined) return;
  if (tag(module) !== 'WebAssembly.Module') throw wrongType('initialize', what, 'a WebAssembly.Module', module);
  const exports = WebAssembly.Module.exports(module);
  if (!exports.some((each) => each.name === name)) throw wrongType('initialize', what, expected, module);
}

function instantiate(module: WebAssembly.Module = compile()): Kernels {
  const exports = new WebAssembly.Instance(module).exports as unknown as Kernels;
  if (exports.ABI?.value !== ABI) throw wrongType('initialize', 'module', COMPILED, module);
  source = module;
  kernels = exports;
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
