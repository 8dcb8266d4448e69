import { checkBoolean, checkOptions, tag, wrongType } from '../base/tensor.ts';
import { ABI, FLOAT32, FLOAT32_WIDE } from './abi.ts';
import { compile, instantiate } from './compile.ts';
import { embedded, embeddedInt8 } from './embedded.ts';

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

const LINES = "import wasm from 'lstm-wasm/lstm.wasm'; initialize(wasm)";
/** The slot of the table in which gemm_i8 finds the relaxed form. */
const RELAXED_SLOT = 1;

let kernels: Kernels | undefined;
let source: WebAssembly.Module | undefined;
let int8Source: WebAssembly.Module | undefined;
let relaxed: boolean | undefined;
let int8Started = false;
/** lstm-onnx.wasm and lstm-gru.wasm, if a program gave them, for src/cells/kernels.ts and src/gru/kernels.ts. */
export const givenModules: { onnx?: WebAssembly.Module | undefined; gru?: WebAssembly.Module | undefined } = {};
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
   * The compiled `lstm-wasm/lstm-onnx.wasm`, used by models of `/onnx`, `/ort`, `/keras` and `/audio`; ignored once one has
   * needed it.
   */
  readonly onnx?: WasmModule | undefined;
  /** The compiled `lstm-wasm/lstm-gru.wasm`, used by modules of `/gru` and models with such layers; ignored once one has needed it. */
  readonly gru?: WasmModule | undefined;
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
  return kernels ?? start();
}

/** Takes compiled modules before anything runs, in builds for runtimes that compile no bytes. The first to be given stay. */
export function provide(given: { lstm?: WasmModule; int8?: WasmModule; onnx?: WasmModule; gru?: WasmModule }): void {
  source ??= given.lstm;
  int8Source ??= given.int8;
  givenModules.onnx ??= given.onnx;
  givenModules.gru ??= given.gru;
}

/**
 * Instantiates the kernels now, from `module` if given: the compiled `lstm-wasm/lstm.wasm`. Needed only where a runtime
 * forbids compiling bytes and its bundler takes no builds made for that; otherwise the first use does the same.
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
 * @throws TypeError if a module is not the compiled lstm.wasm, lstm-int8.wasm, lstm-onnx.wasm or lstm-gru.wasm of this version
 * @throws Error if the kernels already run from another module, if the engine has no WebAssembly SIMD, if `wide` changes
 *   after that, or `int8` or `relaxed` after 8-bit weights were made
 */
export function initialize(module?: WasmModule, options?: InitializeOptions): boolean {
  checkOptions('initialize', options, ['int8', 'onnx', 'gru', 'relaxed', 'wide']);
  const {
    int8 = int8Source,
    onnx = givenModules.onnx,
    gru = givenModules.gru,
    relaxed: wanted = relaxed,
    wide = wideWanted,
  } = options ?? {};
  if (wanted !== undefined) checkBoolean('initialize', 'relaxed', wanted);
  if (wide !== undefined) checkBoolean('initialize', 'wide', wide);
  checkModule('module', module, 'lstm_run');
  checkModule('int8', int8, 'is_emulated');
  checkModule('onnx', onnx, 'activate_f32');
  checkModule('gru', gru, 'cells_run');
  if (kernels && module && module !== source) throw new Error('initialize: another module runs already');
  if (kernels && wide !== wideWanted) throw new Error('initialize: kernels run already, too late for "wide"');
  if (int8Started && (int8 !== int8Source || wanted !== relaxed)) {
    throw new Error('initialize: 8-bit weights are in use already');
  }
  if (!kernels) start(module, wide);
  if (int8 !== int8Source) attach('int8', int8!);
  if (onnx !== givenModules.onnx) attach('onnx', onnx!);
  if (gru !== givenModules.gru) attach('gru', gru!);
  int8Source = int8;
  givenModules.onnx = onnx;
  givenModules.gru = gru;
  relaxed = wanted;
  return floatForm === FLOAT32_WIDE;
}

/** Checks that `module`, if given, is a module with the export `name`. @throws TypeError */
function checkModule(what: string, module: WebAssembly.Module | undefined, name: string): void {
  if (module !== undefined && !isModuleWith(name, module)) throw wrongModule(what, module);
}

/** Tells whether `module` is a module with the export `name`. */
export function isModuleWith(name: string, module: unknown): module is WebAssembly.Module {
  return (
    tag(module) === 'WebAssembly.Module' &&
    WebAssembly.Module.exports(module as WebAssembly.Module).some((each) => each.name === name)
  );
}

/** @param what 'module', 'int8', 'onnx', 'gru', or the option `kernels` of `who` */
export function wrongModule(what: string, module: unknown, who = 'initialize'): TypeError {
  const file = what === 'module' ? 'lstm' : `lstm-${what === 'kernels' ? 'onnx' : what}`;
  return wrongType(who, what, `this version's compiled ${file}.wasm, a WebAssembly.Module`, module);
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

function start(module = source, wide?: boolean): Kernels {
  module ??= compile(embedded, LINES);
  const exports = instantiate(module) as Kernels;
  if (exports.ABI?.value !== ABI) throw wrongModule('module', module);
  source = module;
  kernels = exports;
  // only now, that nothing can throw: V8 looks at the flag when it optimizes a function, after some calls
  if (startWide(wide)) floatForm = FLOAT32_WIDE;
  wideWanted = wide;
  return kernels;
}

/**
 * Instantiates a module that works on the memory of lstm.wasm.
 * @throws TypeError if it is another version's
 */
export function attach(what: string, module: WebAssembly.Module, who?: string): unknown {
  const exports = instantiate(module, wasm() as unknown as WebAssembly.ModuleImports);
  if ((exports as Kernels).ABI?.value !== ABI) throw wrongModule(what, module, who);
  return exports;
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
    int8Source ??= compile(embeddedInt8, '');
    const { dot_i8, is_emulated } = attach('int8', int8Source) as Int8Kernels;
    if (relaxed === undefined && is_emulated()) return false;
    table.grow(1);
    table.set(RELAXED_SLOT, dot_i8);
    return true;
  } catch {
    return false;
  }
}
