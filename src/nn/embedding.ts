import {
  checkDims,
  checkElement,
  checkInteger,
  checkIntegers,
  checkOptions,
  formatDims,
  type TensorLike,
  wrongLength,
  zeros,
} from '../base/tensor.ts';
import { floats, integers } from '../memory/arena.ts';
import { Module } from './module.ts';

export interface EmbeddingOptions {
  /** The row that starts as zeros; negative counts from the end. Default: none. */
  readonly paddingIdx?: number | undefined;
  /** For the initial weights: an integer from 0 to 2^53 - 1. Default: a count of the modules made. */
  readonly seed?: number | undefined;
}

/** Row numbers and their shape. */
export interface IndexTensor {
  readonly data: Int32Array | BigInt64Array | readonly number[];
  readonly dims: readonly number[];
}

/**
 * torch.nn.Embedding: rows of weight (numEmbeddings, embeddingDim) by number.
 *
 * https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html
 */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  /** As in PyTorch, counted from the start even if it was given from the end. */
  readonly paddingIdx: number | undefined;
  private readonly _weight: number;

  /**
   * Weights start near N(0, 1): sums of twelve uniforms from `seed` by mulberry32, less 6.
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the weights
   */
  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingOptions) {
    checkOptions('Embedding', options, ['paddingIdx', 'seed']);
    checkInteger('Embedding', 'numEmbeddings', numEmbeddings, 0);
    checkInteger('Embedding', 'embeddingDim', embeddingDim, 0);
    const padding = options?.paddingIdx ?? undefined;
    if (padding !== undefined) {
      checkInteger('Embedding', 'paddingIdx', padding, -numEmbeddings, numEmbeddings - 1);
    }
    super('Embedding', options);
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.paddingIdx = padding !== undefined && padding < 0 ? padding + numEmbeddings : padding;
    this._weight = this.own(4 * numEmbeddings * embeddingDim);
    this.parameters.push({ name: 'weight', dims: [numEmbeddings, embeddingDim], pointer: this._weight });
    this.random.normal(this._weight, numEmbeddings * embeddingDim);
    if (this.paddingIdx !== undefined) {
      const row = this._weight / 4 + this.paddingIdx * embeddingDim;
      floats().fill(0, row, row + embeddingDim);
    }
  }

  /**
   * @param indices (*), each from 0 to numEmbeddings - 1
   * @returns (*, embeddingDim)
   * @throws TypeError or RangeError that names the argument
   */
  forward(indices: IndexTensor): TensorLike {
    this.checkAlive();
    const { data, dims } = indices ?? {};
    const count = checkDims('Embedding', 'indices', dims);
    checkIntegers('Embedding', 'indices.data', data);
    if (data.length !== count) {
      throw wrongLength('Embedding', 'indices', count, `dims ${formatDims(dims)}`, data.length);
    }
    const width = this.embeddingDim;
    const output = zeros('Embedding', [...dims, width]);
    const words = new Int32Array(output.data.buffer);
    const memory = integers();
    for (let i = 0; i < count; i++) {
      const row = checkElement('Embedding', 'indices', data[i], 0, this.numEmbeddings - 1);
      const from = this._weight / 4 + row * width;
      for (let k = 0; k < width; k++) words[i * width + k] = memory[from + k]!;
    }
    return output;
  }
}
