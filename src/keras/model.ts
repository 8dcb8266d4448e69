import { Owner } from '../base/owner.ts';
import {
  describe,
  formatDims,
  readDims,
  sameDims,
  type TensorLike,
  tag,
  wrongType,
  wrongValue,
} from '../base/tensor.ts';
import type { Shape } from './config.ts';
import type { Layer, MaskedTensor } from './layer.ts';
import { describeShape } from './shapes.ts';
import type { OutputRef } from './topology.ts';
import { type ModelSize, Work } from './work.ts';

/** An input of KerasModel.predict(). */
export interface KerasInput {
  /** The elements in row-major order: floats, or integers for an Embedding. They are copied. */
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array | readonly number[];
  /** The shape: the number of samples first, then the dimensions that the model declares. */
  readonly dims: readonly number[];
}

/** The name and shape of an input or output of a model. */
export interface KerasSpec {
  /** The name of the layer in the file. */
  readonly name: string;
  /** The shape, samples first; null is a dimension of any size, such as the number of samples. */
  readonly dims: readonly (number | null)[];
}

/** A layer that was made, and where its inputs come from. */
export interface LayerStep {
  readonly name: string;
  readonly layer: Layer;
  readonly inputs: readonly OutputRef[];
  /** A mask for the first input, in place of its own. */
  readonly mask?: OutputRef | undefined;
}

/** The layers of a model in the order of computation, its inputs and outputs. */
export interface ModelGraph {
  readonly size: ModelSize;
  readonly steps: readonly LayerStep[];
  readonly inputs: readonly (KerasSpec & { readonly source: string })[];
  readonly outputs: readonly (KerasSpec & { readonly source: OutputRef })[];
}

/**
 * A model of Keras, which loadKeras() makes. Layers compute in float32, with the semantics of https://keras.io/api/layers/.
 * @example
 * ```js
 * import { readFileSync } from 'node:fs';
 * import { loadKeras } from 'lstm-wasm/keras';
 *
 * const model = loadKeras({ h5: readFileSync('model.h5') });
 * console.log(model.inputs[0].dims, model.outputs[0].dims); // [ null, 4, 2 ] [ null, 2 ]
 * ```
 */
export class KerasModel extends Owner {
  /** The inputs, in the order in which predict() takes them. */
  readonly inputs: readonly KerasSpec[];
  /** The outputs, in the order in which predict() gives them. */
  readonly outputs: readonly KerasSpec[];
  private readonly _graph: ModelGraph;
  /** For each step, the layers whose outputs nothing needs after it. */
  private readonly _last: readonly (readonly string[])[];

  /** @internal */
  constructor(graph: ModelGraph) {
    super('KerasModel');
    this._graph = graph;
    this._last = lastUses(graph);
    this.inputs = graph.inputs.map(({ name, dims }) => ({ name, dims }));
    this.outputs = graph.outputs.map(({ name, dims }) => ({ name, dims }));
  }

