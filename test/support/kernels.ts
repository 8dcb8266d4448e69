import { PANEL } from '../../src/memory/abi.ts';
import { allocate } from '../../src/memory/arena.ts';
import { PRODUCT_BYTES, Product, RUN_BYTES, Run } from '../../src/memory/structs.ts';
import { wasm } from '../../src/memory/wasm.ts';

export { PANEL, TILE_ROWS } from '../../src/memory/abi.ts';

/** The exports of the main module and the sizes its kernels work in. */
export const kernels = wasm();
/** Hidden units of a panel, floats of a vector */
export const LANES = PANEL / 4;

const structs = allocate(PRODUCT_BYTES + RUN_BYTES);

/** A struct with these fields, the others 0, for the next call of a product; assembly/product.ts says what they are. */
export function product(fields: Partial<Product>): number {
  return Object.assign(new Product(), fields).write(structs);
}

/** A struct for the next call of lstm_run; assembly/model.ts says what the fields are. */
export function runOf(fields: Omit<Run, 'write'>): number {
  return Object.assign(new Run(), fields).write(structs + PRODUCT_BYTES);
}
