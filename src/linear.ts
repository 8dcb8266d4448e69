import { allocate, endScratch, floats, integers, scratch } from './arena.ts';
import { Module } from './module.ts';
import { pack, panelBytes, plainColumns, plainPanels, readFloats, unpack, writeFloats } from './pack.ts';
import type { ParameterSpec } from './parameters.ts';
import { checkBoolean, checkInteger, checkOptions, checkTensor, type TensorLike, wrongDims } from './tensor.ts';
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
   * Weights start uniform in ±1/sqrt(inFeatures), drawn from `seed` by xoshiro128**.
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
    const panels = plainPanels(outFeatures);
    const block = allocate(panelBytes(panels, inFeatures) + panelBytes(panels, 1));
    this.own(block);
    this.#weight = block;
    this.#bias = block + panelBytes(panels, inFeatures);
    integers().fill(0, this.#bias / 4, (this.#bias + panelBytes(panels, 1)) / 4);
    this.write(this.uniformValues(inFeatures > 0 ? 1 / Math.sqrt(inFeatures) : 0));
  }

  protected override specs(): ParameterSpec[] {
    const weight = { name: 'weight', dims: [this.outFeatures, this.inFeatures] };
    return this.bias ? [weight, { name: 'bias', dims: [this.outFeatures] }] : [weight];
  }

  protected override read(name: string): Float32Array {
    const { inFeatures, outFeatures } = this;
    return name === 'bias'
      ? readFloats(this.#bias, outFeatures)
      : unpack(this.#weight, outFeatures, inFeatures, plainPanels(outFeatures), plainColumns(outFeatures));
  }

  protected override write(values: ReadonlyMap<string, Float32Array>): void {
    const { inFeatures, outFeatures } = this;
    const weight = values.get('weight');
    const bias = values.get('bias');
    if (weight) pack(this.#weight, weight, inFeatures, plainPanels(outFeatures), plainColumns(outFeatures));
    if (bias) writeFloats(this.#bias, bias);
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
      throw wrongDims('Linear', 'input', `[..., ${inFeatures}]`, dims);
    }
    const rows = dims.slice(0, -1).reduce((product, size) => product * size, 1);
    if (rows * outFeatures > 2 ** 30) throw wrongDims('Linear', 'input', 'an output below 4 GiB', dims);
    const output = new Float32Array(rows * outFeatures);
    if (data.buffer === wasm().memory.buffer) data = data.slice();
    const sumBytes = panelBytes(plainPanels(outFeatures), 1);
    const rowBytes = 4 * (inFeatures + outFeatures) + sumBytes;
    const chunk = Math.min(rows, Math.max(4, 4 * Math.floor(CHUNK_BYTES / Math.max(1, rowBytes) / 4)));
    const z = scratch(chunk * rowBytes);
    const x = z + chunk * sumBytes;
    const y = x + 4 * chunk * inFeatures;
    for (let row = 0; row < rows; row += chunk) {
      const count = Math.min(chunk, rows - row);
      floats().set(data.subarray(row * inFeatures, (row + count) * inFeatures), x / 4);
      wasm().linear_f32(
        this.#weight,
        this.#bias,
        x,
        4 * inFeatures,
        inFeatures,
        y,
        4 * outFeatures,
        outFeatures,
        count,
        z,
      );
      output.set(floats().subarray(y / 4, y / 4 + count * outFeatures), row * outFeatures);
    }
    endScratch();
    return { data: output, dims: [...dims.slice(0, -1), outFeatures] };
  }
}
