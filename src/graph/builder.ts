import { product } from '../base/tensor.ts';
import { onnxKernels } from '../cells/kernels.ts';
import { View } from '../cells/walks.ts';
import { align, endScratch, floats, scratch } from '../memory/arena.ts';
import { skip } from '../memory/rows.ts';
import { Block, BoundSteps, placeBuffers, type Step } from './block.ts';
import { copyElements } from './copy.ts';
import { permuted, strides } from './layout.ts';
import type { Residents } from './residents.ts';
import { bytesOf, type DataOf, newData, type ValueData, type ValueType } from './types.ts';
import { lying, NO_SOURCES, type Sources, Storage, Value } from './value.ts';
import type { Watch } from './watch.ts';

/** Limits of what a plan may ask for. */
export interface Limits {
  /** Counts elements that are made or moved. */
  count(elements: number, path: string): void;
  /** Counts multiplications. */
  spend(multiplications: number, path: string): void;
  /** Checks dims one by one, and counts their elements. */
  make(type: ValueType, dims: readonly number[], path: string): void;
  /** Counts a step, which takes about a kilobyte. */
  step(path: string): void;
  copy(): Limits;
}

/** Steps beyond any plan's. */
const FOREVER = Number.POSITIVE_INFINITY;

/** Thrown where planning needs elements of a value that only a run has. */
export class Needed extends Error {
  readonly value: Value;

  constructor(value: Value) {
    super('a value is needed while planning');
    this.value = value;
  }
}

interface Draft {
  readonly storages: readonly Storage[];
  readonly bind: () => Step;
}

/**
 * Takes the steps of a plan from operators, gives every value a place in one block of linear memory, and binds the steps to it.
 * Where all inputs of a node are known, its steps run at once and its results are known.
 */
export class Builder {
  limits: Limits;
  /** Whether steps run at once. */
  immediate = false;
  /** The sources of what the current node makes. */
  sources: Sources = NO_SOURCES;
  /** Where recurrent nodes tell what they do, if somebody wants to know. */
  readonly watch: Watch | undefined;
  /** Tells the turn of a node that is repeated: `[3]`. */
  turn = '';
  private readonly _residents: Residents | undefined;
  private _path = '';
  private readonly _drafts: Draft[] = [];
  /** Known elements that steps read from linear memory. */
  private readonly _constants = new Map<ValueData, Storage>();
  private readonly _plain = new Map<Value, Value>();

  /** @param residents constants that plans share */
  constructor(limits: Limits, residents?: Residents, watch?: Watch) {
    this.limits = limits;
    this.watch = watch;
    this._residents = residents;
  }

  /** Begins a node with these inputs. */
  begin(inputs: readonly (Value | undefined)[], path: string): void {
    this._path = path;
    this.immediate = inputs.every((input) => !input || input.known);
    this.sources = unionOf(inputs);
  }

  count(elements: number, path: string): void {
    this.limits.count(elements, path);
  }

  spend(multiplications: number, path: string): void {
    this.limits.spend(multiplications, path);
  }

  /** Makes a result; steps of the node write all of its elements. In steps that run at once they are zeros first. */
  make<Type extends ValueType>(type: Type, dims: readonly number[], path: string): Value<DataOf<Type>> {
    this.limits.make(type, dims, path);
    return this._make(type, dims);
  }

  /** Makes a result of the dims of an input and with its order of elements. */
  makeLike<Type extends ValueType>(type: Type, input: Value, path: string): Value<DataOf<Type>> {
    const out = this.make(type, input.dims, path);
    return input.turned ? new Value(out.dims, out.storage, true) : out;
  }

  /** Makes a buffer of floats for steps of this node. */
  scratch(count: number): Value<Float32Array> {
    return this._make('float32', [count]);
  }

  /** Makes a result as make() does, whose elements the node has counted. */
  buffer<Type extends ValueType>(type: Type, dims: readonly number[]): Value<DataOf<Type>> {
    return this._make(type, dims);
  }

  /** Makes a buffer that belongs to the plan: what binding a step writes there stays. */
  keep(bytes: number): Value<Float32Array> {
    const value = this.scratch(Math.ceil(bytes / 4));
    value.storage.last = FOREVER;
    return value;
  }

