import { checkOptions, type StateDict, type TensorLike } from '../base/tensor.ts';
import type { QuantizeOptions } from '../nn/module.ts';
import type { PackedSequence } from '../nn/packed-sequence.ts';
import { readSizes } from '../nn/sizes.ts';
import { GRU_CELL } from './kinds.ts';
import { HiddenLayers, startOf } from './layers.ts';
import type { GRUTrace, HiddenResult, HiddenState, Input } from './state.ts';
import { GRUSequence } from './trace.ts';

/** PyTorch's keyword arguments of nn.GRU, in camelCase. */
export interface GRUOptions {
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
 * torch.nn.GRU: `r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)`, z likewise, `n = tanh(W_in x + b_in + r (W_hn h + b_hn))`,
 * `h = (1 - z) n + z h`. Letters: T steps, B batch, I inputSize, H hiddenSize, L layers, D directions. A sequence has the same bits
 * alone, in any batch, split over calls, and in a stream.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GRU.html
 * @example
 * ```js
 * import { GRU } from 'lstm-wasm/gru';
 *
 * const gru = new GRU(10, 20, { numLayers: 2, seed: 1 });
 * const input = { data: new Float32Array(5 * 3 * 10).fill(0.1), dims: [5, 3, 10] }; // 5 steps of a batch of 3
 * const { output, hn } = gru.forward(input);
 * console.log(output.dims, hn.dims); // [ 5, 3, 20 ] [ 2, 3, 20 ]
 * const next = gru.forward(input, { h0: hn }); // goes on from there
 * console.log(next.output.dims); // [ 5, 3, 20 ]
 * ```
 */
export class GRU extends HiddenLayers {
  /**
   * Draws weights and biases uniformly in ±1/sqrt(hiddenSize), from `seed` by mulberry32: the same bits everywhere.
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the weights
   */
  constructor(inputSize: number, hiddenSize: number, options?: GRUOptions) {
    checkOptions('GRU', options, ['numLayers', 'bias', 'batchFirst', 'dropout', 'bidirectional', 'seed']);
    super(GRU_CELL, inputSize, hiddenSize, options);
  }

  /**
   * Makes the GRU that a state dict describes: reads sizes, layers, directions and bias from keys and shapes under `prefix` (such as
   * `encoder.gru.`). Strict, as loadStateDict. With 8-bit weights, as quantizedStateDict() gives them, the result is quantized.
   * @throws ModelError that lists everything that does not fit; TypeError that names a wrong argument
   */
  static fromStateDict(
    stateDict: StateDict,
    options?: { prefix?: string | undefined; batchFirst?: boolean | undefined; dropout?: number | undefined },
  ): GRU {
    checkOptions('GRU', options, ['prefix', 'batchFirst', 'dropout']);
    const { sizes, values } = readSizes(GRU_CELL, stateDict, options?.prefix, false);
    return new GRU(sizes.inputSize, sizes.hiddenSize, startOf(sizes, options?.batchFirst, options?.dropout, values));
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
   * Runs a whole sequence and shows what each layer does: its gates and h at each step. Results and states have the bits that
   * forward() gives in eval mode: dropout is not applied. Slower than forward(), and it takes seven numbers of memory for each unit
   * and step.
   * @param input (T, B, I), with batchFirst (B, T, I), unbatched (T, I), or a PackedSequence; T at least 1
   * @param state h0 (L·D, B, H), unbatched without B; zeros if left out
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the trace
   * @example
   * ```js
   * import { GRU } from 'lstm-wasm/gru';
   *
   * const gru = new GRU(3, 4, { seed: 1 });
   * const { layers, hn } = gru.trace({ data: new Float32Array(2 * 3).fill(1), dims: [2, 3] }); // 2 steps
   * const { z, h } = layers[0].forward;
   * console.log(z.dims, z.data.every((x) => x > 0 && x < 1)); // [ 2, 4 ] true
   * console.log(h.data.at(-1) === hn.data.at(-1)); // true
   * ```
   */
  trace(input: TensorLike, state?: HiddenState | null): GRUTrace;
  trace(input: PackedSequence, state?: HiddenState | null): GRUTrace<PackedSequence>;
  trace(input: Input, state?: HiddenState | null): GRUTrace<Input> {
    return this.traceSequence(new GRUSequence(), input, state) as GRUTrace<Input>;
  }

  /**
   * Copies this GRU with 8-bit weights, as LSTM.quantize does: a quarter of the memory, faster where weights or multiplications
   * limit, and less exact.
   * @throws ModelError if a weight is NaN or infinite; RangeError if memory cannot hold the weights
   */
  quantize(options?: QuantizeOptions): GRU {
    const values = this.quantizedValues(options);
    return new GRU(this.inputSize, this.hiddenSize, startOf(this.sizes, this.batchFirst, this.dropout, values));
  }
}
