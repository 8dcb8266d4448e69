import {
  checkBoolean,
  checkInteger,
  checkOptions,
  checkTensor,
  describe,
  product,
  type StateDict,
  type TensorLike,
  wrongValue,
  zeros,
} from '../base/tensor.ts';
import { copyIfInside } from '../memory/arena.ts';
import { Affine } from './affine.ts';
import { type QuantizeOptions, VALUES } from './module.ts';
import { entries, matchStateDict, wrongMatrix } from './state-dict.ts';

export interface LinearOptions {
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean | undefined;
  /** For the initial weights: an integer from 0 to 2^53 - 1. Default: a count of the modules made. */
  readonly seed?: number | undefined;
}

/**
 * torch.nn.Linear: `y = x Wᵀ + b`, weight (outFeatures, inFeatures), bias (outFeatures).
 *
 * https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
 */
export class Linear extends Affine {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;

  /**
   * Weights start uniform in ±1/sqrt(inFeatures), drawn from `seed` by mulberry32.
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
   * The Linear that a state dict describes under `prefix`: sizes and bias are read from shapes and keys. Strict, as
   * loadStateDict. With 8-bit weights, as quantizedStateDict() gives them, the result is a quantized one.
   * @throws ModelError that lists what does not fit
   */
  static fromStateDict(stateDict: StateDict, options?: { prefix?: string | undefined }): Linear {
    checkOptions('Linear', options, ['prefix']);
    const prefix = options?.prefix ?? '';
    const all = entries('Linear', stateDict, prefix);
    const dims: unknown = (all.get(`${prefix}weight`) as Partial<TensorLike> | undefined)?.dims;
    if (!Array.isArray(dims) || dims.length !== 2 || !dims.every((size) => Number.isSafeInteger(size) && size >= 0)) {
      throw wrongMatrix('Linear', all, prefix, 'weight', '[out, in]', describe(dims));
    }
    const [outFeatures, inFeatures] = dims as [number, number];
    const bias = all.has(`${prefix}bias`);
    const specs = [{ name: 'weight', dims }, ...(bias ? [{ name: 'bias', dims: [outFeatures] }] : [])];
    const { values } = matchStateDict('Linear', specs, stateDict, prefix);
    const internal = { bias, [VALUES]: values };
    return new Linear(inFeatures, outFeatures, internal);
  }

  /** This layer with 8-bit weights; see LSTM.quantize. */
  quantize(options?: QuantizeOptions): Linear {
    const internal = { bias: this.bias, [VALUES]: this.quantizedValues(options) };
    return new Linear(this.inFeatures, this.outFeatures, internal);
  }

  /**
   * @param input (..., inFeatures), any rank from 1
   * @returns (..., outFeatures)
   * @throws TypeError or RangeError that names the argument
   */
  forward(input: TensorLike): TensorLike {
    this.checkAlive();
    const given = checkTensor('Linear', 'input', input);
    const { inFeatures, outFeatures } = this;
    const { dims } = input;
    if (dims.length === 0 || dims[dims.length - 1] !== inFeatures) {
      throw wrongValue('Linear', 'input', `[..., ${inFeatures}]`, dims);
    }
    const rows = product(dims.slice(0, -1));
    const output = zeros('Linear', [...dims.slice(0, -1), outFeatures]);
    const data = copyIfInside(given);
    // none where the result is empty, however many rows that is
    this.multiply(
      0,
      output.data.length && rows,
      (memory, x, first, end) => memory.set(data.subarray(first * inFeatures, end * inFeatures), x),
      (memory, y, first, end) => {
        output.data.set(memory.subarray(y, y + (end - first) * outFeatures), first * outFeatures);
      },
    );
    return output;
  }
}
