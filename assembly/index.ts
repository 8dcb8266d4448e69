export { ABI } from './abi';
export { relu_f32, sigmoid_f32, softmax_f32, tanh_f32 } from './elementwise';
export { lstm_gates_f32 } from './gates';
export { gemv_f32 } from './gemv';
export { linear } from './linear';
export { multiply } from './multiply';
export { panel_index } from './panels';
export { dropout_f32, random_f32 } from './random';
export { copy_rows, gather_states, scatter_states } from './rows';
export { lstm_run } from './step';

/** The first byte of memory after the constants. */
export const HEAP_BASE: usize = __heap_base;
