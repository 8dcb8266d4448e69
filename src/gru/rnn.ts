import { checkOptions, type StateDict, type TensorLike } from '../base/tensor.ts';
import type { QuantizeOptions } from '../nn/module.ts';
import type { PackedSequence } from '../nn/packed-sequence.ts';
import { readSizes } from '../nn/sizes.ts';
import { TracedSequence } from '../nn/trace.ts';
import { kindOf, type Nonlinearity } from './kinds.ts';
import { HiddenLayers, startOf } from './layers.ts';
import type { HiddenResult, HiddenState, Input, RNNTrace } from './state.ts';

/** PyTorch's keyword arguments of nn.RNN, in camelCase. */
export interface RNNOptions {
  /** The function that makes h of the sums: 'tanh', the default, or 'relu'. */
  readonly nonlinearity?: Nonlinearity | undefined;
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
  /**
   * Draws the initial weights and dropout: an integer from 0 to 2^53 - 1. Default: the number of modules made without a seed so
   * far.
   */
  readonly seed?: number | undefined;
}

/**
 * torch.nn.RNN: `h = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or its relu. Letters: T steps, B batch, I inputSize, H hiddenSize,
 * L layers, D directions. A sequence has the same bits alone, in any batch, split over calls, and in a stream.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.RNN.html
 * @example
 * ```js
 * import { RNN } from 'lstm-wasm/gru';
 *
 * const rnn = new RNN(10, 20, { nonlinearity: 'relu', seed: 1 });
 * const { output, hn } = rnn.forward({ data: new Float32Array(5 * 3 * 10).fill(0.1), dims: [5, 3, 10] });
 * console.log(output.dims, hn.dims); // [ 5, 3, 20 ] [ 1, 3, 20 ]
 * ```
 */
export class RNN extends HiddenLayers {
  /** The function that makes h of the sums. */
  readonly nonlinearity: Nonlinearity;

  /**
   * Draws weights and biases uniformly in ±1/sqrt(hiddenSize), from `seed` by mulberry32: the same bits everywhere.
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the weights
   */
  constructor(inputSize: number, hiddenSize: number, options?: RNNOptions) {
    checkOptions('RNN', options, [
      'nonlinearity',
      'numLayers',
      'bias',
      'batchFirst',
      'dropout',
      'bidirectional',
      'seed',
    ]);
    const nonlinearity = options?.nonlinearity ?? 'tanh';
    super(kindOf('RNN', nonlinearity), inputSize, hiddenSize, options);
    this.nonlinearity = nonlinearity;
  }

  /**
   * Makes the RNN that a state dict describes: reads sizes, layers, directions and bias from keys and shapes under `prefix` (such as
   * `encoder.rnn.`). The nonlinearity is not among them. Strict, as loadStateDict. With 8-bit weights, as quantizedStateDict() gives them, the result is quantized.
   * @throws ModelError that lists everything that does not fit; TypeError that names a wrong argument
   */
  static fromStateDict(
    stateDict: StateDict,
    options?: {
      prefix?: string | undefined;
      nonlinearity?: Nonlinearity | undefined;
      batchFirst?: boolean | undefined;
      dropout?: number | undefined;
    },
  ): RNN {
    checkOptions('RNN', options, ['prefix', 'nonlinearity', 'batchFirst', 'dropout']);
    const nonlinearity = options?.nonlinearity ?? 'tanh';
    const { sizes, values } = readSizes(kindOf('RNN', nonlinearity), stateDict, options?.prefix, false);
    const start = startOf(sizes, options?.batchFirst, options?.dropout, values);
    return new RNN(sizes.inputSize, sizes.hiddenSize, { ...start, nonlinearity });
  }

  /**
   * Runs a whole sequence.
   * @param input (T, B, I), with batchFirst (B, T, I), unbatched (T, I), or a PackedSequence; T at least 1
   * @param state h0 (L·D, B, H), unbatched without B; zeros if left out
   * @param options `out`: tensors of the result's dims, such as an earlier result, to write to and return; the call then makes no
   *   garbage. hn may be h0.
   * @returns output, and the state after the last step
   * @throws TypeError or RangeError that names the argument; nothing is changed then
   */
  forward(input: TensorLike, state?: HiddenState | null, options?: { out?: HiddenResult | undefined }): HiddenResult;
  forward(
    input: PackedSequence,
    state?: HiddenState | null,
    options?: { out?: HiddenResult<PackedSequence> | undefined },
  ): HiddenResult<PackedSequence>;
  forward(
    input: Input,
    state?: HiddenState | null,
    options?: { out?: HiddenResult<Input> | undefined },
  ): HiddenResult<Input> {
    return this.runSequence(input, state, options);
  }

  /**
   * Runs a whole sequence and shows what each layer does: its h at each step. Results and states have the bits that
   * forward() gives in eval mode: dropout is not applied. Slower than forward().
   * @param input (T, B, I), with batchFirst (B, T, I), unbatched (T, I), or a PackedSequence; T at least 1
   * @param state h0 (L·D, B, H), unbatched without B; zeros if left out
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the trace
   */
  trace(input: TensorLike, state?: HiddenState | null): RNNTrace;
  trace(input: PackedSequence, state?: HiddenState | null): RNNTrace<PackedSequence>;
  trace(input: Input, state?: HiddenState | null): RNNTrace<Input> {
    return this.traceSequence(new TracedSequence(), input, state) as RNNTrace<Input>;
  }

  /**
   * Copies this RNN with 8-bit weights, as LSTM.quantize does: a quarter of the memory, faster where weights or multiplications
   * limit, and less exact.
   * @throws ModelError if a weight is NaN or infinite; RangeError if memory cannot hold the weights
   */
  quantize(options?: QuantizeOptions): RNN {
    const start = startOf(this.sizes, this.batchFirst, this.dropout, this.quantizedValues(options));
    return new RNN(this.inputSize, this.hiddenSize, { ...start, nonlinearity: this.nonlinearity });
  }
}
