import { product } from '../base/tensor.ts';
import { FLOAT32, I8, type I8_RELAXED, INT8_DEPTH, PANEL } from './abi.ts';
import { floats, integers } from './arena.ts';
import type { ParameterSpec } from './parameters.ts';
import { wasm } from './wasm.ts';

// Weights lie in panels of 16 columns: [panel][k][column], 64 bytes for each k; assembly/panels.ts says which row is where.
// The same panels serve products with one row and with many. Packing moves bits, never floats, so that even a NaN's payload comes
// back from stateDict(). Columns that no row fills are zeros: blocks of weights are cleared when they are allocated.

/** The form of a matrix: float32, or 8 bits in the order of one of the two kernels (assembly/product.ts). */
export type Form = typeof FLOAT32 | typeof I8 | typeof I8_RELAXED;

/** Bytes from one k of a panel to the next. */
export const PANEL_BYTES = 4 * PANEL;

/** How the rows of a matrix [dims[0]][the rest] lie in panels. */
export interface Panels {
  /** H, if the rows are the gates of H units, which two panels take eight units at a time. Default: rows keep their order. */
  readonly units?: number;
  /** FLOAT32, the default, or the form of 8-bit weights. */
  readonly form?: Form;
  /** Equal parts of the rows, each a matrix of its own: the groups of a convolution. Default 1. */
  readonly parts?: number;
}

/** A parameter and its place in linear memory. */
export interface Parameter extends ParameterSpec {
  readonly pointer: number;
  /** Default: no panels, the elements lie one after the other. */
  readonly panels?: Panels;
}

/** A matrix of 8-bit weights: a row's integers, -127 to 127, times its scale. */
export interface Int8Matrix {
  /** [rows][K] */
  readonly data: Int8Array;
  /** [rows] */
  readonly scale: Float32Array;
}

/** Values by parameter name. */
export type Values = ReadonlyMap<string, Float32Array | Int8Matrix>;

/** Tells whether any matrix has 8-bit weights; then the module quantizes the others too. */
export function holdsInt8(values: Values): boolean {
  return [...values.values()].some((value) => 'scale' in value);
}

/** Counts the panels of a matrix of `rows` rows. Gates of H units have 4 H rows; four units fill a panel. */
export function panelCount(rows: number): number {
  return Math.ceil(rows / PANEL);
}

/** Counts the bytes of the panels of a matrix [rows][K]. Scales and sums of rows follow 8-bit panels (assembly/int8.ts). */
export function panelBytes(rows: number, K: number, form: Form = FLOAT32): number {
  if (form === FLOAT32) return panelCount(rows) * K * PANEL_BYTES;
  return panelCount(rows) * (PANEL * int8Depth(K) + PANEL_BYTES * (1 + int8Blocks(K)));
}

/** Counts the bytes of scratch for a quantised row of K activations: quantized_bytes in assembly/int8.ts. */
export function quantizedBytes(K: number, form: Form): number {
  return form === FLOAT32 ? 0 : 2 * int8Depth(K) + 8;
}

function int8Depth(K: number): number {
  return Math.ceil(K / 8) * 8;
}

function int8Blocks(K: number): number {
  return Math.max(1, Math.ceil(K / INT8_DEPTH));
}

/** Copies `values` into a parameter's place. */
export function writeParameter(parameter: Parameter, values: Float32Array | Int8Matrix): void {
  if ('scale' in values) writeInt8(parameter, values);
  else if (!parameter.panels) writeFloats(parameter.pointer, values);
  else moveMatrix(true, parameter, new Int32Array(values.buffer, values.byteOffset, values.length));
}

/** Copies a parameter, with all bits that were written, or as the float32 that its 8-bit weights stand for. */
export function readParameter(parameter: Parameter): Float32Array {
  const { pointer, dims, panels } = parameter;
  const count = product(dims);
  if (!panels) return readFloats(pointer, count);
  if (panels.form) {
    const K = columnCount(dims);
    const { data, scale } = readInt8(parameter);
    return Float32Array.from(data, (value, i) => value * scale[Math.floor(i / K)]!);
  }
  const words = new Int32Array(count);
  moveMatrix(false, parameter, words);
  return new Float32Array(words.buffer);
}

/** Moves a float32 matrix into its panels, or out of them. */
function moveMatrix(into: boolean, parameter: Parameter, array: Int32Array): void {
  const { dims } = parameter;
  const K = columnCount(dims);
  const memory = integers();
  for (let row = 0, i = 0; row < dims[0]!; row++) {
    let at = rowPointer(parameter, row) / 4;
    for (const end = i + K; i < end; at += PANEL, i++) {
      if (into) memory[at] = array[i]!;
      else array[i] = memory[at]!;
    }
  }
}