  private _make<Type extends ValueType>(type: Type, dims: readonly number[]): Value<DataOf<Type>> {
    const count = product(dims);
    if (this.immediate) return Value.of(type, dims, newData(type, count));
    return new Value(dims, Storage.planned(type, count, this.sources));
  }

  /** Gives a result whose channels, axis 1, were written as the last axis, which is the same where they or all behind are 1. */
  turned(value: Value<Float32Array>): Value<Float32Array> {
    const [, C, ...area] = value.dims;
    return C === 1 || product(area) === 1 ? value : new Value(value.dims, value.storage, true);
  }

  /** Makes a value of what is known while planning. */
  constant<Data extends ValueData>(type: ValueType, dims: readonly number[], data: Data): Value<Data> {
    return Value.of(type, dims, data);
  }

  /**
   * Adds a step.
   * @param values all that it reads and writes
   * @param bind gives the step, once pointers are known
   */
  step(values: readonly (Value | undefined)[], bind: () => Step): void {
    if (this.immediate) {
      bind()();
      return;
    }
    const storages = values.flatMap((value) => (value && !value.known ? [value.storage.root] : []));
    this._add(storages, bind);
  }

  /**
   * Adds a step that works in linear memory.
   * @param bind gives the step from the pointers of `reads`, then `writes`; 0 for one that is left out
   */
  kernel(reads: readonly (Value | undefined)[], writes: readonly Value[], bind: (...pointers: number[]) => Step): void {
    const all = [...reads, ...writes];
    if (this.immediate) {
      runInScratch(reads, writes, bind);
      return;
    }
    const storages = all.map((value) => value && this._resident(value));
    const roots = storages.flatMap((storage) => (storage ? [storage.root] : []));
    this._add(roots, () => bind(...storages.map((storage) => storage?.pointer ?? 0)));
  }

  private _add(storages: readonly Storage[], bind: () => Step): void {
    this.limits.step(this._path);
    this._drafts.push({ storages, bind });
  }

  /** Where a value lies in linear memory; known elements get a place there. */
  private _resident(value: Value): Storage {
    const { type, storage } = value;
    if (!storage.known) return storage;
    const shared = this._residents?.find(value);
    if (shared) return shared;
    const { data } = storage;
    let copy = this._constants.get(data);
    if (!copy) {
      copy = Storage.planned(type, storage.count, NO_SOURCES);
      copy.last = FOREVER;
      this._constants.set(data, copy);
    }
    return copy;
  }

  /**
   * Copies elements: [i, j, ...] of `dims` from start + i steps[0] + ... of `from` to toStart + i toSteps[0] + ... of `to`; by
   * default to one after the other.
   */
  copy(
    from: Value,
    start: number,
    steps: readonly number[],
    to: Value,
    dims: readonly number[] = to.dims,
    toStart = 0,
    toSteps: readonly number[] = strides(dims),
  ): void {
    if (product(dims) === 0) return;
    if (this.immediate || bytesOf(from.type, 1) < 4) {
      this.step([from, to], () => () => copyElements(from.data, start, steps, to.data, toStart, toSteps, dims));
      return;
    }
    // words: two for an int64
    const size = from.type === 'int64' ? 2 : 1;
    const words = (list: readonly number[]) => [...list.map((step) => size * step), 1];
    const view = new View([...dims, size], words(steps), words(toSteps));
    this.kernel([from], [to, this.keep(view.bytes)], (atFrom, atTo, struct) => {
      view.src = skip(atFrom, size * start);
      view.dst = skip(atTo, size * toStart);
      view.write(struct);
      const { copy_view } = onnxKernels();
      return () => copy_view(struct);
    });
  }

  /** Reorders axes: axis i of the result is axis order[i]. No element moves where only axes of size 1 do. */
  permute<Data extends ValueData>(value: Value<Data>, order: readonly number[]): Value<Data> {
    const { dims, isView } = permuted(value.dims, order);
    if (isView) return value.withDims(dims);
    const out = this._make(value.type, dims) as unknown as Value<Data>;
    const from = strides(value.dims);
    this.copy(
      value,
      0,
      order.map((axis) => from[axis]!),
      out,
    );
    return out;
  }

