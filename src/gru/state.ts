import type { TensorLike } from '../base/tensor.ts';
import type { PackedSequence } from '../nn/packed-sequence.ts';
import type { Directions } from '../nn/trace.ts';

/** The state of a GRU or RNN before the first step. Letters: L layers, D directions, B batch, H hiddenSize. */
export interface HiddenState {
  /** h: (L·D, B, H), unbatched (L·D, H); for a cell (B, H) or (H); for a stream (L, H), of a cell (H). */
  readonly h0: TensorLike;
}

/** Results of forward() of GRU and RNN. Letters: T steps, B batch, L layers, D directions, H hiddenSize. */
export interface HiddenResult<Output = TensorLike> {
  /** h of the last layer at each step: (T, B, D·H), with batchFirst (B, T, D·H), unbatched (T, D·H), or packed as the input. */
  readonly output: Output;
  /** h after the last step: (L·D, B, H), unbatched (L·D, H). */
  readonly hn: TensorLike;
}

/**
 * Values of one layer in one direction at each step: (T, B, H), with batchFirst (B, T, H), unbatched (T, H), or packed as the
 * input. The step t of a reverse direction comes after steps T - 1 to t + 1.
 */
export interface RNNDirectionTrace<T = TensorLike> {
  /** The output of the step. */
  readonly h: T;
}

/** Gates and state of one layer in one direction at each step, as the formulas of nn.GRU name them; shapes as RNNDirectionTrace. */
export interface GRUDirectionTrace<T = TensorLike> extends RNNDirectionTrace<T> {
  /** The reset gate, after its sigmoid: how much of W_hn h + b_hn enters n. */
  readonly r: T;
  /** The update gate, after its sigmoid: how much of the last h stays. */
  readonly z: T;
  /** The new gate, after its tanh: what h moves to. */
  readonly n: T;
}

/** Results of trace(): those of forward(), and what each layer did. */
export interface RNNTrace<T = TensorLike, Direction = RNNDirectionTrace<T>> extends HiddenResult<T> {
  /** A trace for each layer, the first layer's first. */
  readonly layers: readonly Directions<Direction>[];
}

/** Results of GRU.trace(). */
export type GRUTrace<T = TensorLike> = RNNTrace<T, GRUDirectionTrace<T>>;

/** A sequence, padded or packed. */
export type Input = TensorLike | PackedSequence;
