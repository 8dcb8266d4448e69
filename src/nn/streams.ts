import {
  checkFloats,
  checkInteger,
  checkOptions,
  isView,
  wrongLength,
  wrongNumber,
  wrongType,
  wrongValue,
} from '../base/tensor.ts';
import { endScratch, isInside } from '../memory/arena.ts';
import { classOf } from '../memory/cell-kind.ts';
import { Layout, wholeTiles } from '../memory/layout.ts';
import { copyIn, copyInSome, copyOut, fill, overwrites, skip, writeChosen } from '../memory/rows.ts';
import { RUN_BYTES, Run } from '../memory/structs.ts';
import { wasm } from '../memory/wasm.ts';
import { IdTable } from './id-table.ts';
import { Resource } from './module.ts';
import { loadState, saveState } from './saved-state.ts';
import type { RecurrentWeights } from './weights.ts';

/** Options of streams(). */
export interface RecurrentStreamsOptions {
  /** Streams to take memory for at first; more is taken when all of them are open. Default 64. */
  readonly capacity?: number | undefined;
}

/** The default capacity, and the fewest streams that it grows by. */
const CAPACITY = 64;
/** The bytes of scratch for a chunk of rows, about, so that it stays in the L2 cache. */
const CHUNK_BYTES = 1 << 18;
/** A chunk has at least 32 rows, so that weights are not streamed for a few; more than 256 rows gain nothing. */
const LEAST_ROWS = 32;
const MOST_ROWS = 256;
const LAST_ID = 2 ** 31 - 1;

/**
 * Many sessions of one recurrent module such as LSTM or LSTMCell, made by its `streams()`, each with states of its own in linear
 * memory. One call steps any number of them together, and each gives the bits that it would give alone. Dropout is never applied; loadStateDict() takes
 * effect at the next step. Methods throw TypeError or RangeError that names a wrong argument; nothing is changed then.
 *
 * @example
 * ```js
 * import { LSTM } from 'lstm-wasm';
 *
 * const streams = new LSTM(2, 4, { seed: 1 }).streams();
 * const [a, b] = [streams.open(), streams.open()];
 * const outputs = new Float32Array(2 * 4);
 * streams.step([b, a], Float32Array.of(0.1, 0.2, 0.3, 0.4), outputs); // row 0 belongs to b, row 1 to a
 * streams.close(b);
 * console.log(streams.size, outputs.some((value) => value !== 0)); // 1 true
 * ```
 */
export class RecurrentStreams extends Resource {
  private readonly _model: RecurrentWeights;
  private readonly _chunkRows: number;
  private readonly _run = new Run();
  private readonly _layout = new Layout();
  private readonly _slots = new IdTable();
  /** The pointer of each slot's state: h [L][Ho], then c [L][H] */
  private _pointers = new Uint32Array(0);
  /** The free slots: the first `capacity - size` elements. open() takes the last of them. */
  private _free!: Int32Array;
  /** The slot of each row of the running call, and the row of each slot; the row of a slot that is not in the call is stale */
  private _slotOf!: Int32Array;
  private _rowOf!: Int32Array;
  private _size = 0;
  /** Counts what changes the tables */
  private _turn = 0;
  /** Not private, for a test that cannot open 2^31 streams. @internal */
  nextId = 1;

  /** @internal */
  constructor(model: RecurrentWeights, options: RecurrentStreamsOptions | undefined) {
    const who = `${classOf(model.sizes.kind.gates.length)}Streams`;
    checkOptions(who, options, ['capacity']);
    const capacity = checkInteger(who, 'capacity', options?.capacity ?? CAPACITY, 1);
    super(who);
    const { inputSize, outputSize, stateCount } = model.sizes;
    this._model = model;
    const rowBytes = model.scratchBytes(1) + skip(0, inputSize + 2 * outputSize + stateCount + 1);
    this._chunkRows = Math.min(MOST_ROWS, Math.max(LEAST_ROWS, wholeTiles(CHUNK_BYTES, rowBytes)));
    this._grow(capacity);
  }

  /** The number of open streams. */
  get size(): number {
    this._check();
    return this._size;
  }

