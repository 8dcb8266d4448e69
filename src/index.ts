export { bytesUsed } from './arena.ts';
export { Conv1d, type Conv1dOptions } from './conv1d.ts';
export { Embedding, type EmbeddingOptions, type IndexTensor } from './embedding.ts';
export { ModelError } from './errors.ts';
export { relu, sigmoid, softmax, tanh } from './functional.ts';
export { LayerNorm, type LayerNormOptions } from './layer-norm.ts';
export { Linear, type LinearOptions } from './linear.ts';
export { LSTM, type LSTMOptions, type LSTMResult } from './lstm.ts';
export { LSTMCell, type LSTMCellOptions } from './lstm-cell.ts';
export type { QuantizeOptions } from './module.ts';
export {
  type PackedSequence,
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  unpackSequence,
  unpadSequence,
} from './packed.ts';
export type { LSTMState } from './state.ts';
export type { LoadResult } from './state-dict.ts';
export type { LSTMStream } from './stream.ts';
export type { LSTMStreams, LSTMStreamsOptions } from './streams.ts';
export type { AnyTensor, StateDict, TensorLike } from './tensor.ts';
export { initialize } from './wasm.ts';
