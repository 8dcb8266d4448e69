import { checkOptions, type StateDict, type TensorLike } from '../base/tensor.ts';
import { LSTM_CELL } from '../memory/cell-kind.ts';
import type { QuantizeOptions } from './module.ts';
import type { PackedSequence } from './packed-sequence.ts';
import { optionsOf, Recurrent } from './recurrent.ts';
import { readSizes } from './sizes.ts';
import type { LSTMState } from './state.ts';
import { type LSTMTrace, TracedSequence } from './trace.ts';

/** PyTorch's keyword arguments of nn.LSTM, in camelCase. */
export interface LSTMOptions {
  /** L, layers on top of each other, at most 10,000. Default 1. */
  readonly numLayers?: number | undefined;
  /** Whether bias_ih and bias_hh exist. Default true. */
  readonly bias?: boolean | undefined;
  /** Whether input and output are (B, T, ...) in place of (T, B, ...); states keep their layout. Default false. */
  readonly batchFirst?: boolean | undefined;
  /** Probability in [0, 1] that an output of a layer is zeroed, the last layer excepted; in training mode only. Default 0. */
  readonly dropout?: number | undefined;
  /** Whether a second direction runs from the end of the sequence, its output beside the first's. Default false. */
  readonly bidirectional?: boolean | undefined;
  /** P, below hiddenSize: h is projected to this size. Default 0: no projection. */
  readonly projSize?: number | undefined;
  /**
   * Draws the initial weights and dropout: an integer from 0 to 2^53 - 1. Default: the number of modules made without a seed so
   * far.
   */
  readonly seed?: number | undefined;
}

/** Results of LSTM.forward(). Letters: T steps, B batch, L layers, D directions, H hiddenSize, Ho projSize or else H. */
export interface LSTMResult<Output = TensorLike> {
  /**
   * h of the last layer at each step: (T, B, D·Ho), with batchFirst (B, T, D·Ho), unbatched (T, D·Ho), or packed as the input.
   */
  readonly output: Output;
  /** h after the last step: (L·D, B, Ho), unbatched (L·D, Ho). */
  readonly hn: TensorLike;
  /** c after the last step: (L·D, B, H), unbatched (L·D, H). */
  readonly cn: TensorLike;
}

/**
 * torch.nn.LSTM: `c = sigmoid(f) c + sigmoid(i) tanh(g)`, `h = sigmoid(o) tanh(c)`, with the gates i, f, g, o from
 * `W_ih x + b_ih + W_hh h + b_hh`. Letters: T steps, B batch, I inputSize, H hiddenSize, P projSize, Ho = P or else H,
 * L layers, D directions. A sequence has the same bits alone, in any batch, split over calls, and in a stream.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 * @example
 * ```js
 * import { LSTM } from 'lstm-wasm';
 *
 * const lstm = new LSTM(10, 20, { numLayers: 2, seed: 1 });
 * const input = { data: new Float32Array(5 * 3 * 10).fill(0.1), dims: [5, 3, 10] }; // 5 steps of a batch of 3
 * const { output, hn, cn } = lstm.forward(input);
 * console.log(output.dims, hn.dims, cn.dims); // [ 5, 3, 20 ] [ 2, 3, 20 ] [ 2, 3, 20 ]
 * const next = lstm.forward(input, { h0: hn, c0: cn }); // goes on from there
 * console.log(next.output.dims); // [ 5, 3, 20 ]
 * ```
 */
export class LSTM extends Recurrent<LSTMState> {
  /** L, layers on top of each other. */
  readonly numLayers: number;
  /** Whether input and output are (B, T, ...). */
  declare readonly batchFirst: boolean;
  /** Probability that an output of a layer is zeroed in training mode, the last layer excepted. */
  declare readonly dropout: number;
  /** Whether a second direction runs from the end of the sequence. */
  readonly bidirectional: boolean;
  /** P, the size that h is projected to; 0 without a projection. */
  readonly projSize: number;

  /**
   * Draws weights and biases uniformly in ±1/sqrt(hiddenSize), from `seed` by mulberry32: the same bits everywhere.
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the weights
   */
  constructor(inputSize: number, hiddenSize: number, options?: LSTMOptions) {
    checkOptions('LSTM', options, ['numLayers', 'bias', 'batchFirst', 'dropout', 'bidirectional', 'projSize', 'seed']);
    super(LSTM_CELL, false, inputSize, hiddenSize, options);
    const { numLayers, bidirectional, projSize } = this.sizes;
    this.numLayers = numLayers;
    this.bidirectional = bidirectional;
    this.projSize = projSize;
  }

