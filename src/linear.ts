import { allocate, endScratch, floats, integers, scratch } from './arena.ts';
import { Module } from './module.ts';
import { panelBytes } from './pack.ts';
import {
  checkBoolean,
  checkInteger,
  checkOptions,
  checkTensor,
  product,
  type TensorLike,
  wrongValue,
  zeros,
} from './tensor.ts';
import { wasm } from './wasm.ts';

export interface LinearOptions {
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean | undefined;
  /** For the initial weights: an integer from 0 to 2^53 - 1. Default: a count of the modules made. */
  readonly seed?: number | undefined;
}

/** Bytes of inputs and sums of the rows that go through the kernel at once. */
const CHUNK_BYTES = 1 << 18;

/**
 * torch.nn.Linear: `y = x Wᵀ + b`, weight (outFeatures, inFeatures), bias (outFeatures).
 *
 * https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
  readonly #weight: number;
  /** In whole panels, zeros without a bias */
  readonly #bias: number;

  /**
   * Weights start uniform in ±1/sqrt(inFeatures), drawn from `seed` by mulberry32.
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the weights
   */
  constructor(inFeatures: number, outFeatures: number, options?: LinearOptions) {
    checkOptions('Linear', options, ['bias', 'seed']);
    checkInteger('Linear', 'inFeatures', inFeatures, 0);
    checkInteger('Linear', 'outFeatures', outFeatures, 0);
    const bias = checkBoolean('Linear', 'bias', options?.bias ?? true);
    super('Linear', options?.seed);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.bias = bias;
    const weightBytes = panelBytes(outFeatures, inFeatures);
    const biasBytes = panelBytes(outFeatures, 1);
    const block = allocate(weightBytes + biasBytes);
    this.own(block);
    this.#weight = block;
    this.#bias = block + weightBytes;
    integers().fill(0, block / 4, (this.#bias + biasBytes) / 4);
    this.parameters.push({ name: 'weight', dims: [outFeatures, inFeatures], pointer: block, gates: 0 });
    if (bias) this.parameters.push({ name: 'bias', dims: [outFeatures], pointer: this.#bias });
    this.initialize(inFeatures);
  }

  /**
   * @param input (..., inFeatures), any rank from 1
   * @returns (..., outFeatures)
   * @throws TypeError or RangeError that names the argument
   */
  forward(input: TensorLike): TensorLike {
    this.checkAlive();
    let data = checkTensor('Linear', 'input', input);
    const { inFeatures, outFeatures } = this;
    const { dims } = input;
    if (dims.length === 0 || dims[dims.length - 1] !== inFeatures) {
      throw wrongValue('Linear', 'input', `[..., ${inFeatures}]`, dims);
    }
    const rows = product(dims.slice(0, -1));
    const output = zeros('Linear', [...dims.slice(0, -1), outFeatures]);
    if (data.buffer === wasm().memory.buffer) data = data.slice();
    const sumBytes = panelBytes(outFeatures, 1);
    const rowBytes = 4 * (inFeatures + outFeatures) + sumBytes;
    // none where the result is empty, however many rows that is
    const chunk = output.data.length && Math.min(rows, Math.max(4, Math.floor(CHUNK_BYTES / rowBytes) & ~3));
    const z = scratch(chunk * rowBytes);
    const x = z + chunk * sumBytes;
    const y = x + 4 * chunk * inFeatures;
    for (let row = 0; chunk && row < rows; row += chunk) {
      const count = Math.min(chunk, rows - row);
      floats().set(data.subarray(row * inFeatures, (row + count) * inFeatures), x / 4);
      wasm().linear_f32(this.#weight, this.#bias, x, inFeatures, y, outFeatures, count, z);
      output.data.set(floats().subarray(y / 4, y / 4 + count * outFeatures), row * outFeatures);
    }
    endScratch();
    return output;
  }
}
