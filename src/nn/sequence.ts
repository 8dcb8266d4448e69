import { copyIfInside, endScratch } from '../memory/arena.ts';
import { Layout, wholeTiles } from '../memory/layout.ts';
import { copyIn, fill, overwrites, readRows, skip, writeIntegers, writeRows } from '../memory/rows.ts';
import { RUN_BYTES, Run } from '../memory/structs.ts';
import type { RecurrentWeights } from './weights.ts';

// Runs a sequence through all layers. Input and output pass through scratch in linear memory in chunks of steps; inside a chunk
// one call into wasm runs all layers and directions. A bidirectional module needs its whole sequence as one chunk.

/** The floats of a chunk's input and outputs, about, so that they stay in the L2 cache. */
const CHUNK_FLOATS = 1 << 16;
/** The bytes of the gate sums of a block in the kernels, about, for the same reason. */
const BLOCK_BYTES = 1 << 17;
/** The most floats of an input that is copied as a whole. Copying a part takes a view, which is garbage. */
const WHOLE_FLOATS = 1 << 18;

const NOTHING: Float32Array = new Float32Array(0);

/** Zeroes or scales `count` floats at `pointer`. */
export type Dropout = (pointer: number, count: number) => void;

type Order = readonly number[] | null | undefined;

/**
 * One sequence, whose arguments the caller has checked: call `input` or `packed`, then `from` or `states`, `into`, and `run`. A
 * module keeps and refills its own, so that running makes no garbage; run() lets go of the caller's arrays.
 */
export class Sequence {
  /** Rows of a step: B */
  batch = 0;
  protected _input = NOTHING;
  protected _steps = 0;
  /** Rows of all steps */
  protected _rows = 0;
  protected _batchFirst = false;
  protected _batchSizes: readonly number[] | undefined;
  /** Row r of a batch is row `order[r]` of the states; without an order row r. */
  protected _order: Order;
  protected _output = NOTHING;
  /** Pointers of the states to go on from and to update; 0 if the states are arrays. */
  private _h = 0;
  private _c = 0;
  protected _h0: Float32Array | undefined;
  protected _c0: Float32Array | undefined;
  protected _hn = NOTHING;
  protected _cn = NOTHING;
  private readonly _run = new Run();
  private readonly _layout = new Layout();

  /**
   * Takes a padded or single sequence.
   * @param data [steps][batch][I], or [batch][steps][I] if `batchFirst`; the output has the same order
   */
  input(data: Float32Array, steps: number, batch: number, batchFirst = false): this {
    this._input = data;
    this._steps = steps;
    this.batch = batch;
    this._rows = steps * batch;
    this._batchFirst = batchFirst;
    this._batchSizes = undefined;
    this._order = undefined;
    return this;
  }

  /**
   * Takes a packed sequence.
   * @param data [rows][I]
   * @param order the row of the states for each row of the batch; null for the same row
   */
  packed(data: Float32Array, rows: number, batchSizes: readonly number[], order: Order): this {
    this.input(data, batchSizes.length, batchSizes[0]!);
    this._rows = rows;
    this._batchSizes = batchSizes;
    this._order = order;
    return this;
  }

  /** Starts from arrays [L * D][batch][Ho] and [L * D][batch][H]; undefined means zeros, or that a cell has no c. */
  from(h0?: Float32Array, c0?: Float32Array): this {
    this._h = this._c = 0;
    this._h0 = h0;
    this._c0 = c0;
    return this;
  }

  /** Goes on from the states [L * D][batch][Ho] and [L * D][batch][H] at these pointers, and updates them. */
  states(h: number, c: number): this {
    this._h = h;
    this._c = c;
    return this;
  }

  /** Writes outputs, and the last states unless they are at pointers, to these arrays. */
  into(output: Float32Array, hn = NOTHING, cn = NOTHING): this {
    this._output = output;
    this._hn = hn;
    this._cn = cn;
    return this;
  }

