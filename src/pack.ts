import { integers } from './arena.ts';
import type { ParameterSpec } from './parameters.ts';
import { product } from './tensor.ts';
import { wasm } from './wasm.ts';

// Weights lie in panels of 16 columns: [panel][k][column], 64 bytes for each k; assembly/panels.ts says which row is where.
// The same panels serve one row and many. Packing moves bits, never floats, so that even a NaN's payload comes back from
// stateDict(). What no row fills is zero from the start: blocks of weights are cleared when they are allocated.

const PANEL = 16;
/** Of one panel, from one k to the next */
export const PANEL_BYTES = 4 * PANEL;

/**
 * A parameter and where it lies: a matrix in panels if there are `gates`, H where its rows are the gates of H units and 0
 * where they keep their order; else its elements one after the other.
 */
export interface Parameter extends ParameterSpec {
  readonly pointer: number;
  readonly gates?: number;
}

/** Panels for a matrix of `rows` rows. Gates of H units: 4 H rows, which four units a panel fill as well. */
export function panelCount(rows: number): number {
  return Math.ceil(rows / PANEL);
}

/** Bytes of the panels of a matrix [rows][K]. */
export function panelBytes(rows: number, K: number): number {
  return panelCount(rows) * K * PANEL_BYTES;
}

/** Copies `values` into a parameter's place. */
export function writeParameter({ pointer, dims, gates }: Parameter, values: Float32Array): void {
  if (gates === undefined) {
    writeFloats(pointer, values);
    return;
  }
  const [rows, K] = dims as [number, number];
  const from = new Int32Array(values.buffer, values.byteOffset, values.length);
  const to = integers();
  for (let row = 0, i = 0; row < rows; row++) {
    let at = pointer / 4 + wasm().panel_index(row, K, gates);
    for (const end = i + K; i < end; at += PANEL) to[at] = from[i++]!;
  }
}

/** A copy of a parameter, bit for bit what was written. */
export function readParameter({ pointer, dims, gates }: Parameter): Float32Array {
  const count = product(dims);
  if (gates === undefined) return readFloats(pointer, count);
  const [rows, K] = dims as [number, number];
  const to = new Int32Array(count);
  const from = integers();
  for (let row = 0, i = 0; row < rows; row++) {
    let at = pointer / 4 + wasm().panel_index(row, K, gates);
    for (const end = i + K; i < end; at += PANEL) to[i++] = from[at]!;
  }
  return new Float32Array(to.buffer);
}

/** Copies `values` to `pointer` bit for bit. */
export function writeFloats(pointer: number, values: Float32Array): void {
  integers().set(new Int32Array(values.buffer, values.byteOffset, values.length), pointer / 4);
}

/** A copy of `count` floats at `pointer`, bit for bit. */
export function readFloats(pointer: number, count: number): Float32Array {
  return new Float32Array(integers().slice(pointer / 4, pointer / 4 + count).buffer);
}