  /**
   * Runs the model on a batch, as model.predict of Keras does. A tensor gives the one output.
   * @param input a tensor of the shape `inputs[0].dims`, samples first
   * @returns a tensor of the shape `outputs[0].dims`, on memory of its own
   * @throws TypeError or RangeError that names the input. The states of stateful layers have not changed then, unless a layer
   *   has thrown, such as an Embedding for an index out of its range.
   * @throws ModelError that names a layer that asks for more work than inputs and weights account for
   */
  predict(input: KerasInput): TensorLike;
  /**
   * Runs a model with several inputs or outputs on a batch.
   * @param inputs a tensor for each of `this.inputs`, in that order
   * @returns a tensor for each of `this.outputs`, in that order
   * @throws TypeError or RangeError that names the input
   */
  predict(inputs: readonly KerasInput[]): TensorLike[];
  predict(input: KerasInput | readonly KerasInput[]): TensorLike | TensorLike[] {
    this.checkAlive();
    const { inputs, outputs } = this._graph;
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

  /**
   * Sets the states that stateful layers keep from call to call to zeros.
   * @throws Error after dispose()
   */
  resetStates(): void {
    this.checkAlive();
    for (const { layer } of this._graph.steps) layer.resetStates?.();
  }

  protected override free(): void {
    for (const { layer } of this._graph.steps) layer.dispose?.();
  }

  private _run(list: readonly KerasInput[]): TensorLike[] {
    const { steps, inputs, outputs, size } = this._graph;
    const values = new Map<string, readonly MaskedTensor[]>();
    let batch: number | undefined;
    let fed = 0;
    for (const [i, { name, dims, source }] of inputs.entries()) {
      const value = readInput(name, dims, list[i]);
      batch ??= value.dims[0]!;
      if (value.dims[0] !== batch)
        throw wrongValue('KerasModel', name, `${batch} samples, as the first input`, value.dims);
      values.set(source, [value]);
      fed += value.data.length;
    }
    const work = new Work(fed, size);
    const find = ({ name, index }: OutputRef) => values.get(name)![index]!;
    for (const [i, { name, layer, inputs, mask }] of steps.entries()) {
      const [first, ...rest] = inputs.map(find);
      const input = mask ? withMask(name, first!, find(mask)) : first!;
      work.countLayer(
        name,
        layer,
        [input, ...rest].map(({ dims }) => dims),
      );
      values.set(name, layer.run([input, ...rest], mask !== undefined));
      for (const done of this._last[i]!) values.delete(done);
    }
    // outputs are copied: one may be an input, the state of a layer, or another output too
    return outputs.map(({ name, source }) => {
      const { data, dims } = find(source);
      work.count(name, data.length);
      return { data: data.slice(), dims: [...dims] };
    });
  }
}

/** Finds for each step the layers whose outputs it is the last to take. */
function lastUses({ steps, outputs }: ModelGraph): string[][] {
  const last = new Map<string, number>();
  for (const [i, { name, inputs, mask }] of steps.entries()) {
    last.set(name, i);
    for (const source of mask ? [...inputs, mask] : inputs) last.set(source.name, i);
  }
  for (const { source } of outputs) last.delete(source.name);
  const lists = steps.map((): string[] => []);
  for (const [name, i] of last) lists[i]!.push(name);
  return lists;
}

/** Replaces the mask of an input by the tensor that the model passes. */
function withMask(name: string, input: MaskedTensor, { data, dims }: MaskedTensor): MaskedTensor {
  const wanted = input.dims.slice(0, 2);
  if (!sameDims(dims, wanted)) throw wrongValue(name, 'mask', formatDims(wanted), dims);
  return { ...input, mask: Uint8Array.from(data, (x) => (x !== 0 ? 1 : 0)) };
}

const INPUTS = ['Float32Array', 'Int32Array', 'BigInt64Array', 'Uint8Array', 'Array'];

/** Checks an input of predict() and converts it to float32. */
function readInput(name: string, wanted: Shape, input: KerasInput | undefined): MaskedTensor {
  if (input === null || typeof input !== 'object')
    throw wrongType('KerasModel', name, 'a tensor { data, dims }', input);
  const { data } = input;
  const dims: number[] = [];
  const count = readDims('KerasModel', name, input.dims, dims);
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
  return { data: copyNumbers(data, count), dims };
}

/** Copies numbers, so that no result shares memory with an input. Float32Array.from() would take several times as much memory. */
function copyNumbers(data: KerasInput['data'], count: number): Float32Array {
  const copy = new Float32Array(count);
  if (tag(data) === 'Float32Array') copy.set(data as Float32Array);
  else for (let i = 0; i < count; i++) copy[i] = toNumber(data[i]);
  return copy;
}

function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  throw wrongType('KerasModel', 'data', 'numbers', describe(value));
}
