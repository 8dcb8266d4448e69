import { crc32 } from '../base/crc32.ts';
import {
  checkOptions,
  describe,
  formatDims,
  product,
  readDims,
  readTensor,
  sameDims,
  type TensorLike,
  wrongType,
  wrongValue,
} from '../base/tensor.ts';
import { encodeUtf8 } from '../files/utf8.ts';
import type { Value } from '../graph/value.ts';
import { readFloats, writeFloats } from '../memory/pack.ts';
import { copyFloats, fill, skip } from '../memory/rows.ts';
import { Resource } from '../nn/module.ts';
import { decodeState, encodeState } from '../nn/saved-state.ts';
import type { OnnxFeeds, OnnxPort, ReadFeed } from './feeds.ts';
import type { OnnxResult, Results, RunOptions } from './results.ts';

/** Options of OnnxSession.stream(). */
export interface OnnxStreamOptions {
  /** The dims of states by the names of their inputs, where the file leaves sizes open. Default: 1 for each such size. */
  readonly dims?: Readonly<Record<string, readonly number[]>> | undefined;
}

/** An input that an output becomes before the next run. */
interface State {
  readonly name: string;
  /** The input's place among the inputs, and the output's among the outputs. */
  readonly input: number;
  readonly output: number;
  readonly dims: readonly number[];
  readonly count: number;
  readonly pointer: number;
}

/** A session, as its streams need it. */
export interface Runner {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  checkAlive(): void;
  /** @internal */
  runStream(stream: OnnxStream, feeds: OnnxFeeds, options: RunOptions | undefined): Record<string, OnnxResult>;
}

// A saved state, little-endian: "LSTG", the version, the CRC-32 of the states' names and dims; the states as float32; the CRC-32
// of all bytes before it.
const MAGIC = 0x4754534c;
const FIELDS = ['magic', 'version', 'model'];

/**
 * A model that goes on from run to run: outputs become inputs of the next run, in linear memory. Any number of streams share a
 * session's weights and plans.
 * @example
 * ```js
 * import { readFileSync } from 'node:fs';
 * import { loadOnnx } from 'lstm-wasm/onnx';
 *
 * const session = loadOnnx(readFileSync('silero_vad.onnx')); // Silero VAD
 * const voice = session.stream({ state: 'stateN' }); // its input `state` is the output `stateN` of the run before
 * const input = { data: new Float32Array(576), dims: [1, 576] };
 * const sr = { data: BigInt64Array.of(16000n), dims: [] };
 * for (let frame = 0; frame < 3; frame++) voice.run({ input, sr });
 * console.log(voice.run({ input, sr }).output.data[0] < 0.1); // true
 * voice.dispose();
 * session.dispose();
 * ```
 */
export class OnnxStream extends Resource {
  /** Places of the states' outputs. @internal */
  readonly places: readonly number[];
  private readonly _session: Runner;
  private readonly _states: readonly State[];
  private readonly _header: readonly number[];
  private readonly _count: number;

  /** @internal */
  constructor(session: Runner, bindings: unknown, options: OnnxStreamOptions | undefined) {
    super('OnnxStream');
    this._session = session;
    const states = readBindings(session, bindings, options);
    this._count = states.reduce((sum, { count }) => sum + count, 0);
    const block = this.allocate(4 * this._count);
    let pointer = block;
    this._states = states.map((state) => {
      const placed = { ...state, pointer };
      pointer = skip(pointer, state.count);
      return placed;
    });
    this.places = this._states.map(({ output }) => output);
    const shape = JSON.stringify(this._states.map(({ name, dims }) => [name, dims]));
    this._header = [MAGIC, 1, crc32(encodeUtf8(shape))];
  }

  /**
   * Runs the model on from the states, which the run updates.
   * @param feeds every input that is no state, by name, in an object or a Map
   * @returns the outputs by name, those that become states only if they are asked for
   * @throws as OnnxSession.run(); the states are unchanged then
   */
  run(feeds: OnnxFeeds, options?: RunOptions): Record<string, OnnxResult> {
    this.checkAlive();
    return this._session.runStream(this, feeds, options);
  }

  /** Sets the states to zeros. */
  reset(): void {
    this.checkAlive();
    fill(this._states[0]!.pointer, this._count, 0);
  }

  /** Copies the states, by the names of their inputs. */
  getState(): Record<string, TensorLike> {
    this.checkAlive();
    const all: Record<string, TensorLike> = Object.create(null);
    for (const { name, dims, count, pointer } of this._states) {
      all[name] = { data: readFloats(pointer, count), dims: [...dims] };
    }
    return all;
  }

