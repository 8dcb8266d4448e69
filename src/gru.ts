export { ModelError, type ModelErrorDetails } from './base/errors.ts';
export type { AnyTensor, AnyTypedArray, StateDict, TensorLike } from './base/tensor.ts';
export { GRU, type GRUOptions } from './gru/gru.ts';
export { GRUCell, type GRUCellOptions } from './gru/gru-cell.ts';
export type { Nonlinearity } from './gru/kinds.ts';
export { RNN, type RNNOptions } from './gru/rnn.ts';
export { RNNCell, type RNNCellOptions } from './gru/rnn-cell.ts';
export type {
  GRUDirectionTrace,
  GRUTrace,
  HiddenResult,
  HiddenState,
  RNNDirectionTrace,
  RNNTrace,
} from './gru/state.ts';
export type { Int8Tensor, QuantizeOptions } from './nn/module.ts';
export type { PackedSequence } from './nn/packed-sequence.ts';
export type { LoadResult } from './nn/state-dict.ts';
export type { RecurrentStream } from './nn/stream.ts';
export type { RecurrentStreams, RecurrentStreamsOptions } from './nn/streams.ts';
export type { Directions } from './nn/trace.ts';