  /**
   * Makes the LSTM that a state dict describes: reads sizes, layers, directions, bias and projection from keys and shapes under
   * `prefix` (such as `encoder.lstm.`). Strict, as loadStateDict. With 8-bit weights, as quantizedStateDict() gives them, the
   * result is quantized.
   * @throws ModelError that lists everything that does not fit; TypeError that names a wrong argument
   */
  static fromStateDict(
    stateDict: StateDict,
    options?: { prefix?: string | undefined; batchFirst?: boolean | undefined; dropout?: number | undefined },
  ): LSTM {
    checkOptions('LSTM', options, ['prefix', 'batchFirst', 'dropout']);
    const { sizes, values } = readSizes(LSTM_CELL, stateDict, options?.prefix, false);
    const start = optionsOf(sizes, options?.batchFirst, options?.dropout, values);
    return new LSTM(sizes.inputSize, sizes.hiddenSize, start);
  }

  /**
   * Runs a whole sequence.
   * @param input (T, B, I), with batchFirst (B, T, I), unbatched (T, I), or a PackedSequence; T at least 1
   * @param state h0 (L·D, B, Ho) and c0 (L·D, B, H), unbatched without B; zeros if left out
   * @param options `out`: tensors of the result's dims, such as an earlier result, to write to and return; the call then makes no
   *   garbage. hn and cn may be h0 and c0.
   * @returns output, and the states after the last step
   * @throws TypeError or RangeError that names the argument; nothing is changed then
   */
  forward(input: TensorLike, state?: LSTMState | null, options?: { out?: LSTMResult | undefined }): LSTMResult;
  forward(
    input: PackedSequence,
    state?: LSTMState | null,
    options?: { out?: LSTMResult<PackedSequence> | undefined },
  ): LSTMResult<PackedSequence>;
  forward(
    input: TensorLike | PackedSequence,
    state?: LSTMState | null,
    options?: { out?: LSTMResult<TensorLike | PackedSequence> | undefined },
  ): LSTMResult<TensorLike | PackedSequence> {
    return this.runSequence(input, state, options) as LSTMResult<TensorLike | PackedSequence>;
  }

  /**
   * Runs a whole sequence and shows what each layer does: its gates and states at each step, which nn.LSTM does not give. Results
   * and states have the bits that forward() gives in eval mode: dropout is not applied. Slower than forward(), and it takes six
   * numbers of memory for each unit and step.
   * @param input (T, B, I), with batchFirst (B, T, I), unbatched (T, I), or a PackedSequence; T at least 1
   * @param state h0 (L·D, B, Ho) and c0 (L·D, B, H), unbatched without B; zeros if left out
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the trace
   * @example
   * ```js
   * import { LSTM } from 'lstm-wasm';
   *
   * const lstm = new LSTM(3, 4, { seed: 1 });
   * const { layers, cn } = lstm.trace({ data: new Float32Array(2 * 3).fill(1), dims: [2, 3] }); // 2 steps
   * const { f, c } = layers[0].forward;
   * console.log(f.dims, f.data.every((x) => x > 0 && x < 1)); // [ 2, 4 ] true
   * console.log(c.data.at(-1) === cn.data.at(-1)); // true
   * ```
   */
  trace(input: TensorLike, state?: LSTMState | null): LSTMTrace;
  trace(input: PackedSequence, state?: LSTMState | null): LSTMTrace<PackedSequence>;
  trace(input: TensorLike | PackedSequence, state?: LSTMState | null): LSTMTrace<TensorLike | PackedSequence> {
    return this.traceSequence(new TracedSequence(), input, state) as LSTMTrace<TensorLike | PackedSequence>;
  }

  /**
   * Copies this LSTM with 8-bit weights: a quarter of the memory, faster where weights or multiplications limit, and less exact.
   * Each row of a matrix has one scale; activations are quantised to 14 bits at each step; gates and states stay float32. All
   * other methods work as before; stateDict() gives the float32 that the 8-bit weights stand for. A step with NaN or infinity is
   * computed in float32.
   * @throws ModelError if a weight is NaN or infinite; RangeError if memory cannot hold the weights
   */
  quantize(options?: QuantizeOptions): LSTM {
    const start = optionsOf(this.sizes, this.batchFirst, this.dropout, this.quantizedValues(options));
    return new LSTM(this.inputSize, this.hiddenSize, start);
  }
}