  /**
   * Sets states by the names of their inputs; those that are left out stay.
   * @throws TypeError or RangeError that names a state; all are unchanged then
   */
  setState(states: Readonly<Record<string, TensorLike>>): void {
    this.checkAlive();
    if (states === null || typeof states !== 'object') {
      throw wrongType('OnnxStream', 'states', 'an object of tensors by name', states);
    }
    const all = Object.entries(states).map(([name, tensor]) => {
      const state = this._states.find((one) => one.name === name);
      if (!state)
        throw wrongValue('OnnxStream', 'states', this._states.map((one) => describe(one.name)).join(', '), name);
      const { data, dims } = readTensor('OnnxStream', name, tensor);
      if (!sameDims(dims, state.dims)) throw wrongValue('OnnxStream', name, formatDims(state.dims), dims);
      return { state, floats: data.slice() };
    });
    this.checkAlive();
    for (const { state, floats } of all) writeFloats(state.pointer, floats);
  }

  /** Writes the states as bytes that load() takes back, here or in another process, with their names, dims and a checksum. */
  save(): Uint8Array {
    this.checkAlive();
    return encodeState(this._header, readFloats(this._states[0]!.pointer, this._count));
  }

  /**
   * Goes on from states that save() wrote.
   * @throws TypeError if `bytes` is no Uint8Array; ModelError if it is damaged or comes from states of other names or dims. The
   *   states are unchanged then.
   */
  load(bytes: Uint8Array): void {
    this.checkAlive();
    const floats = decodeState('OnnxStream', FIELDS, this._header, this._count, bytes);
    writeFloats(this._states[0]!.pointer, floats);
  }

  /** Feeds the states. @internal */
  fill(feeds: readonly ReadFeed[]): void {
    for (let k = 0; k < this._states.length; k++) {
      const { input, dims, count, pointer } = this._states[k]!;
      const feed = feeds[input]!;
      feed.dims.length = dims.length;
      for (let i = 0; i < dims.length; i++) feed.dims[i] = dims[i]!;
      feed.count = count;
      feed.pointer = pointer;
    }
  }

  /** @throws RangeError if an output does not have the dims of its state. @internal */
  check(results: Results, values: readonly Value[]): void {
    for (let k = 0; k < this._states.length; k++) {
      const { name, output, dims } = this._states[k]!;
      const { dims: found, type } = values[results.places.indexOf(output)]!;
      if (!sameDims(dims, found)) throw wrongValue('OnnxStream', `the next ${describe(name)}`, formatDims(dims), found);
      // whatever the file says
      if (type !== 'float32') throw wrongType('OnnxStream', `the next ${describe(name)}`, 'float32', type);
    }
  }

  /** Takes the states that a run left. @internal */
  take(results: Results, values: readonly Value[]): void {
    for (let k = 0; k < this._states.length; k++) {
      const { output, pointer, count } = this._states[k]!;
      const value = values[results.places.indexOf(output)]!;
      if (value.known) writeFloats(pointer, value.data as Float32Array);
      else copyFloats(pointer, value.storage.pointer, count);
    }
  }
}

function readBindings(
  { inputs, outputs }: Runner,
  bindings: unknown,
  options: OnnxStreamOptions | undefined,
): Omit<State, 'pointer'>[] {
  const who = 'OnnxSession.stream';
  if (bindings === null || typeof bindings !== 'object') {
    throw wrongType(who, 'states', "an object of outputs' names by inputs' names", bindings);
  }
  checkOptions(who, options, ['dims']);
  const given = options?.dims;
  const placeOf = (ports: readonly OnnxPort[], what: string, name: unknown): number => {
    const place = ports.findIndex((port) => port.name === name);
    if (place < 0) throw wrongValue(who, what, ports.map((port) => describe(port.name)).join(', '), name);
    if (ports[place]!.type !== 'float32') throw wrongType(who, `${what} ${name}`, 'float32', ports[place]!.type);
    return place;
  };
  const entries = Object.entries(bindings);
  if (entries.length === 0) throw wrongValue(who, 'states', 'at least one', 'none');
  for (const name of Object.keys(given ?? {})) {
    if (!entries.some(([input]) => input === name)) throw wrongValue(who, 'dims', 'names of states', name);
  }
  const taken = new Set<number>();
  return entries.map(([name, outputName]) => {
    const input = placeOf(inputs, 'input', name);
    const output = placeOf(outputs, 'output', outputName);
    if (taken.has(output)) throw wrongValue(who, 'states', 'each output once', outputName);
    taken.add(output);
    const dims = stateDims(who, name, inputs[input]!.dims, given?.[name]);
    return { name, input, output, dims, count: product(dims) };
  });
}

/** The dims of a state: the file's, with 1 where it leaves a size open; or those given, which have to fit the file's. */
function stateDims(
  who: string,
  name: string,
  expected: OnnxPort['dims'],
  given: readonly number[] | undefined,
): readonly number[] {
  if (given === undefined) {
    if (!expected) throw wrongType(who, `dims.${name}`, 'dims, which the file does not say', given);
    return expected.map((size) => (typeof size === 'number' ? size : 1));
  }
  const dims: number[] = [];
  readDims(who, name, given, dims);
  const fits =
    !expected ||
    (dims.length === expected.length && expected.every((size, i) => typeof size === 'string' || size === dims[i]));
  if (!fits) throw wrongValue(who, `dims.${name}`, formatDims(expected.map((size) => size || '?')), dims);
  return dims;
}