  /** The number of streams that can be open before more memory is taken. */
  get capacity(): number {
    this._check();
    return this._pointers.length;
  }

  /**
   * Opens a stream with a state of zeros and returns its id: 1, 2, 3 ... No id is used twice.
   * @throws RangeError if memory cannot grow, or when 2^31 - 1 streams have been opened
   */
  open(): number {
    this._check();
    const id = this.nextId;
    if (id > LAST_ID)
      throw new RangeError(`${this.who}: all ids up to 2^31 - 1 have been given out; make new streams()`);
    const capacity = this._pointers.length;
    // by a sixteenth: little memory stays unused, and growing to any size copies its tables about 16 times in all
    if (this._size === capacity) this._grow(Math.max(CAPACITY, capacity >> 4));
    this._size++;
    this._turn++;
    const slot = this._free[this._pointers.length - this._size]!;
    this._clear(slot);
    this._slots.set(id, slot);
    this.nextId++;
    return id;
  }

  /**
   * Steps each stream in `ids` once. Allocates nothing, however `n` changes from call to call.
   * @param ids (n), ids of different open streams in any order
   * @param inputs (n, I), row k for ids[k]
   * @param outputs (n, Ho), row k for ids[k], to write to; may be `inputs` if the sizes are equal
   * @throws TypeError or RangeError that names the argument; no stream has stepped then
   */
  step(ids: Int32Array | readonly number[], inputs: Float32Array, outputs: Float32Array): void {
    this._check();
    const { inputSize, outputSize } = this._model.sizes;
    const count = checkIds(this.who, ids);
    this._choose(ids, count);
    checkRows(this.who, 'inputs', inputs, count, inputSize);
    checkRows(this.who, 'outputs', outputs, count, outputSize);
    if (count > 0) this._stepRows(count, inputs, outputs);
  }

  /** Steps the streams in slotOf once, chunk by chunk. */
  private _stepRows(count: number, inputs: Float32Array, outputs: Float32Array): void {
    const { inputSize: I, cellSize, outputSize: Ho, numLayers: L, kind } = this._model.sizes;
    const most = Math.min(count, this._chunkRows);
    const layout = this._layout.clear();
    const y = layout.output(most * Ho);
    const between = layout.output(most * Ho);
    const x = layout.floats(most * I);
    const h = layout.floats(most * L * Ho);
    const c = layout.floats(most * L * cellSize);
    const table = layout.floats(most);
    const call = layout.line(RUN_BYTES);
    const z = layout.line(this._model.scratchBytes(most));
    const start = layout.scratch();
    const run = this._run;
    run.x = start + x;
    run.even = start + (L & 1 ? y : between);
    run.odd = start + (L & 1 ? between : y);
    run.h = start + h;
    run.c = start + c;
    run.T = 1;
    run.z = start + z;
    // in the state of a stream c follows h
    const cOffset = skip(0, L * Ho);
    const { gather_states, scatter_states } = wasm();
    if (most < count && overwrites(outputs, Ho, inputs, I)) inputs = inputs.slice();
    for (let first = 0; first < count; first += most) {
      const rows = Math.min(most, count - first);
      writeChosen(start + table, this._pointers, this._slotOf, first, rows);
      if (rows === count) copyIn(run.x, inputs, 0, inputs.length);
      else copyInSome(run.x, inputs, first * I, rows * I);
      run.batch = run.rows = run.blockRows = rows;
      gather_states(start + table, 0, run.h, L, rows, Ho);
      gather_states(start + table, cOffset, run.c, L, rows, cellSize);
      kind.run(this._model.model, run.write(start + call), 0, L);
      scatter_states(start + table, 0, run.h, L, rows, Ho);
      scatter_states(start + table, cOffset, run.c, L, rows, cellSize);
      copyOut(start + y, rows * Ho, outputs, first * Ho);
    }
    endScratch();
  }

  /** Sets the state of a stream to zeros. */
  reset(id: number): void {
    this._clear(this._slot(id));
  }

  /** Writes the state as bytes, interchangeable with save() of `stream()`. */
  save(id: number): Uint8Array {
    return saveState(this._model.sizes, this._pointers[this._slot(id)]!);
  }

