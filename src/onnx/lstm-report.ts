import type { TensorLike } from '../base/tensor.ts';

/** Describes an LSTM node of a model, in OnnxSession.lstms. */
export interface LSTMReport {
  /** The node's name; if it has none, that of its first output. */
  readonly name: string;
  /**
   * The node's weights as an nn.LSTM has them, for LSTM.fromStateDict: weight_ih_l0 [4H, I], weight_hh_l0 [4H, H], the biases
   * [4H], and the same with `_reverse` if it is bidirectional. undefined if no nn.LSTM computes the same. Read it before the
   * session is disposed of.
   */
  readonly stateDict: ReadonlyMap<string, TensorLike> | undefined;
  /** Tells why there is no state dict; undefined if there is one. */
  readonly why: string | undefined;
}
