import {
  checkElement,
  checkInteger,
  checkIntegers,
  checkOptions,
  endReading,
  formatDims,
  newReading,
  readDims,
  type StateDict,
  type TensorLike,
  wrongLength,
  wrongType,
} from '../base/tensor.ts';
import { currentView } from '../memory/arena.ts';
import { fill, skip } from '../memory/rows.ts';
import { Module, type ModuleOptions, VALUES } from './module.ts';
import { type ForwardOptions, resultFor } from './result.ts';
import { readLayer } from './state-dict.ts';

/** PyTorch's keyword arguments of nn.Embedding, in camelCase. */
export interface EmbeddingOptions {
  /** The row that starts as zeros; a negative number counts from the end. Default: no such row. */
  readonly paddingIdx?: number | undefined;
  /** Draws the initial weights: an integer from 0 to 2^53 - 1. Default: the number of modules made without a seed so far. */
  readonly seed?: number | undefined;
}

/** Row numbers and their shape; the argument of Embedding.forward(). */
export interface IndexTensor {
  /** The row numbers in row-major order; a BigInt64Array is the data of an int64 tensor of ONNX Runtime. */
  readonly data: Int32Array | BigInt64Array | readonly number[];
  /** The shape: sizes from the outermost dimension to the innermost; `[]` for a scalar. */
  readonly dims: readonly number[];
}

const NO_INDICES = new Int32Array(0);

/**
 * torch.nn.Embedding: looks up rows of `weight` (numEmbeddings, embeddingDim) by number.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html
 * @example
 * ```js
 * import { Embedding } from 'lstm-wasm';
 *
 * const embedding = new Embedding(3, 2);
 * embedding.loadStateDict({ weight: { data: Float32Array.of(0, 1, 10, 11, 20, 21), dims: [3, 2] } });
 * const { data, dims } = embedding.forward({ data: [2, 0], dims: [2] });
 * console.log(data, dims); // Float32Array(4) [ 20, 21, 0, 1 ] [ 2, 2 ]
 * ```
 */
export class Embedding extends Module {
  /** The number of rows. */
  readonly numEmbeddings: number;
  /** The size of a row. */
  readonly embeddingDim: number;
  /** The row that started as zeros, counted from the start even if the option was negative. It matters to no later call. */
  readonly paddingIdx: number | undefined;
  private readonly _weight: number;
  /** All rows, as a view of linear memory */
  private _rows = new Float32Array(0);
  /** The rows of the last call's indices, kept for the next */
  private _indices = NO_INDICES;

  /**
   * Draws weights near N(0, 1): sums of twelve uniforms, minus 6, from `seed` by mulberry32: the same bits everywhere.
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
    this._weight = this.allocate(skip(0, numEmbeddings * embeddingDim));
    this.parameters.push({ name: 'weight', dims: [numEmbeddings, embeddingDim], pointer: this._weight });
    if ((options as ModuleOptions | undefined)?.[VALUES]) this.initializeParameters(options, 1);
    else this.random.normal(this._weight, numEmbeddings * embeddingDim);
    if (this.paddingIdx !== undefined) {
      fill(skip(this._weight, this.paddingIdx * embeddingDim), embeddingDim, 0);
    }
  }

  /**
   * Makes the Embedding that a state dict describes under `prefix`: reads its sizes from the shape. Strict, as loadStateDict.
   * @throws ModelError that lists everything that does not fit; TypeError that names a wrong argument
   */
  static fromStateDict(stateDict: StateDict, options?: { prefix?: string | undefined }): Embedding {
    checkOptions('Embedding', options, ['prefix']);
    const { dims, [VALUES]: values } = readLayer('Embedding', stateDict, options?.prefix, '[rows, size]', 0, 0);
    const start: EmbeddingOptions & ModuleOptions = { [VALUES]: values };
    return new Embedding(dims[0]!, dims[1]!, start);
  }

  /**
   * Copies the row of each index.
   * @param indices (*), each from 0 to numEmbeddings - 1
   * @param options `out`: a tensor of the result's dims to write to and return; the call then makes no garbage, unless `indices`
   *   are in a BigInt64Array, whose elements are garbage themselves.
   * @returns (*, embeddingDim)
   * @throws TypeError or RangeError that names the argument; nothing is changed then
   */
  forward(indices: IndexTensor, options?: ForwardOptions): TensorLike {
    this.checkAlive();
    if (indices === null || typeof indices !== 'object') {
      throw wrongType('Embedding', 'indices', 'a tensor { data, dims }', indices);
    }
    const given = newReading();
    const { dims } = given;
    const count = readDims('Embedding', 'indices', indices.dims, dims);
    const data = checkIntegers('Embedding', 'indices.data', indices.data);
    if (data.length !== count) {
      throw wrongLength('Embedding', 'indices', count, `dims ${formatDims(dims)}`, data.length);
    }
    const rowOf = this._read(data, count);
    const width = this.embeddingDim;
    dims.push(width);
    const result = resultFor('Embedding', options, dims);
    this.checkAlive();
    const out = result.data;
    this._rows = currentView(this._rows, this._weight, this.numEmbeddings * width);
    const rows = this._rows;
    for (let i = 0, at = 0; i < count; i++, at += width) {
      const from = rowOf[i]! * width;
      // set() keeps all bits of a NaN, but needs a view, which a call with `out` must not make
      if (result.isNew) out.set(rows.subarray(from, from + width), at);
      else for (let k = 0; k < width; k++) out[at + k] = rows[from + k]!;
    }
    this._indices = rowOf;
    endReading(given);
    return endReading(result);
  }

  /** Reads every index once, before memory is looked at: a getter among them may do anything, even call forward(). */
  private _read(data: ArrayLike<unknown>, count: number): Int32Array<ArrayBuffer> {
    const rows = this._indices.length >= count ? this._indices : new Int32Array(count);
    this._indices = NO_INDICES;
    for (let i = 0; i < count; i++) {
      rows[i] = checkElement('Embedding', 'indices', data[i], 0, this.numEmbeddings - 1);
    }
    return rows;
  }
}
