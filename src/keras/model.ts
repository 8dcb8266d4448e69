import {
  checkDims,
  describe,
  formatDims,
  product,
  sameDims,
  type TensorLike,
  tag,
  wrongType,
  wrongValue,
} from '../base/tensor.ts';
import type { Shape } from './config.ts';
import { describeShape } from './shapes.ts';
import type { Source } from './topology.ts';
import type { Layer, Value } from './value.ts';

/** What goes into a model: floats, or integers for an Embedding, in row-major order. */
export interface KerasInput {
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array | readonly number[];
  readonly dims: readonly number[];
}

/** An input or output of a model; a dimension that is null may be any, first of all the number of samples. */
export interface KerasSpec {
  readonly name: string;
  readonly dims: readonly (number | null)[];
}

/** A layer that was made, and where its inputs come from. */
export interface Step {
  readonly name: string;
  readonly layer: Layer;
  readonly inputs: readonly Source[];
  /** Of the first input, in place of the mask that it has */
  readonly mask?: Source | undefined;
}

export interface Parts {
  readonly steps: readonly Step[];
  readonly inputs: readonly (KerasSpec & { readonly source: string })[];
  readonly outputs: readonly (KerasSpec & { readonly source: Source })[];
}

/** A model that loadKeras read. */
export class KerasModel {
  readonly inputs: readonly KerasSpec[];
  readonly outputs: readonly KerasSpec[];
  private readonly _parts: Parts;
  private _alive = true;

  /** @internal */
  constructor(parts: Parts) {
    this._parts = parts;
    this.inputs = parts.inputs.map(({ name, dims }) => ({ name, dims }));
    this.outputs = parts.outputs.map(({ name, dims }) => ({ name, dims }));
  }

  /**
   * Runs the model on a batch, as model.predict of Keras: dims begin with the number of samples. A tensor gives a tensor; a
   * list, for models of several inputs or outputs, gives the list of all outputs.
   * @throws TypeError or RangeError that names the input; states that are kept from call to call may have changed only if a
   *   layer throws, for an index that an Embedding has not, say
   */
  predict(input: KerasInput): TensorLike;
  predict(inputs: readonly KerasInput[]): TensorLike[];
  predict(input: KerasInput | readonly KerasInput[]): TensorLike | TensorLike[] {
    this._checkAlive();
    const { inputs, outputs } = this._parts;
    const list = Array.isArray(input) ? (input as readonly KerasInput[]) : [input as KerasInput];
    if (list.length !== inputs.length) {
      const names = inputs.map(({ name }) => name).join(', ');
      throw wrongValue('KerasModel', 'input', `${inputs.length} tensors (${names})`, list.length);
    }
    if (!Array.isArray(input) && outputs.length > 1) {
      throw wrongValue('KerasModel', 'input', `a list, since the model has ${outputs.length} outputs`, 'one tensor');
    }
    const results = this._run(list);
    return Array.isArray(input) ? results : results[0]!;
  }

  /** Sets the states that stateful layers keep from call to call to zeros. */
  resetStates(): void {
    this._checkAlive();
    for (const { layer } of this._parts.steps) layer.resetStates?.();
  }

  /** Gives the memory of all layers back. A second call does nothing; any other use afterwards throws an Error. */
  dispose(): void {
    if (!this._alive) return;
    this._alive = false;
    for (const { layer } of this._parts.steps) layer.dispose?.();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private _run(list: readonly KerasInput[]): TensorLike[] {
    const { steps, inputs, outputs } = this._parts;
    const values = new Map<string, readonly Value[]>();
    let batch: number | undefined;
    for (const [i, { name, dims, source }] of inputs.entries()) {
      const value = readInput(name, dims, list[i]);
      batch ??= value.dims[0]!;
      if (value.dims[0] !== batch)
        throw wrongValue('KerasModel', name, `${batch} samples, as the first input`, value.dims);
      values.set(source, [value]);
    }
    const find = ({ name, index }: Source) => values.get(name)![index]!;
    for (const { name, layer, inputs, mask } of steps) {
      const [first, ...rest] = inputs.map(find);
      const input = mask ? withMask(name, first!, find(mask)) : first!;
      values.set(name, layer.run([input, ...rest], mask !== undefined));
    }
    // copies: an output may be an input, the state of a layer, or twice the same
    return outputs.map(({ source }) => {
      const { data, dims } = find(source);
      return { data: data.slice(), dims: [...dims] };
    });
  }

  private _checkAlive(): void {
    if (!this._alive) throw new Error('KerasModel: used after dispose()');
  }
}

function withMask(name: string, input: Value, { data, dims }: Value): Value {
  const wanted = input.dims.slice(0, 2);
  if (!sameDims(dims, wanted)) throw wrongValue(name, 'mask', formatDims(wanted), dims);
  return { ...input, mask: Uint8Array.from(data, (x) => (x !== 0 ? 1 : 0)) };
}

const INPUTS = ['Float32Array', 'Int32Array', 'BigInt64Array', 'Uint8Array', 'Array'];

function readInput(name: string, wanted: Shape, input: KerasInput | undefined): Value {
  if (input === null || typeof input !== 'object')
    throw wrongType('KerasModel', name, 'a tensor { data, dims }', input);
  const { data, dims } = input;
  const count = checkDims('KerasModel', name, dims);
  if (dims.length !== wanted.length || wanted.some((size, i) => size !== null && dims[i] !== size)) {
    throw wrongValue('KerasModel', name, describeShape(wanted), dims);
  }
  if (!INPUTS.includes(tag(data))) {
    const types = 'a Float32Array, Int32Array, BigInt64Array, Uint8Array or array';
    throw wrongType('KerasModel', `${name}.data`, types, data);
  }
  if (data.length !== count) {
    throw wrongValue('KerasModel', name, `${count} elements for dims ${formatDims(dims)}`, data.length);
  }
  // a copy in any case, so that no result shares memory with what went in
  return { data: Float32Array.from(data as ArrayLike<number>, toNumber), dims: [...dims] };
}

function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  throw wrongType('KerasModel', 'data', 'numbers', describe(value));
}

/** The size of one sample, dimensions that may be any taken as 1. */
export function sampleSize(shape: Shape): number {
  return product(shape.slice(1).map((size) => size ?? 1));
}
