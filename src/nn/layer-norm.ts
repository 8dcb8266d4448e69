import {
  checkBoolean,
  checkInteger,
  checkOptions,
  endReading,
  product,
  readTensor,
  type StateDict,
  type TensorLike,
  wrongNumber,
  wrongValue,
} from '../base/tensor.ts';
import { currentView } from '../memory/arena.ts';
import { fill, overwrites, skip } from '../memory/rows.ts';
import { Module, type ModuleOptions, VALUES } from './module.ts';
import { countOf, type ForwardOptions, resultFor } from './result.ts';
import { readLayer } from './state-dict.ts';

/** PyTorch's keyword arguments of nn.LayerNorm, in camelCase. */
export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number | undefined;
  /** Whether the result is multiplied by a weight, which starts as ones. Default true. */
  readonly elementwiseAffine?: boolean | undefined;
  /** Whether a bias, which starts as zeros, is added where there is a weight. Default true. */
  readonly bias?: boolean | undefined;
}

/**
 * torch.nn.LayerNorm: `(x - mean) / sqrt(variance + eps) * weight + bias` over the last dimensions, with `weight` and `bias` of
 * the dims `normalizedShape`. Sums are in float64.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
 * @example
 * ```js
 * import { LayerNorm } from 'lstm-wasm';
 *
 * const norm = new LayerNorm(2, { eps: 0 });
 * const input = { data: Float32Array.of(1, 3, 10, 30), dims: [2, 2] };
 * console.log(norm.forward(input).data); // Float32Array(4) [ -1, 1, -1, 1 ]
 * ```
 */
export class LayerNorm extends Module {
  /** The last dimensions of the input, over which it is normalized. */
  readonly normalizedShape: readonly number[];
  /** Added to the variance. */
  readonly eps: number;
  /** Whether the result is multiplied by a weight. */
  readonly elementwiseAffine: boolean;
  /** Whether a bias is added. */
  readonly bias: boolean;
  private readonly _weight: number;
  /** Weights, then biases */
  private _scale = new Float32Array(0);

  /**
   * Makes a layer whose weight is ones and whose bias is zeros.
   * @param normalizedShape the last dimensions of the input, or the last one as a number
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the weights
   */
  constructor(normalizedShape: number | readonly number[], options?: LayerNormOptions) {
    checkOptions('LayerNorm', options, ['eps', 'elementwiseAffine', 'bias']);
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options ?? {};
    const shape = Array.isArray(normalizedShape) ? [...normalizedShape] : [normalizedShape];
    for (const size of shape) checkInteger('LayerNorm', 'normalizedShape', size, 1);
    if (shape.length === 0) throw wrongValue('LayerNorm', 'normalizedShape', 'at least one size', shape);
    if (!(Number.isFinite(eps) && eps >= 0)) throw wrongNumber('LayerNorm', 'eps', 'a number from 0', eps);
    checkBoolean('LayerNorm', 'elementwiseAffine', elementwiseAffine);
    checkBoolean('LayerNorm', 'bias', bias);
    super('LayerNorm');
    this.normalizedShape = shape;
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    this.bias = elementwiseAffine && bias;
    const count = product(shape);
    this._weight = this.allocate(skip(0, 2 * count));
    fill(this._weight, count, 1);
    if (elementwiseAffine) this.parameters.push({ name: 'weight', dims: shape, pointer: this._weight });
    if (this.bias) this.parameters.push({ name: 'bias', dims: shape, pointer: skip(this._weight, count) });
    if ((options as ModuleOptions | undefined)?.[VALUES]) this.initializeParameters(options as ModuleOptions, 1);
  }

  /**
   * Makes the LayerNorm that a state dict describes under `prefix`: reads the shape and the bias; `eps` is an option, since a state
   * dict does not have it. Strict, as loadStateDict.
   * @throws ModelError that lists everything that does not fit; TypeError or RangeError that names a wrong argument
   */
  static fromStateDict(
    stateDict: StateDict,
    options?: Pick<LayerNormOptions, 'eps'> & { prefix?: string | undefined },
  ): LayerNorm {
    checkOptions('LayerNorm', options, ['prefix', 'eps']);
    const { prefix, eps } = options ?? {};
    const { dims, ...start } = readLayer('LayerNorm', stateDict, prefix, '[...shape]', 1, 64);
    return new LayerNorm(dims, { eps, ...start });
  }

  /**
   * Normalizes the elements of the last dimensions together.
   * @param input (..., *normalizedShape)
   * @param options `out`: a tensor of the same dims to write to and return; the call then makes no garbage. It may be `input`;
   *   if the two overlap in another way, `input` is copied first.
   * @returns a tensor of the same dims
   * @throws TypeError or RangeError that names the argument; nothing is changed then
   */
  forward(input: TensorLike, options?: ForwardOptions): TensorLike {
    this.checkAlive();
    const given = readTensor('LayerNorm', 'input', input);
    const { dims } = given;
    const shape = this.normalizedShape;
    const front = dims.length - shape.length;
    let fits = front >= 0;
    for (let i = 0; i < shape.length; i++) fits &&= dims[front + i] === shape[i];
    if (!fits) throw wrongValue('LayerNorm', 'input', `[..., ${shape.join(', ')}]`, dims);
    const result = resultFor('LayerNorm', options, dims, given);
    this.checkAlive();
    let { data } = given;
    const output = result.data;
    if (overwrites(output, 1, data, 1)) data = data.slice();
    const count = countOf(shape, 0, shape.length);
    this._scale = currentView(this._scale, this._weight, 2 * count);
    const scales = this._scale;
    for (let first = 0; first < data.length; first += count) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += data[first + i]!;
      const mean = sum / count;
      let squares = 0;
      for (let i = 0; i < count; i++) {
        const difference = data[first + i]! - mean;
        squares += difference * difference;
      }
      const scale = 1 / Math.sqrt(squares / count + this.eps);
      for (let i = 0; i < count; i++) {
        output[first + i] = (data[first + i]! - mean) * scale * scales[i]! + scales[count + i]!;
      }
    }
    endReading(given);
    return endReading(result);
  }
}
