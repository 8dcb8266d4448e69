export { ABI } from './abi';
export { relu_f32, sigmoid_f32, softmax_f32, tanh_f32 } from './elementwise';
export { lstm_gates_f32 } from './gates';
export { TILE_ROWS } from './gemm';
export { gemv_f32 } from './gemv';
export { INT8_DEPTH } from './int8';
export { lstm_run } from './layer';
export { linear } from './linear';
export { multiply } from './multiply';
export { PANEL, panel_index } from './panels';
export { FLOAT32, I8, I8_RELAXED } from './product';
export { dropout_f32, random_f32 } from './random';
export { copy_rows, gather_states, scatter_states } from './rows';

/** The first byte of memory that constants do not use. */
export const HEAP_BASE: usize = __heap_base;
