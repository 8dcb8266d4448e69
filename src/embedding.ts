import { allocate, integers } from './arena.ts';
import { Module } from './module.ts';
import { readFloats, writeFloats } from './pack.ts';
import type { ParameterSpec } from './parameters.ts';
import {
  checkDims,
  checkInteger,
  checkOptions,
  formatDims,
  type TensorLike,
  tag,
  wrongType,
  wrongValue,
} from './tensor.ts';

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
  readonly #weight: number;

  /**
   * Weights start near N(0, 1): sums of twelve uniforms from `seed` by xoshiro128**, less 6.
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
    super('Embedding', options?.seed);
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.paddingIdx = padding !== undefined && padding < 0 ? padding + numEmbeddings : padding;
    this.#weight = allocate(4 * numEmbeddings * embeddingDim);
    this.own(this.#weight);
    const values = this.initialValues(() => this.random.normal());
    if (this.paddingIdx !== undefined) {
      values.get('weight')!.fill(0, this.paddingIdx * embeddingDim, (this.paddingIdx + 1) * embeddingDim);
    }
    this.write(values);
  }

  protected override specs(): ParameterSpec[] {
    return [{ name: 'weight', dims: [this.numEmbeddings, this.embeddingDim] }];
  }

  protected override read(): Float32Array {
    return readFloats(this.#weight, this.numEmbeddings * this.embeddingDim);
  }

  protected override write(values: ReadonlyMap<string, Float32Array>): void {
    const weight = values.get('weight');
    if (weight) writeFloats(this.#weight, weight);
  }

  /**
   * @param indices (*), each from 0 to numEmbeddings - 1
   * @returns (*, embeddingDim)
   * @throws TypeError or RangeError that names the argument
   */
  forward(indices: IndexTensor): TensorLike {
    this.checkAlive();
    if (indices === null || typeof indices !== 'object') {
      throw wrongType('Embedding', 'indices', 'a tensor { data, dims }', indices);
    }
    const { data, dims } = indices;
    const count = checkDims('Embedding', 'indices', dims);
    if (!Array.isArray(data) && !['Int32Array', 'BigInt64Array'].includes(tag(data))) {
      throw wrongType('Embedding', 'indices.data', 'an Int32Array, a BigInt64Array or an array of numbers', data);
    }
    if (data.length !== count) {
      throw new RangeError(
        `Embedding: "indices" expected ${count} elements for dims ${formatDims(dims)}, got ${data.length}`,
      );
    }
    const width = this.embeddingDim;
    const output = new Float32Array(count * width);
    const words = new Int32Array(output.buffer);
    const memory = integers();
    for (let i = 0; i < count; i++) {
      const row = this.#weight / 4 + this.#row(data[i]) * width;
      for (let k = 0; k < width; k++) words[i * width + k] = memory[row + k]!;
    }
    return { data: output, dims: [...dims, width] };
  }

  #row(index: unknown): number {
    if (typeof index !== 'number' && typeof index !== 'bigint') {
      throw wrongType('Embedding', 'indices', 'integers', index);
    }
    if (!(index >= 0 && index < this.numEmbeddings) || (typeof index === 'number' && !Number.isInteger(index))) {
      throw wrongValue('Embedding', 'indices', `integers from 0 to ${this.numEmbeddings - 1}`, index);
    }
    return Number(index);
  }
}
