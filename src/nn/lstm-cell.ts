import { checkOptions, type StateDict, type TensorLike } from '../base/tensor.ts';
import { LSTM_CELL } from '../memory/cell-kind.ts';
import { type ModuleOptions, type QuantizeOptions, VALUES } from './module.ts';
import { Recurrent } from './recurrent.ts';
import { readSizes } from './sizes.ts';
import type { LSTMState } from './state.ts';

/** PyTorch's keyword arguments of nn.LSTMCell, in camelCase. */
export interface LSTMCellOptions {
  /** Whether bias_ih and bias_hh exist. Default true. */
  readonly bias?: boolean | undefined;
  /** Draws the initial weights: an integer from 0 to 2^53 - 1. Default: the number of modules made without a seed so far. */
  readonly seed?: number | undefined;
}

/**
 * torch.nn.LSTMCell: one step, `c1 = sigmoid(f) c0 + sigmoid(i) tanh(g)`, `h1 = sigmoid(o) tanh(c1)`, with the gates i, f,
 * g, o from `W_ih x + b_ih + W_hh h0 + b_hh`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html
 * @example
 * ```js
 * import { LSTMCell } from 'lstm-wasm';
 *
 * const cell = new LSTMCell(10, 20, { seed: 1 });
 * let state = undefined; // zeros
 * for (let t = 0; t < 3; t++) {
 *   const { h1, c1 } = cell.forward({ data: new Float32Array(10).fill(t), dims: [10] }, state);
 *   state = { h0: h1, c0: c1 };
 * }
 * console.log(state.h0.dims); // [ 20 ]
 * ```
 */
export class LSTMCell extends Recurrent<LSTMState> {
  /**
   * Draws weights and biases uniformly in ±1/sqrt(hiddenSize), from `seed` by mulberry32: the same bits everywhere.
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the weights
   */
  constructor(inputSize: number, hiddenSize: number, options?: LSTMCellOptions) {
    checkOptions('LSTMCell', options, ['bias', 'seed']);
    super(LSTM_CELL, true, inputSize, hiddenSize, options);
  }

  /**
   * Makes the cell that a state dict describes under `prefix`. Strict, as loadStateDict.
   * @throws ModelError that lists everything that does not fit; TypeError that names a wrong argument
   */
  static fromStateDict(stateDict: StateDict, options?: { prefix?: string | undefined }): LSTMCell {
    checkOptions('LSTMCell', options, ['prefix']);
    const { sizes, values } = readSizes(LSTM_CELL, stateDict, options?.prefix, true);
    const start: LSTMCellOptions & ModuleOptions = { bias: sizes.bias, [VALUES]: values };
    return new LSTMCell(sizes.inputSize, sizes.hiddenSize, start);
  }

  /**
   * Computes one step.
   * @param input (B, I) or (I)
   * @param state h0 and c0, both (B, H) or (H); zeros if left out
   * @returns h1 and c1, (B, H) or (H)
   * @throws TypeError or RangeError that names the argument; nothing is changed then
   */
  forward(input: TensorLike, state?: LSTMState | null): { h1: TensorLike; c1: TensorLike } {
    const { hn, cn } = this.runSequence(input, state);
    return { h1: hn, c1: cn! };
  }

  /**
   * Copies this cell with 8-bit weights, as LSTM.quantize does.
   * @throws ModelError if a weight is NaN or infinite; RangeError if memory cannot hold the weights
   */
  quantize(options?: QuantizeOptions): LSTMCell {
    const start: LSTMCellOptions & ModuleOptions = { bias: this.bias, [VALUES]: this.quantizedValues(options) };
    return new LSTMCell(this.inputSize, this.hiddenSize, start);
  }
}
