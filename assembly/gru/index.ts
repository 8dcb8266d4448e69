export { ABI } from '../abi';
export { gru_gates_f32, rnn_gate_f32 } from './gates';
export { cells_run } from './step';
