import { Owner } from '../base/owner.ts';
import { describe, formatDims, readDims, type TensorLike, tag, wrongType, wrongValue } from '../base/tensor.ts';
import type { Feed } from '../graph/plan.ts';
import { Plans } from '../graph/planner.ts';
import { Watch } from '../graph/watch.ts';
import { endScratch, isInside } from '../memory/arena.ts';
import type { LayerTrace } from '../nn/trace.ts';
import type { Shape } from './config.ts';
import type { ModelParts } from './parts.ts';
import { describeShape } from './shapes.ts';
import { mostElements, refuseWork, workFor } from './work.ts';

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

/** Results of KerasModel.trace(). */
export interface KerasTrace<T = TensorLike | TensorLike[]> {
  /** The results of predict(). */
  readonly outputs: T;
  /**
   * The trace of each LSTM layer, by its name, in an object without a prototype. The values are [T, samples, units], whatever the layer
   * returns. A layer that goes backwards has its steps in the order of its outputs, the last first; at a masked step gates are
   * zeros, and states stay. The second call of a layer, and the second cell of an RNN, is `name (2)`.
   */
  readonly nodes: Readonly<Record<string, LayerTrace>>;
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
  private readonly _parts: ModelParts;
  private readonly _plans: Plans;
  /** All outputs of the graph: those of the model, then the states. */
  private readonly _places: readonly number[];
  /** The states of stateful layers, and for how many samples; undefined: zeros. */
  private readonly _kept: ({ readonly batch: number; readonly data: Float32Array } | undefined)[];

  /** @internal */
  constructor(parts: ModelParts) {
    super('KerasModel');
    this._parts = parts;
    const { graph, inputs, outputs } = parts;
    const { states } = graph;
    const fed = [...inputs.map(({ slot }) => slot), ...states.map(({ input }) => input)];
    const results = [...outputs.map(({ slot }) => slot), ...states.map(({ now }) => now)];
    this._places = [...results.keys()];
    this._kept = states.map(() => undefined);
    this._plans = new Plans(graph.finish(fed, results), graph.slots, fail);
    this.inputs = inputs.map(({ name, dims }) => ({ name, dims }));
    this.outputs = outputs.map(({ name, dims }) => ({ name, dims }));
  }

  /**
   * Runs the model on a batch, as model.predict of Keras does. A tensor gives the one output.
   * @param input a tensor of the shape `inputs[0].dims`, samples first
   * @returns a tensor of the shape `outputs[0].dims`, on memory of its own
   * @throws TypeError or RangeError that names the input, or the layer that it does not fit. The states of stateful layers have
   *   not changed then.
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
    return this._predict(input);
  }

  /**
   * Runs the model as predict() does, and tells what its LSTM layers do at each step; stateful ones keep their states.
   * @param input what predict() takes: a tensor, or a list of them
   * @returns the results of predict(), and the traces by the names of layers
   * @throws as predict()
   * @example
   * ```js
   * import { readFileSync } from 'node:fs';
   * import { loadKeras } from 'lstm-wasm/keras';
   *
   * const model = loadKeras({ h5: readFileSync('model.h5') });
   * const { outputs, nodes } = model.trace({ data: new Float32Array(8).fill(1), dims: [1, 4, 2] });
   * console.log(Object.keys(nodes)); // [ 'lstm', 'bi' ]
   * console.log(outputs.dims, nodes.bi.reverse.c.dims); // [ 1, 2 ] [ 4, 1, 2 ]
   * ```
   */
  trace(input: KerasInput): KerasTrace<TensorLike>;
  /** Runs a model with several inputs or outputs, and traces it. */
  trace(inputs: readonly KerasInput[]): KerasTrace<TensorLike[]>;
  trace(input: KerasInput | readonly KerasInput[]): KerasTrace<TensorLike | TensorLike[]> {
    const watch = new Watch();
    return { outputs: this._predict(input, watch), nodes: watch.all() };
  }

