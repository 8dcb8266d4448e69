import {
  checkDims,
  checkElement,
  checkInteger,
  checkIntegers,
  checkOptions,
  formatDims,
  type TensorLike,
  wrongLength,
  wrongType,
} from '../base/tensor.ts';
import { currentView } from '../memory/arena.ts';
import { fill, skip } from '../memory/rows.ts';
import { Module } from './module.ts';
import { type ForwardOptions, resultFor } from './result.ts';

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
  /** All of them, as a view of linear memory */
  private _rows = new Float32Array(0);
  private readonly _tail: readonly number[];

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
    this._tail = [embeddingDim];
    this.paddingIdx = padding !== undefined && padding < 0 ? padding + numEmbeddings : padding;
    this._weight = this.allocate(skip(0, numEmbeddings * embeddingDim));
    this.parameters.push({ name: 'weight', dims: [numEmbeddings, embeddingDim], pointer: this._weight });
    this.random.normal(this._weight, numEmbeddings * embeddingDim);
    if (this.paddingIdx !== undefined) {
      fill(skip(this._weight, this.paddingIdx * embeddingDim), embeddingDim, 0);
    }
  }

  /**
   * @param indices (*), each from 0 to numEmbeddings - 1
   * @param options `out`: a tensor of the result's dims to write to and return: the call then makes no garbage, unless `indices`
   *   are a BigInt64Array, whose elements are. If `indices` lie in the same buffer, they are copied first.
   * @returns (*, embeddingDim)
   * @throws TypeError or RangeError that names the argument; nothing is changed then
   */
  forward(indices: IndexTensor, options?: ForwardOptions): TensorLike {
    this.checkAlive();
    if (indices === null || typeof indices !== 'object') {
      throw wrongType('Embedding', 'indices', 'a tensor { data, dims }', indices);
    }
    const { dims } = indices;
    const count = checkDims('Embedding', 'indices', dims);
    let data = checkIntegers('Embedding', 'indices.data', indices.data);
    if (data.length !== count) {
      throw wrongLength('Embedding', 'indices', count, `dims ${formatDims(dims)}`, data.length);
    }
    for (let i = 0; i < count; i++) this._row(data[i]);
    const width = this.embeddingDim;
    const result = resultFor('Embedding', options, dims, dims.length, this._tail);
    const out = result.data;
    if (ArrayBuffer.isView(data) && data.buffer === out.buffer) data = Array.from(data);
    this._rows = currentView(this._rows, this._weight, this.numEmbeddings * width);
    const rows = this._rows;
    const isNew = options?.out === undefined;
    for (let i = 0, at = 0; i < count; i++, at += width) {
      const from = this._row(data[i]) * width;
      // set() keeps all bits of a NaN, but takes a view, which would be garbage beside a given tensor
      if (isNew) out.set(rows.subarray(from, from + width), at);
      else for (let k = 0; k < width; k++) out[at + k] = rows[from + k]!;
    }
    return result;
  }

  private _row(index: unknown): number {
    return checkElement('Embedding', 'indices', index, 0, this.numEmbeddings - 1);
  }
}
