import {
  checkBoolean,
  checkInteger,
  checkOptions,
  endReading,
  readTensor,
  type StateDict,
  type TensorLike,
  wrongValue,
} from '../base/tensor.ts';
import { endScratch } from '../memory/arena.ts';
import { overwrites, placeOf } from '../memory/rows.ts';
import { readChannels, type Windows, writeWindows } from '../memory/windows.ts';
import { Affine } from './affine.ts';
import { type ModuleOptions, type QuantizeOptions, VALUES } from './module.ts';
import { checkAttached, type ForwardOptions, resultFor } from './result.ts';
import { readLayer } from './state-dict.ts';

/** PyTorch's keyword arguments of nn.Conv1d, in camelCase. */
export interface Conv1dOptions {
  /** Steps of the input from one output to the next. Default 1. */
  readonly stride?: number | undefined;
  /** Zeros added on each side. 'same' keeps the length, 'valid' adds none. Default 0. */
  readonly padding?: number | 'same' | 'valid' | undefined;
  /** Steps of the input from one weight of the kernel to the next. Default 1. */
  readonly dilation?: number | undefined;
  /** Groups that the channels are split into; an output sees the inputs of its own group only. Default 1. */
  readonly groups?: number | undefined;
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean | undefined;
  /** Draws the initial weights: an integer from 0 to 2^53 - 1. Default: the number of modules made without a seed so far. */
  readonly seed?: number | undefined;
}

/**
 * torch.nn.Conv1d with zero padding: a cross-correlation along the last dimension, with `weight`
 * (outChannels, inChannels / groups, kernelSize) and `bias` (outChannels).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
 * @example
 * ```js
 * import { Conv1d } from 'lstm-wasm';
 *
 * const conv = new Conv1d(1, 1, 2, { bias: false });
 * conv.loadStateDict({ weight: { data: Float32Array.of(1, -1), dims: [1, 1, 2] } });
 * const signal = { data: Float32Array.of(5, 3, 4, 8), dims: [1, 4] }; // 1 channel of 4 steps
 * console.log(conv.forward(signal)); // { data: Float32Array(3) [ 2, -1, -4 ], dims: [ 1, 3 ] }
 * ```
 */
export class Conv1d extends Affine {
  /** Channels of the input. */
  readonly inChannels: number;
  /** Channels of the result. */
  readonly outChannels: number;
  /** Weights of a kernel in each channel. */
  readonly kernelSize: number;
  /** Steps of the input from one output to the next. */
  readonly stride: number;
  /** Zeros added on each side; 'same' keeps the length, 'valid' adds none. */
  readonly padding: number | 'same' | 'valid';
  /** Steps of the input from one weight of the kernel to the next. */
  readonly dilation: number;
  /** Groups that the channels are split into. */
  readonly groups: number;
  /** Whether a bias is added. */
  readonly bias: boolean;
  /** Kept and refilled by each call, which so makes no garbage. */
  private readonly _windows: { -readonly [Key in keyof Windows]: number };

  /**
   * Draws weights and biases uniformly in ±1/sqrt(inChannels / groups * kernelSize), from `seed` by mulberry32: the same bits
   * everywhere.
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the weights
   */
  constructor(inChannels: number, outChannels: number, kernelSize: number, options?: Conv1dOptions) {
    checkOptions('Conv1d', options, ['stride', 'padding', 'dilation', 'groups', 'bias', 'seed']);
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options ?? {};
    const counts = { inChannels, outChannels, kernelSize, stride, dilation, groups };
    for (const [what, count] of Object.entries(counts)) checkInteger('Conv1d', what, count, 1);
    if (inChannels % groups || outChannels % groups) {
      throw wrongValue('Conv1d', 'groups', `a divisor of ${inChannels} and ${outChannels} channels`, groups);
    }
    if (padding !== 'valid' && padding !== 'same') checkInteger('Conv1d', 'padding', padding, 0);
    if (padding === 'same' && stride !== 1) throw wrongValue('Conv1d', 'stride', '1 with padding "same"', stride);
    checkBoolean('Conv1d', 'bias', bias);
    super('Conv1d', options, [outChannels, inChannels / groups, kernelSize], groups, bias);
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.padding = padding;
    this.dilation = dilation;
    this.groups = groups;
    this.bias = bias;
    this._windows = { length: 0, size: kernelSize, stride, dilation, left: 0 };
  }