  /**
   * Runs the sequence through `model`; `dropout`, if given, goes over the outputs of every layer but the last.
   * @throws RangeError if linear memory cannot hold the scratch; nothing is changed then
   */
  run(who: string, model: RecurrentWeights, dropout?: Dropout): void {
    const { inputSize, cellSize, outputSize, numLayers, directions, kind } = model.sizes;
    const steps = this._steps;
    const batch = this.batch;
    const batchSizes = this._batchSizes;
    const width = directions * outputSize;
    this._checkInput(who, inputSize, outputSize, cellSize, numLayers * directions * batch);
    let input = copyIfInside(this._input);
    this._h0 &&= copyIfInside(this._h0);
    this._c0 &&= copyIfInside(this._c0);

    const stepFloats = batch * (inputSize + Math.min(numLayers, 2) * width);
    const chunkSteps = directions === 2 ? steps : Math.min(steps, Math.max(1, Math.floor(CHUNK_FLOATS / stepFloats)));
    const chunkRows = Math.min(chunkSteps * batch, this._rows);
    const cachedRows = Math.max(16, wholeTiles(BLOCK_BYTES, model.scratchBytes(1)));
    const blockRows = Math.min(cachedRows, Math.max(batch, chunkRows));
    const stateRows = numLayers * directions * batch;
    const hCount = this._h ? 0 : stateRows * outputSize;
    const cCount = this._c ? 0 : stateRows * cellSize;
    const whole = this._rows * inputSize <= WHOLE_FLOATS && !this._batchFirst;

    const layout = this._layout.clear();
    const even = layout.output(chunkRows * width);
    const odd = numLayers > 1 ? layout.output(chunkRows * width) : even;
    const h = layout.output(hCount);
    const c = layout.output(cCount);
    const x = layout.output((whole ? this._rows : chunkRows) * inputSize);
    const z = layout.line(model.scratchBytes(Math.max(batch, blockRows)));
    const call = layout.line(RUN_BYTES);
    const sizes = layout.floats(batchSizes ? chunkSteps : 0);
    const start = layout.scratch();
    this._checkAttached(who, width, hCount, cCount);
    const run = this._run;
    run.even = start + even;
    run.odd = start + odd;
    run.h = this._h || start + h;
    run.c = this._c || start + c;
    run.x = start + x;
    run.z = start + z;
    run.batchSizes = batchSizes ? start + sizes : 0;
    run.batch = batch;
    run.blockRows = blockRows;

    if (hCount) this._readState(run.h, this._h0, outputSize, stateRows);
    if (cCount) this._readState(run.c, this._c0, cellSize, stateRows);
    if (whole) copyIn(run.x, input, 0, input.length);
    else if (chunkSteps < steps && overwrites(this._output, width, input, inputSize)) input = input.slice();
    // in the caller's arrays the rows of a step follow each other, with batchFirst they lie `steps` rows apart
    const group = this._batchFirst ? batch : 1;
    const stride = this._batchFirst ? steps : 1;
    // without dropout, which comes between layers, one call runs all of them
    const layers = dropout ? 1 : numLayers;
    let row = 0;
    for (let step = 0; row < this._rows; step += chunkSteps) {
      run.T = Math.min(chunkSteps, steps - step);
      run.rows = batchSizes ? sumOf(batchSizes, step, run.T) : run.T * batch;
      if (batchSizes) writeIntegers(run.batchSizes, batchSizes, step, run.T);
      const first = this._batchFirst ? step : row;
      if (!whole) readRows(run.x, input, inputSize, run.rows, group, first, 1, stride);
      run.write(start + call);
      for (let from = 0; from < numLayers; from += layers) {
        const to = from + layers;
        kind.run(model.model, start + call, from, to);
        if (to < numLayers) dropout?.(from & 1 ? run.odd : run.even, run.rows * width);
      }
      writeRows(numLayers & 1 ? run.even : run.odd, this._output, width, run.rows, group, first, 1, stride);
      row += run.rows;
      if (whole) run.x = skip(run.x, run.rows * inputSize);
    }
    if (hCount) writeRows(run.h, this._hn, outputSize, stateRows, batch, 0, batch, 1, this._order);
    if (cCount) writeRows(run.c, this._cn, cellSize, stateRows, batch, 0, batch, 1, this._order);
    this._letGo();
  }

  /** Copies a state to linear memory, its rows in the order of the batch; undefined means zeros. */
  private _readState(pointer: number, state: Float32Array | undefined, size: number, rows: number): void {
    if (state) readRows(pointer, state, size, rows, this.batch, 0, this.batch, 1, this._order);
    else fill(pointer, rows * size, 0);
  }

  /** Ends a call: neither the caller's arrays nor much scratch are kept. */
  protected _letGo(): void {
    this.input(NOTHING, 0, 0).from().into(NOTHING);
    endScratch();
  }

  /** Views of linear memory have vanished if it has grown since they were checked, in a getter of the caller's. */
  protected _checkInput(who: string, I: number, Ho: number, cellSize: number, stateRows: number): void {
    const { _input: input, _h0: h0, _c0: c0 } = this;
    const isWhole = input.length === this._rows * I && (h0?.length ?? stateRows * Ho) === stateRows * Ho;
    if (!isWhole || (c0?.length ?? stateRows * cellSize) !== stateRows * cellSize) {
      this._letGo();
      throw new TypeError(`${who}: expected memory of its own, got a view of linear memory, which has grown`);
    }
  }

  /** Refuses results in linear memory that was detached when memory grew. */
  protected _checkAttached(who: string, width: number, hCount: number, cCount: number): void {
    const { _output: output, _hn: hn, _cn: cn } = this;
    if (output.length !== this._rows * width || hn.length !== hCount || cn.length !== cCount) {
      this._letGo();
      throw new TypeError(`${who}: "out" expected memory of its own, got a view of linear memory, which has grown`);
    }
  }
}

/** Counts the rows of `count` steps from `step` on. */
function sumOf(batchSizes: readonly number[], step: number, count: number): number {
  let rows = 0;
  for (let i = 0; i < count; i++) rows += batchSizes[step + i]!;
  return rows;
}
