import { checkOptions, describe, formatDims, sameDims, wrongType, wrongValue } from '../base/tensor.ts';
import { type ValueData, type ValueType, viewOf } from '../graph/types.ts';
import type { Value } from '../graph/value.ts';
import { isInside, viewAt } from '../memory/arena.ts';
import { checkData, isMap, type OnnxFeed, type OnnxPort, readDims } from './feeds.ts';

/** An output of a run, in memory of its own: later runs do not change it. */
export interface OnnxResult {
  /** The elements, row-major: Float32Array, BigInt64Array (int64), Int32Array, Int8Array, or Uint8Array (uint8, or bool as 0 and 1). */
  readonly data: ValueData;
  /** The shape; [] for a scalar. */
  readonly dims: readonly number[];
  /** 'float32', 'int64', 'int32', 'int8', 'uint8' or 'bool'. */
  readonly type: ValueType;
}

/** Options of OnnxSession.run(). */
export interface RunOptions {
  /** The names of the outputs to compute and return; nodes that only others need are not run. Default: those of `out`, or else all. */
  readonly outputs?: readonly string[] | undefined;
  /**
   * Tensors of the outputs' types and dims, such as earlier results, to write to and return, by the outputs' names; a run whose
   * outputs are all there makes no garbage. They may be the feeds.
   */
  readonly out?: Readonly<Record<string, OnnxFeed>> | undefined;
}

/** A tensor of the caller's to write an output to: its properties are read once. */
interface Target {
  tensor: OnnxFeed | undefined;
  data: ValueData | undefined;
  /** The number of elements of `data`. */
  length: number;
  /** Where `data` lies in linear memory, whose growth detaches it; -1 outside. */
  place: number;
  readonly dims: number[];
  /** Whether the output is asked for. */
  isAsked: boolean;
}

/** The outputs that a run is asked for, and where to write them. Kept and refilled, so that a run makes no garbage. */
export class Results {
  /** The places of the outputs among all outputs, in the order asked for. Overwritten: an array that is emptied is made anew. */
  readonly places: number[] = [];
  private _count = 0;
  private readonly _ports: readonly OnnxPort[];
  private readonly _targets: readonly Target[];
  private readonly _byName: ReadonlyMap<string, number>;
  private _out: object | undefined;
  /** How many of the places are returned. */
  private _returned = 0;
  private _word = '';

  constructor(ports: readonly OnnxPort[]) {
    this._ports = ports;
    this._targets = ports.map(() => ({
      tensor: undefined,
      data: undefined,
      length: 0,
      place: -1,
      dims: [],
      isAsked: false,
    }));
    this._byName = new Map(ports.map(({ name }, i) => [name, i]));
  }

  /**
   * @param word what errors call a tensor to write to
   * @param states places of outputs that are computed in any case, and not returned unless they are asked for
   * @throws TypeError or RangeError that names the option or output
   */
  read(word: string, options: RunOptions | undefined, states: readonly number[] = NO_STATES): void {
    checkOptions('run', options, OPTIONS);
    this.clear();
    this._word = word;
    const outputs = options?.outputs;
    const out = options?.out;
    if (out !== undefined) this._readOut(out);
    if (outputs !== undefined) this._readNames(outputs);
    else {
      for (let i = 0; i < this._ports.length; i++) {
        if (out === undefined ? !states.includes(i) : this._targets[i]!.tensor) this._ask(i);
      }
    }
    this._returned = this._count;
    for (let k = 0; k < states.length; k++) this._ask(states[k]!);
    if (this.places.length !== this._count) this.places.length = this._count;
  }

  /** Adds an output, unless it is asked for already. */
  private _ask(place: number): void {
    const target = this._targets[place]!;
    if (target.isAsked) return;
    target.isAsked = true;
    this.places[this._count++] = place;
  }

  private _placeOf(what: string, name: unknown): number {
    if (typeof name !== 'string') throw wrongType('run', what, 'names of outputs', name);
    const place = this._byName.get(name);
    if (place !== undefined) return place;
    throw wrongValue('run', what, this._ports.map((port) => describe(port.name)).join(', '), name);
  }

