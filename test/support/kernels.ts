import { PANEL } from '../../src/memory/abi.ts';
import { allocate } from '../../src/memory/arena.ts';
import { PRODUCT_BYTES, Product, RUN_BYTES, Run } from '../../src/memory/structs.ts';
import { wasm } from '../../src/memory/wasm.ts';

export { PANEL, TILE_ROWS } from '../../src/memory/abi.ts';

/** The exports of the main module and the sizes its kernels work in. */
export const kernels = wasm();
/** Hidden units of a panel, floats of a vector */
export const LANES = PANEL / 4;

/** The row of a matrix [4 H][K] of gates in a column of its panels: eight units to two panels, the last H % 8 four to a panel. */
export function gateRow(column: number, H: number): number | undefined {
  const inEights = column < 4 * (H - (H % 8));
  const units = inEights ? 8 : LANES;
  const unit = Math.floor(column / (4 * units)) * units + (column % units);
  return unit < H ? (Math.floor(column / units) % 4) * H + unit : undefined;
}

const structs = allocate(PRODUCT_BYTES + RUN_BYTES);

/** A struct with these fields, the others 0, for the next call of a product; assembly/product.ts says what they are. */
export function product(fields: Partial<Product>): number {
  return Object.assign(new Product(), fields).write(structs);
}

/** A struct for the next call of lstm_run; assembly/model.ts says what the fields are. */
export function runOf(fields: Omit<Run, 'write'>): number {
  return Object.assign(new Run(), fields).write(structs + PRODUCT_BYTES);
}
