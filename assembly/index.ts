export { relu_f32, sigmoid_f32, softmax_f32, tanh_f32 } from './elementwise';
export { lstm_gates_f32 } from './gates';
export { gemm_f32 } from './gemm';
export { gemv_f32 } from './gemv';
export { gemm_i8 } from './int8';
export { copy_rows, linear, lstm_run, move_states } from './layer';
export { panel_index } from './panels';
export { dropout_f32, random_f32 } from './random';

/** Columns of a panel, rows of a tile, the first byte of memory that constants do not use. */
export const PANEL: i32 = 16;
export const TILE_ROWS: i32 = 4;
export const HEAP_BASE: usize = __heap_base;
/** Changes whenever a signature or a layout does that src/ relies on. */
export const ABI: i32 = 1;