  private _readNames(outputs: unknown): void {
    if (!Array.isArray(outputs) || outputs.length === 0) {
      throw wrongType('run', 'outputs', 'an array of at least one name', outputs);
    }
    const count = outputs.length;
    for (let k = 0; k < count; k++) {
      this._ask(this._placeOf('outputs', outputs[k]));
    }
  }

  private _readOut(out: unknown): void {
    if (out === null || typeof out !== 'object' || isMap(out)) {
      throw wrongType('run', this._word, 'an object of tensors by name', out);
    }
    this._out = out;
    for (const name in out) {
      if (!Object.hasOwn(out, name)) continue;
      const place = this._placeOf(this._word, name);
      const { type } = this._ports[place]!;
      const target = this._targets[place]!;
      const tensor = (out as Record<string, unknown>)[name];
      if (tensor === null || typeof tensor !== 'object') {
        throw wrongType('run', this._nameOf(name), 'a tensor { data, dims }', tensor);
      }
      const { data, dims, type: said } = tensor as OnnxFeed;
      if (said !== undefined && said !== type) throw wrongType('run', `${this._nameOf(name)}.type`, type, said);
      target.data = checkData(this._nameOf, name, type, data);
      readDims(this._nameOf, name, dims, target.dims);
      target.tensor = tensor as OnnxFeed;
      target.length = target.data.length;
      target.place = isInside(target.data) ? target.data.byteOffset : -1;
    }
  }

  /**
   * Checks that results fit the tensors to write them to.
   * @throws RangeError if dims or the number of elements differ; TypeError if a result is not of the type that the file says
   */
  check(results: readonly Value[]): void {
    for (let k = 0; k < this.places.length; k++) {
      const { name, type } = this._ports[this.places[k]!]!;
      const { data, dims, length, place } = this._targets[this.places[k]!]!;
      if (!data) continue;
      const { dims: expected, type: found, count } = results[k]!;
      if (found !== type) throw wrongType('run', `${this._nameOf(name)}.type`, found, type);
      if (!sameDims(dims, expected)) throw wrongValue('run', `${this._nameOf(name)}.dims`, formatDims(expected), dims);
      const left = place < 0 ? data.length : length;
      if (left !== count) {
        throw wrongValue(
          'run',
          `${this._nameOf(name)}.data`,
          `${count} elements for dims ${formatDims(expected)}`,
          left,
        );
      }
    }
  }

  /** Writes results to the tensors, and gives them by name; new ones where there is no tensor. */
  write(results: readonly Value[]): Record<string, OnnxResult> {
    let isWhole = this._out !== undefined;
    for (let k = 0; k < this._returned; k++) {
      const { data, place, length } = this._targets[this.places[k]!]!;
      if (!data) isWhole = false;
      else if (place < 0) (data as Float32Array).set(results[k]!.data as Float32Array);
      else writeInside(results[k]!, place, length);
    }
    if (isWhole) return this._out as Record<string, OnnxResult>;
    // not from Object.create(null), whose names an engine lists anew whenever the results are an `out`
    const all: Record<string, OnnxResult> = Object.setPrototypeOf({}, null);
    for (let k = 0; k < this._returned; k++) {
      const place = this.places[k]!;
      const { tensor } = this._targets[place]!;
      const { type, dims, data } = results[k]!;
      all[this._ports[place]!.name] = (tensor as OnnxResult | undefined) ?? {
        data: data.slice(),
        dims: [...dims],
        type,
      };
    }
    return all;
  }

  private readonly _nameOf = (name: string): string => `${this._word} ${describe(name).slice(1, -1)}`;

  /** Lets go of the caller's objects. */
  clear(): void {
    this._count = 0;
    this._out = undefined;
    for (let i = 0; i < this._targets.length; i++) {
      this._targets[i]!.tensor = undefined;
      this._targets[i]!.data = undefined;
      this._targets[i]!.isAsked = false;
    }
  }
}

/** Writes a result to linear memory, which may have grown since the caller made a view of it. */
function writeInside({ type, data }: Value, pointer: number, count: number): void {
  const view = viewAt(pointer, (buffer, at) => viewOf(type, buffer, at, count));
  (view as Float32Array).set(data as Float32Array);
}

const OPTIONS = ['outputs', 'out'];
const NO_STATES: readonly number[] = [];