  private _predict(input: KerasInput | readonly KerasInput[], watch?: Watch): TensorLike | TensorLike[] {
    this.checkAlive();
    const { inputs, outputs } = this._parts;
    const list = Array.isArray(input) ? (input as readonly KerasInput[]) : [input as KerasInput];
    if (list.length !== inputs.length) {
      const names = inputs.map(({ name }) => name).join(', ');
      throw wrongValue('KerasModel', 'input', `${inputs.length} tensors (${names})`, list.length);
    }
    if (!Array.isArray(input) && outputs.length > 1) {
      throw wrongValue('KerasModel', 'input', `a list, since the model has ${outputs.length} outputs`, 'one tensor');
    }
    const results = this._run(list, watch);
    return Array.isArray(input) ? results : results[0]!;
  }

  /**
   * Sets the states that stateful layers keep from call to call to zeros.
   * @throws Error after dispose()
   */
  resetStates(): void {
    this.checkAlive();
    this._kept.fill(undefined);
  }

  protected override free(): void {
    this._plans.dispose();
    this._parts.graph.dispose();
  }

  private _run(list: readonly KerasInput[], watch: Watch | undefined): TensorLike[] {
    const { graph, inputs, outputs } = this._parts;
    const feeds: Feed[] = [];
    let batch: number | undefined;
    for (const [i, { name, dims }] of inputs.entries()) {
      const feed = readInput(name, dims, list[i]);
      batch ??= feed.dims[0]!;
      if (feed.dims[0] !== batch)
        throw wrongValue('KerasModel', name, `${batch} samples, as the first input`, feed.dims);
      feeds.push(feed);
    }
    // a getter of the caller's may have disposed of the model
    this.checkAlive();
    const fed = feeds.reduce((sum, { count }) => sum + count, 0);
    for (const [i, { name, size }] of graph.states.entries()) {
      const kept = this._kept[i];
      if (kept && kept.batch !== batch) {
        const expected = `${kept.batch} samples, whose states are kept from call to call, or resetStates() before`;
        throw wrongValue(describe(name), 'input', expected, batch);
      }
      feeds.push(feedOf([batch!, size], kept?.data ?? new Float32Array(batch! * size)));
    }
    // outputs are copied: one may be an input, or another output too
    const check = (results: readonly { readonly count: number }[]) => {
      const made = results.reduce((sum, { count }) => sum + count, 0);
      if (made > mostElements(fed, graph)) refuseWork('the list of outputs');
    };
    const values = this._plans.run(feeds, this._places, () => workFor(fed, graph), { check }, watch);
    const copies = values.map(({ data, dims }) => ({ data: data.slice() as Float32Array, dims: [...dims] }));
    endScratch();
    for (const [i, { data }] of copies.splice(outputs.length).entries()) this._kept[i] = { batch: batch!, data };
    return copies;
  }
}

/** Errors of a run name their layers themselves. */
function fail(error: unknown): never {
  throw error;
}

function feedOf(dims: readonly number[], data: Float32Array): Feed {
  return { type: 'float32', dims, count: data.length, data, pointer: 0 };
}

const INPUTS = ['Float32Array', 'Int32Array', 'BigInt64Array', 'Uint8Array', 'Array'];

/** Checks an input of predict() and converts it to float32. */
function readInput(name: string, wanted: Shape, input: KerasInput | undefined): Feed {
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
  return feedOf(dims, floatsOf(data, count));
}

/**
 * Gives numbers as floats, copied unless they are floats already: a plan copies those. Memory that grows detaches floats in linear
 * memory. Float32Array.from() would take several times as much memory.
 */
function floatsOf(data: KerasInput['data'], count: number): Float32Array {
  if (tag(data) === 'Float32Array') {
    const floats = data as Float32Array;
    return isInside(floats) ? floats.slice() : floats;
  }
  const copy = new Float32Array(count);
  for (let i = 0; i < count; i++) copy[i] = toNumber(data[i]);
  return copy;
}

function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  throw wrongType('KerasModel', 'data', 'numbers', describe(value));
}
