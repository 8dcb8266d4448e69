export { ABI } from '../abi';
export { activate_f32 } from './activations';
export { binary_f32 } from './binary';
export { lstm_cell_f32 } from './cell';
export { exp_f32, log_f32, log_softmax_f32, pow_f32 } from './elementwise';
export { clip_f32, unary_f32 } from './unary';
export { copy_view } from './view';