  /** A value in the usual order of elements. */
  plain<Data extends ValueData>(value: Value<Data>): Value<Data> {
    if (!value.turned) return value;
    const known = this._plain.get(value);
    if (known) return known as Value<Data>;
    const { sources, immediate } = this;
    this.sources = value.storage.sources;
    this.immediate = value.known;
    const order = [...value.dims.keys()];
    order.splice(1, 0, order.pop()!);
    const plain = this.permute(lying(value), order);
    this.sources = sources;
    this.immediate = immediate;
    this._plain.set(value, plain);
    return plain;
  }

  /**
   * Gives a value whose elements are known.
   * @throws Needed if they are not
   */
  need<Data extends ValueData>(value: Value<Data>): Value<Data> {
    if (value.known) return value;
    // of an input that was put in order for the node, the input itself: its steps are dropped with the node's
    for (const [turned, plain] of this._plain) if (plain === value) throw new Needed(turned);
    throw new Needed(value);
  }

  /** Remembers the steps so far; with the number, cut() drops the later ones. */
  get length(): number {
    return this._drafts.length;
  }

  cut(length: number): void {
    this._drafts.length = length;
    this._plain.clear();
  }

  /**
   * Places every buffer and binds the steps.
   * @param inputs buffers that are filled before the first step
   * @param kept buffers that are read after the last step
   * @throws RangeError if linear memory cannot hold them
   */
  bind(inputs: readonly Value[], kept: readonly Value[]): BoundSteps {
    /** Buffers of the whole run. */
    const whole = new Set<Storage>(this._constants.values());
    /** Buffers by the step that writes them first. */
    const firsts: Storage[][] = this._drafts.map(() => []);
    const seen = new Set<Storage>();
    for (const { storage } of kept) storage.root.last = FOREVER;
    for (const { storage } of [...inputs, ...kept]) if (isHomeless(storage)) whole.add(storage.root);
    for (const [i, { storages }] of this._drafts.entries()) {
      for (const root of storages) {
        if (!isHomeless(root) || whole.has(root)) continue;
        if (root.last === FOREVER) whole.add(root);
        else {
          if (!seen.has(root)) firsts[i]!.push(root);
          seen.add(root);
          root.last = i;
        }
      }
    }
    const places = placeBuffers([...whole], firsts);
    const block = new Block(places.bytes);
    try {
      for (const [root, offset] of places.offsets) root.place(block.pointer + offset);
      for (const [data, copy] of this._constants) (copy.data as Float32Array).set(data as Float32Array);
      const steps = this._drafts.map(({ bind }) => bind());
      return new BoundSteps(steps, places.bytes, block);
    } catch (error) {
      block.dispose();
      throw error;
    }
  }
}

/** Whether a storage needs a place in the block. */
function isHomeless({ known, root }: Storage): boolean {
  return !known && root.pointer < 0;
}

/** The most feeds on which a value is said to depend. More would take memory and time by their square. */
const MOST_SOURCES = 16;

function unionOf(values: readonly (Value | undefined)[]): Sources {
  let union: ReadonlySet<number> = NO_SOURCES!;
  for (const value of values) {
    const sources = value?.storage.sources;
    if (!value || sources === union) continue;
    if (!sources) return undefined;
    if (union.size === 0) union = sources;
    else if ([...sources].some((feed) => !union.has(feed))) union = new Set([...union, ...sources]);
    if (union.size > MOST_SOURCES) return undefined;
  }
  return union;
}

/** Runs a step that works in linear memory on known values. */
function runInScratch(
  reads: readonly (Value | undefined)[],
  writes: readonly Value[],
  bind: (...pointers: number[]) => Step,
): void {
  const all = [...reads, ...writes];
  let bytes = 0;
  const offsets = all.map((value) => {
    bytes += align(value?.storage.bytes ?? 0);
    return bytes - align(value?.storage.bytes ?? 0);
  });
  const start = scratch(bytes);
  const view = (i: number): Uint8Array => new Uint8Array(floats().buffer, start + offsets[i]!, all[i]!.storage.bytes);
  const bytesOf = ({ data }: Value): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (const [i, value] of reads.entries()) if (value) view(i).set(bytesOf(value));
  bind(...offsets.map((offset, i) => (all[i] ? start + offset : 0)))();
  for (const [i, value] of writes.entries()) bytesOf(value).set(view(reads.length + i));
  endScratch();
}
