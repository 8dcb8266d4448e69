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
import { copyInFrom, copyOut, overwrites, placeOf } from '../memory/rows.ts';
import { Affine } from './affine.ts';
import { type ModuleOptions, type QuantizeOptions, VALUES } from './module.ts';
import { checkAttached, countOf, type ForwardOptions, resultFor } from './result.ts';
import { readLayer } from './state-dict.ts';

/** The most floats of an input that is copied to scratch as a whole: 1 MB. */
const WHOLE = 1 << 18;

/** PyTorch's keyword arguments of nn.Linear, in camelCase. */
export interface LinearOptions {
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean | undefined;
  /** Draws the initial weights: an integer from 0 to 2^53 - 1. Default: the number of modules made without a seed so far. */
  readonly seed?: number | undefined;
}

/**
 * torch.nn.Linear: `y = x Wᵀ + b` with `weight` (outFeatures, inFeatures) and `bias` (outFeatures).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
 * @example
 * ```js
 * import { Linear, LSTM } from 'lstm-wasm';
 *
 * const weight = { data: Float32Array.of(1, 2, 3, 4), dims: [2, 2] };
 * const linear = Linear.fromStateDict({ weight, bias: { data: Float32Array.of(0.5, 0), dims: [2] } });
 * console.log(linear.forward({ data: Float32Array.of(1, 1), dims: [2] }).data); // Float32Array(2) [ 3.5, 7 ]
 *
 * // a head after a stream, which makes no garbage
 * const stream = new LSTM(1, 8, { seed: 1 }).stream();
 * const head = new Linear(8, 1, { seed: 2 });
 * const out = { data: new Float32Array(1), dims: [1] };
 * for (const sample of [0.5, -0.25]) {
 *   stream.input[0] = sample;
 *   stream.step();
 *   head.forward({ data: stream.output, dims: [8] }, { out });
 * }
 * console.log(out.data.length); // 1
 * ```
 */
export class Linear extends Affine {
  /** The size of the last dimension of the input. */
  readonly inFeatures: number;
  /** The size of the last dimension of the result. */
  readonly outFeatures: number;
  /** Whether a bias is added. */
  readonly bias: boolean;

  /**
   * Draws weights and biases uniformly in ±1/sqrt(inFeatures), from `seed` by mulberry32: the same bits everywhere.
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the weights
   */
  constructor(inFeatures: number, outFeatures: number, options?: LinearOptions) {
    checkOptions('Linear', options, ['bias', 'seed']);
    checkInteger('Linear', 'inFeatures', inFeatures, 0);
    checkInteger('Linear', 'outFeatures', outFeatures, 0);
    const bias = checkBoolean('Linear', 'bias', options?.bias ?? true);
    super('Linear', options, [outFeatures, inFeatures], 1, bias);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.bias = bias;
  }

  /**
   * Makes the Linear that a state dict describes under `prefix`: reads sizes and bias from shapes and keys. Strict, as
   * loadStateDict. With 8-bit weights, as quantizedStateDict() gives them, the result is quantized.
   * @throws ModelError that lists everything that does not fit; TypeError that names a wrong argument
   */
  static fromStateDict(stateDict: StateDict, options?: { prefix?: string | undefined }): Linear {
    checkOptions('Linear', options, ['prefix']);
    const { dims, ...start } = readLayer('Linear', stateDict, options?.prefix, '[out, in]', 0, 1);
    return new Linear(dims[1]!, dims[0]!, start);
  }

  /**
   * Copies this layer with 8-bit weights, as LSTM.quantize does.
   * @throws ModelError if a weight is NaN or infinite; RangeError if memory cannot hold the weights
   */
  quantize(options?: QuantizeOptions): Linear {
    const start: LinearOptions & ModuleOptions = { bias: this.bias, [VALUES]: this.quantizedValues(options) };
    return new Linear(this.inFeatures, this.outFeatures, start);
  }

  /**
   * Computes `x Wᵀ + b` for each row.
   * @param input (..., inFeatures), any rank from 1
   * @param options `out`: a tensor of the result's dims to write to and return. The call then makes no garbage, except a view
   *   for each 256 KB of an input longer than 1 MB. With inFeatures equal to outFeatures, `out` may be `input`; if the two
   *   overlap in another way, `input` is copied first.
   * @returns (..., outFeatures)
   * @throws TypeError or RangeError that names the argument; nothing is changed then
   */
  forward(input: TensorLike, options?: ForwardOptions): TensorLike {
    this.checkAlive();
    const given = readTensor('Linear', 'input', input);
    const { inFeatures, outFeatures } = this;
    const { dims } = given;
    const last = dims.length - 1;
    if (last < 0 || dims[last] !== inFeatures) throw wrongValue('Linear', 'input', `[..., ${inFeatures}]`, dims);
    dims[last] = outFeatures;
    const result = resultFor('Linear', options, dims, given);
    this.checkAlive();
    let { data } = given;
    const { data: output, count } = result;
    // an empty result may have any number of rows
    const rows = count && countOf(dims, 0, last);
    if (overwrites(output, outFeatures, data, inFeatures)) data = data.slice();
    const place = placeOf(data);
    // an input that is copied as a whole needs no views
    const wholeInput = rows * inFeatures <= WHOLE;
    const { matrices } = this;
    const chunk = matrices.reserve(rows, wholeInput);
    checkAttached('Linear', result);
    if (wholeInput) copyInFrom(matrices.inputs, data, place, 0, rows * inFeatures);
    for (let first = 0; first < rows; first += chunk) {
      const some = Math.min(chunk, rows - first);
      if (!wholeInput) copyInFrom(matrices.inputs, data, place, first * inFeatures, some * inFeatures);
      matrices.multiply(0, some, wholeInput ? first : 0);
      copyOut(matrices.outputs, some * outFeatures, output, first * outFeatures);
    }
    endScratch();
    endReading(given);
    return endReading(result);
  }
}
