import { checkOptions, type StateDict, type TensorLike } from '../base/tensor.ts';
import { type ModuleOptions, type QuantizeOptions, VALUES } from '../nn/module.ts';
import { Recurrent } from '../nn/recurrent.ts';
import { readSizes } from '../nn/sizes.ts';
import { gruKernels } from './kernels.ts';
import { kindOf, type Nonlinearity } from './kinds.ts';
import type { HiddenState } from './state.ts';

/** PyTorch's keyword arguments of nn.RNNCell, in camelCase. */
export interface RNNCellOptions {
  /** The function that makes h of the sums: 'tanh', the default, or 'relu'. */
  readonly nonlinearity?: Nonlinearity | undefined;
  /** Whether bias_ih and bias_hh exist. Default true. */
  readonly bias?: boolean | undefined;
  /** Draws the initial weights: an integer from 0 to 2^53 - 1. Default: the number of modules made without a seed so far. */
  readonly seed?: number | undefined;
}

/**
 * torch.nn.RNNCell: one step of an RNN.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
 * @example
 * ```js
 * import { RNNCell } from 'lstm-wasm/gru';
 *
 * const cell = new RNNCell(10, 20, { seed: 1 });
 * let state = undefined; // zeros
 * for (let t = 0; t < 3; t++) {
 *   const { h1 } = cell.forward({ data: new Float32Array(10).fill(t), dims: [10] }, state);
 *   state = { h0: h1 };
 * }
 * console.log(state.h0.dims); // [ 20 ]
 * ```
 */
export class RNNCell extends Recurrent<HiddenState> {
  /** The function that makes h of the sums. */
  readonly nonlinearity: Nonlinearity;

  /**
   * Draws weights and biases uniformly in ±1/sqrt(hiddenSize), from `seed` by mulberry32: the same bits everywhere.
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the weights
   */
  constructor(inputSize: number, hiddenSize: number, options?: RNNCellOptions) {
    checkOptions('RNNCell', options, ['nonlinearity', 'bias', 'seed']);
    gruKernels();
    const nonlinearity = options?.nonlinearity ?? 'tanh';
    super(kindOf('RNNCell', nonlinearity), true, inputSize, hiddenSize, options);
    this.nonlinearity = nonlinearity;
  }

  /**
   * Makes the cell that a state dict describes under `prefix`. Strict, as loadStateDict.
   * @throws ModelError that lists everything that does not fit; TypeError that names a wrong argument
   */
  static fromStateDict(
    stateDict: StateDict,
    options?: { prefix?: string | undefined; nonlinearity?: Nonlinearity | undefined },
  ): RNNCell {
    checkOptions('RNNCell', options, ['prefix', 'nonlinearity']);
    const nonlinearity = options?.nonlinearity ?? 'tanh';
    const { sizes, values } = readSizes(kindOf('RNNCell', nonlinearity), stateDict, options?.prefix, true);
    const start: RNNCellOptions & ModuleOptions = { nonlinearity, bias: sizes.bias, [VALUES]: values };
    return new RNNCell(sizes.inputSize, sizes.hiddenSize, start);
  }

  /**
   * Computes one step.
   * @param input (B, I) or (I)
   * @param state h0 (B, H) or (H); zeros if left out
   * @returns h1, (B, H) or (H)
   * @throws TypeError or RangeError that names the argument; nothing is changed then
   */
  forward(input: TensorLike, state?: HiddenState | null): { h1: TensorLike } {
    return { h1: this.runSequence(input, state).hn };
  }

  /**
   * Copies this cell with 8-bit weights, as RNN.quantize does.
   * @throws ModelError if a weight is NaN or infinite; RangeError if memory cannot hold the weights
   */
  quantize(options?: QuantizeOptions): RNNCell {
    const start: RNNCellOptions & ModuleOptions = {
      nonlinearity: this.nonlinearity,
      bias: this.bias,
      [VALUES]: this.quantizedValues(options),
    };
    return new RNNCell(this.inputSize, this.hiddenSize, start);
  }
}
