export { ModelError, type ModelErrorDetails } from './base/errors.ts';
export type { AnyTensor, AnyTypedArray, StateDict, TensorLike } from './base/tensor.ts';
export { bytesUsed } from './memory/arena.ts';
export { type InitializeOptions, initialize, type WasmModule } from './memory/wasm.ts';
export { Conv1d, type Conv1dOptions } from './nn/conv1d.ts';
export { Embedding, type EmbeddingOptions, type IndexTensor } from './nn/embedding.ts';
export { relu, sigmoid, softmax, tanh } from './nn/functional.ts';
export { LayerNorm, type LayerNormOptions } from './nn/layer-norm.ts';
export { Linear, type LinearOptions } from './nn/linear.ts';
export { LSTM, type LSTMOptions, type LSTMResult } from './nn/lstm.ts';
export { LSTMCell, type LSTMCellOptions } from './nn/lstm-cell.ts';
export type { Int8Tensor, QuantizeOptions } from './nn/module.ts';
export {
  type Lengths,
  type PackedOptions,
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  unpackSequence,
  unpadSequence,
} from './nn/packed.ts';
export type { PackedSequence } from './nn/packed-sequence.ts';
export type { ForwardOptions } from './nn/result.ts';
export type { LSTMState } from './nn/state.ts';
export type { LoadResult } from './nn/state-dict.ts';
export type { LSTMStream, RecurrentStream } from './nn/stream.ts';
export type { LSTMStreams, LSTMStreamsOptions, RecurrentStreams, RecurrentStreamsOptions } from './nn/streams.ts';
export type { DirectionTrace, LayerTrace, LSTMTrace } from './nn/trace.ts';