  /**
   * Makes the Conv1d that a state dict describes under `prefix`: reads channels, kernel size and bias from shapes and keys; the rest
   * are options, since a state dict does not have it. Strict, as loadStateDict.
   * @throws ModelError that lists everything that does not fit; TypeError or RangeError that names a wrong argument
   */
  static fromStateDict(
    stateDict: StateDict,
    options?: Pick<Conv1dOptions, 'stride' | 'padding' | 'dilation' | 'groups'> & { prefix?: string | undefined },
  ): Conv1d {
    checkOptions('Conv1d', options, ['prefix', 'stride', 'padding', 'dilation', 'groups']);
    const { prefix, ...rest } = options ?? {};
    const { dims, ...start } = readLayer('Conv1d', stateDict, prefix, '[out, in / groups, kernel]', 1, 1);
    const groups = checkInteger('Conv1d', 'groups', rest.groups ?? 1, 1);
    return new Conv1d(dims[1]! * groups, dims[0]!, dims[2]!, { ...rest, ...start });
  }

  /**
   * Copies this layer with 8-bit weights, as LSTM.quantize does.
   * @throws ModelError if a weight is NaN or infinite; RangeError if memory cannot hold the weights
   */
  quantize(options?: QuantizeOptions): Conv1d {
    const { stride, padding, dilation, groups, bias } = this;
    const values = this.quantizedValues(options);
    const start: Conv1dOptions & ModuleOptions = { stride, padding, dilation, groups, bias, [VALUES]: values };
    return new Conv1d(this.inChannels, this.outChannels, this.kernelSize, start);
  }

  /**
   * Convolves each sample of a batch, or one sample.
   * @param input (N, inChannels, L) or (inChannels, L)
   * @param options `out`: a tensor of the result's dims to write to and return; the call then makes no garbage. If it overlaps
   *   `input`, `input` is copied first.
   * @returns (N, outChannels, M) or (outChannels, M), M = floor((L + 2 padding - dilation (kernelSize - 1) - 1) / stride) + 1
   * @throws TypeError or RangeError that names the argument; nothing is changed then
   */
  forward(input: TensorLike, options?: ForwardOptions): TensorLike {
    this.checkAlive();
    const given = readTensor('Conv1d', 'input', input);
    const { inChannels, outChannels, kernelSize, stride, dilation, groups } = this;
    const { dims } = given;
    const front = dims.length - 2;
    if ((front !== 0 && front !== 1) || dims[front] !== inChannels) {
      throw wrongValue('Conv1d', 'input', `[N, ${inChannels}, L] or [${inChannels}, L]`, dims);
    }
    const length = dims[front + 1]!;
    const reach = dilation * (kernelSize - 1);
    // 'same' puts an odd zero at the end, as PyTorch does
    const left = this.padding === 'same' ? Math.floor(reach / 2) : this.padding === 'valid' ? 0 : this.padding;
    const padded = length + (this.padding === 'same' ? reach : 2 * left);
    const steps = Math.floor((padded - reach - 1) / stride) + 1;
    if (steps < 1) throw wrongValue('Conv1d', 'input', `at least ${reach + 1 - padded + length} steps`, dims);
    dims[front] = outChannels;
    dims[front + 1] = steps;
    const result = resultFor('Conv1d', options, dims, given);
    this.checkAlive();
    const batch = front ? dims[0]! : 1;
    let { data } = given;
    const output = result.data;
    if (overwrites(output, 0, data, 1)) data = data.slice();
    const place = placeOf(data);
    const { matrices } = this;
    const chunk = matrices.reserve(steps);
    checkAttached('Conv1d', result);

    // windows side by side are the rows of a matrix product
    const ins = inChannels / groups;
    const outs = outChannels / groups;
    const windows = this._windows;
    windows.length = length;
    windows.left = left;
    const parts = groups * batch;
    for (let part = 0; part < parts; part++) {
      for (let first = 0; first < steps; first += chunk) {
        const end = Math.min(first + chunk, steps);
        writeWindows(matrices.inputs, data, place, windows, first, end, part * ins, (part + 1) * ins);
        matrices.multiply(part % groups, end - first);
        readChannels(matrices.outputs, output, steps, first, end, part * outs, (part + 1) * outs);
      }
    }
    endScratch();
    endReading(given);
    return endReading(result);
  }
}
