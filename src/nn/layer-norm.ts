import {
  checkBoolean,
  checkInteger,
  checkOptions,
  checkTensor,
  product,
  sameDims,
  type TensorLike,
  wrongNumber,
  wrongValue,
  zeros,
} from '../base/tensor.ts';
import { floats } from '../memory/arena.ts';
import { Module } from './module.ts';

export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number | undefined;
  /** Whether there is a weight, of ones at first. Default true. */
  readonly elementwiseAffine?: boolean | undefined;
  /** Whether there is also a bias, of zeros at first. Default true. */
  readonly bias?: boolean | undefined;
}

/**
 * torch.nn.LayerNorm: over the last dimensions, (x - mean) / sqrt(variance + eps), times weight, plus bias. Sums are in float64.
 *
 * https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  readonly bias: boolean;
  private readonly _weight: number;

  /**
   * @param normalizedShape the last dimensions of the input, or the last one as a number
   * @throws TypeError or RangeError that names the argument
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
    this._weight = this.own(8 * count);
    floats().fill(1, this._weight / 4, this._weight / 4 + count);
    if (elementwiseAffine) this.parameters.push({ name: 'weight', dims: shape, pointer: this._weight });
    if (this.bias) this.parameters.push({ name: 'bias', dims: shape, pointer: this._weight + 4 * count });
  }

  /**
   * @param input (..., *normalizedShape)
   * @returns the same dims
   * @throws TypeError or RangeError that names the argument
   */
  forward(input: TensorLike): TensorLike {
    this.checkAlive();
    const data = checkTensor('LayerNorm', 'input', input);
    const shape = this.normalizedShape;
    if (input.dims.length < shape.length || !sameDims(input.dims.slice(-shape.length), shape)) {
      throw wrongValue('LayerNorm', 'input', `[..., ${shape.join(', ')}]`, input.dims);
    }
    const output = zeros('LayerNorm', input.dims);
    const memory = floats();
    const count = product(shape);
    const weight = this._weight / 4;
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
        output.data[first + i] = (data[first + i]! - mean) * scale * memory[weight + i]! + memory[weight + count + i]!;
      }
    }
    return output;
  }
}