  /**
   * Goes on from a state that save() of this class or of `stream()` wrote.
   * @throws TypeError if `bytes` is no Uint8Array; ModelError if it is damaged or comes from a module of another shape
   */
  load(id: number, bytes: Uint8Array): void {
    loadState(this.who, this._model.sizes, this._pointers[this._slot(id)]!, bytes);
  }

  /** Closes a stream. The next one that is opened takes its memory, but not its id. */
  close(id: number): void {
    const slot = this._slot(id);
    this._slots.delete(id);
    this._turn++;
    this._free[this._pointers.length - this._size] = slot;
    this._size--;
  }

  private _check(): void {
    this.checkAlive();
    this._model.checkAlive();
  }

  private _slot(id: number): number {
    this._check();
    const slot = this._slots.get(id);
    if (slot < 0) throw notOpen(this.who, 'id', id);
    return slot;
  }

  /** Writes the slot of each id to slotOf; checks that all ids are open and different. */
  private _choose(ids: ArrayLike<number>, count: number): void {
    const slotOf = this._slotOf;
    const rowOf = this._rowOf;
    const turn = ++this._turn;
    for (let k = 0; k < count; k++) {
      const id = ids[k];
      // a getter may have opened, closed or stepped streams, which changes the tables
      if (turn !== this._turn) throw new TypeError(`${this.who}: "ids" expected no getters that use these streams`);
      const slot = this._slots.get(id);
      if (slot < 0) throw notOpen(this.who, `ids[${k}]`, id);
      const row = rowOf[slot]!;
      if (row < k && slotOf[row] === slot) throw wrongValue(this.who, `ids[${k}]`, 'every id once', id);
      rowOf[slot] = k;
      slotOf[k] = slot;
    }
    // or have disposed of them
    this._check();
  }

  private _clear(slot: number): void {
    fill(this._pointers[slot]!, this._model.sizes.stateCount, 0);
  }

  /** Adds `count` free slots when all are taken. States stay at their pointers. */
  private _grow(count: number): void {
    const layout = new Layout();
    layout.floats(this._model.sizes.stateCount);
    const bytes = layout.line(0);
    const block = this.allocate(count * bytes);
    const before = this._pointers.length;
    const capacity = before + count;
    const pointers = new Uint32Array(capacity);
    const free = new Int32Array(capacity);
    pointers.set(this._pointers);
    for (let k = 0; k < count; k++) {
      pointers[before + k] = block + k * bytes;
      free[count - 1 - k] = before + k;
    }
    this._slotOf = new Int32Array(capacity);
    this._rowOf = new Int32Array(capacity);
    this._slots.reserve(capacity);
    this._free = free;
    this._pointers = pointers;
  }
}

/** Streams of an LSTM or LSTMCell. */
export type LSTMStreams = RecurrentStreams;
/** Options of streams() of an LSTM or LSTMCell. */
export type LSTMStreamsOptions = RecurrentStreamsOptions;

function notOpen(who: string, what: string, id: unknown): Error {
  return wrongNumber(who, what, 'the id of an open stream', id);
}

/** Checks `ids` and counts them. */
function checkIds(who: string, ids: unknown): number {
  if (Array.isArray(ids)) return ids.length;
  if (!isView(ids, Int32Array)) throw wrongType(who, 'ids', 'an Int32Array or an array', ids);
  if (ids.length === 0) checkAttached(who, 'ids', ids);
  return ids.length;
}

function checkRows(who: string, what: string, data: Float32Array, rows: number, size: number): void {
  checkFloats(who, what, data);
  if (isInside(data)) {
    throw new TypeError(`${who}: "${what}" expected memory of its own, got a view of linear memory`);
  }
  if (data.length !== rows * size) throw wrongLength(who, what, rows * size, `${rows} ids`, data.length);
  if (rows === 0) checkAttached(who, what, data);
}

/** Tells a detached array from an empty one, which has the same length. */
function checkAttached(who: string, what: string, { buffer }: ArrayBufferView): void {
  try {
    new Uint8Array(buffer);
  } catch (cause) {
    throw new TypeError(`${who}: "${what}" expected an array, got a detached one`, { cause });
  }
}