/** Counts the columns of a matrix: the product of its dims after the first. */
export function columnCount(dims: readonly number[]): number {
  return product(dims.slice(1));
}

/** Gives the pointer of a row of a float32 matrix; its next column is PANEL_BYTES further on. */
export function rowPointer({ pointer, dims, panels }: Parameter, row: number): number {
  const { units = 0, parts = 1 } = panels ?? {};
  const K = columnCount(dims);
  const rows = dims[0]! / parts;
  const part = Math.floor(row / rows);
  return pointer + part * panelBytes(rows, K) + 4 * wasm().panel_index(row - part * rows, K, units);
}

/** Lists the runs of a float32 parameter in order: each row of a matrix in panels, or all elements as one run. */
export function* runsOf(parameter: Parameter): Generator<{ pointer: number; count: number; stride: number }> {
  const { pointer, dims, panels } = parameter;
  if (!panels) yield { pointer, count: product(dims), stride: 4 };
  else {
    for (let row = 0; row < dims[0]!; row++) {
      yield { pointer: rowPointer(parameter, row), count: columnCount(dims), stride: PANEL_BYTES };
    }
  }
}

/** Copies 8-bit weights into a parameter's place, with their scales and the sums of their rows. */
export function writeInt8(parameter: Parameter, { data, scale }: Int8Matrix): void {
  const { dims } = parameter;
  const { form, parts = 1 } = parameter.panels!;
  const K = columnCount(dims);
  const blockWords = panelCount(dims[0]! / parts) * PANEL;
  const memory = integers();
  const bytes = new Int8Array(memory.buffer);
  const scales = floats();
  const sums = new Int32Array(int8Blocks(K));
  walkInt8(parameter, (row, column, at) => {
    sums.fill(0);
    for (let k = 0; k < K; k++) {
      const value = data[row * K + k]!;
      bytes[at + int8Offset(k)] = value ^ int8Bias(k, form);
      sums[Math.floor(k / INT8_DEPTH)]! += value;
    }
    scales[column] = scale[row]!;
    for (const [block, sum] of sums.entries()) memory[column + (1 + block) * blockWords] = 8192 * sum;
  });
}

/** Copies 8-bit weights and their scales. */
export function readInt8(parameter: Parameter): Int8Matrix {
  const { dims, panels } = parameter;
  const K = columnCount(dims);
  const data = new Int8Array(product(dims));
  const scale = new Float32Array(dims[0]!);
  const scales = floats();
  const bytes = new Int8Array(scales.buffer);
  walkInt8(parameter, (row, column, at) => {
    for (let k = 0; k < K; k++) data[row * K + k] = bytes[at + int8Offset(k)]! ^ int8Bias(k, panels!.form);
    scale[row] = scales[column]!;
  });
  return { data, scale };
}

/** Counts the bytes from a row's first weight to its k-th: four lie side by side. */
function int8Offset(k: number): number {
  return Math.floor(k / 4) * 4 * PANEL + (k % 4);
}

/** Gives the bits to flip in the k-th weight of a row: in the plain form memory has 128 added to even ones. */
function int8Bias(k: number, form: Form | undefined): number {
  return form === I8 && k % 2 === 0 ? 0x80 : 0;
}

/** Visits each row of an 8-bit matrix: its number, the index of its scale as a float, and the address of its first weight. */
function walkInt8(
  { pointer, dims, panels }: Parameter,
  visit: (row: number, column: number, at: number) => void,
): void {
  const { units = 0, form, parts = 1 } = panels!;
  const rows = dims[0]! / parts;
  const K = columnCount(dims);
  const depth = int8Depth(K);
  for (let row = 0; row < dims[0]!; row++) {
    const part = Math.floor(row / rows);
    const start = pointer + part * panelBytes(rows, K, form);
    const scales = start + panelCount(rows) * PANEL * depth;
    const column = wasm().panel_index(row - part * rows, 1, units);
    const panel = Math.floor(column / PANEL);
    visit(row, scales / 4 + column, start + panel * PANEL * depth + (column % PANEL) * 4);
  }
}

/** Copies `values` to `pointer` bit for bit. */
export function writeFloats(pointer: number, values: Float32Array): void {
  integers().set(new Int32Array(values.buffer, values.byteOffset, values.length), pointer / 4);
}

/** Copies `count` floats at `pointer`, bit for bit. */
export function readFloats(pointer: number, count: number): Float32Array {
  return new Float32Array(integers().slice(pointer / 4, pointer / 4 + count).buffer);
}
