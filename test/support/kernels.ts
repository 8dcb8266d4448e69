import { wasm } from '../../src/memory/wasm.ts';

/** The exports of the main module and the sizes its kernels work in. */
export const kernels = wasm();
export const PANEL = kernels.PANEL.value;
export const TILE_ROWS = kernels.TILE_ROWS.value;
/** Hidden units of a panel, floats of a vector */
export const LANES = PANEL / 4;
