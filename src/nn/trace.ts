import { type TensorLike, zeros } from '../base/tensor.ts';
import { copyIfInside } from '../memory/arena.ts';
import { Layout } from '../memory/layout.ts';
import { copyGates, ONE_DIRECTION_BYTES, writeDirection } from '../memory/lstm-weights.ts';
import type { LSTMSizes } from '../memory/parameters.ts';
import { copyIn, copyOut, fill, readRows, writeRows } from '../memory/rows.ts';
import { RUN_BYTES, Run } from '../memory/structs.ts';
import { wasm } from '../memory/wasm.ts';
import { Sequence } from './sequence.ts';
import type { RecurrentWeights } from './weights.ts';

/**
 * Gates and states of one layer in one direction at each step, as the formulas of nn.LSTM name them: (T, B, H), with batchFirst
 * (B, T, H), unbatched (T, H), or packed as the input. The step t of a reverse direction comes after steps T - 1 to t + 1.
 */
export interface DirectionTrace<T = TensorLike> {
  /** The input gate, after its sigmoid: how much of g enters c. */
  readonly i: T;
  /** The forget gate, after its sigmoid: how much of the last c stays. */
  readonly f: T;
  /** The cell gate, after its tanh: what enters c. */
  readonly g: T;
  /** The output gate, after its sigmoid: how much of tanh(c) is handed on. */
  readonly o: T;
  /** The cell state after the step. */
  readonly c: T;
  /** The output of the step; with a projection it is projected, and its last size is P. */
  readonly h: T;
}

/** The traces of the directions of a layer. */
export interface Directions<Trace> {
  /** The direction from the first step on. */
  readonly forward: Trace;
  /** The direction from the last step on, where the module is bidirectional. */
  readonly reverse?: Trace;
}

/** The trace of one layer. */
export interface LayerTrace<T = TensorLike> {
  /** The direction from the first step on. */
  readonly forward: DirectionTrace<T>;
  /** The direction from the last step on, where the module is bidirectional. */
  readonly reverse?: DirectionTrace<T>;
}

/** Results of LSTM.trace(): those of forward(), and what each layer did. */
export interface LSTMTrace<T = TensorLike> {
  /** h of the last layer at each step, as forward() gives it. */
  readonly output: T;
  /** h after the last step: (L·D, B, Ho), unbatched (L·D, Ho). */
  readonly hn: TensorLike;
  /** c after the last step: (L·D, B, H), unbatched (L·D, H). */
  readonly cn: TensorLike;
  /** A trace for each layer, the first layer's first. */
  readonly layers: readonly LayerTrace<T>[];
}

/** The traced values; the gates are in the order of the rows of weight_ih. */
const NAMES = ['i', 'f', 'g', 'o', 'c', 'h'];

/** Gives the values of each direction, i, f, g, o, c and h, or those of another kind of cell, their names. */
export function layerTrace<T, Trace = DirectionTrace<T>>(
  values: readonly T[],
  names: readonly string[] = NAMES,
): Directions<Trace> {
  const direction = (first: number) =>
    Object.fromEntries(names.map((name, n) => [name, values[first + n]])) as unknown as Trace;
  const forward = direction(0);
  return values.length > names.length ? { forward, reverse: direction(names.length) } : { forward };
}

/** A sequence that runs one layer in one direction at a time, step by step, to read gates and states in between. */
export class TracedSequence extends Sequence {
  /** Copies more sums of n rows of a step, where a kind of cell has more than those that are copied to `gates`. */
  protected copyMore?(
    z: number,
    sizes: LSTMSizes,
    n: number,
    gates: readonly Float32Array[],
    first: number,
    stride: number,
  ): void;
  /** Completes the sums of the k-th gate, when those before it are activated. */
  protected complete?(gates: readonly Float32Array[], k: number): void;

  /**
   * Runs the sequence as run() does, but without dropout.
   * @param wrap makes what the caller gets of a tensor [rows][*] whose rows are in the order of the input
   * @throws RangeError if memory cannot hold the trace
   */
  trace<T>(who: string, model: RecurrentWeights, wrap: (tensor: TensorLike) => T): Directions<unknown>[] {
    const { inputSize, cellSize, outputSize, numLayers, directions, kind } = model.sizes;
    this._checkInput(who, inputSize, outputSize, cellSize, numLayers * directions * this.batch);
    this._h0 &&= copyIfInside(this._h0);
    this._c0 &&= copyIfInside(this._c0);
    const names = [...kind.gates, ...kind.states.slice(1), 'h'];
    const layers: Directions<unknown>[] = [];
    let input = copyIfInside(this._input);
    for (let k = 0; k < numLayers * directions; k += directions) {
      const output = zeros(who, [this._rows, directions * outputSize]).data;
      const tensors = Array.from({ length: directions }, (_, direction) =>
        this._direction(who, model, k + direction, direction, input, output, names),
      );
      layers.push(layerTrace(tensors.flat().map(wrap), names));
      input = output;
    }
    this._output.set(input);
    this._letGo();
    return layers;
  }

  /**
   * Runs the k-th layer and direction.
   * @param input [rows][I]
   * @param output [rows][D * Ho], to whose columns of this direction h is written too
   * @returns the values of `names`: gates, c if the cell has it, and h
   */
  private _direction(
    who: string,
    model: RecurrentWeights,
    k: number,
    direction: number,
    input: Float32Array,
    output: Float32Array,
    names: readonly string[],
  ): TensorLike[] {
    const { sizes } = model;
    const { hiddenSize: H, cellSize, outputSize: Ho, directions, kind } = sizes;
    const { batch, _steps, _batchSizes, _rows, _order } = this;
    const tensors = names.map((name) => zeros(who, [_rows, name === 'h' ? Ho : H]));
    // an empty batch has no step, nor a size of its rows
    if (_rows === 0) return tensors;
    const I = input.length / _rows;
    const gates = tensors.map(({ data }) => data);
    const outputs = gates.pop()!;
    const cells = cellSize ? gates.pop() : undefined;
    const layout = new Layout();
    const [h, c, y] = [layout.output(batch * Ho), layout.output(batch * cellSize), layout.output(batch * Ho)];
    const x = layout.floats(batch * I);
    const z = layout.line(model.scratchBytes(batch));
    const [call, own] = [layout.line(RUN_BYTES), layout.line(ONE_DIRECTION_BYTES)];
    const start = layout.scratch();
    const run = new Run();
    Object.assign(run, { x: start + x, even: start + y, h: start + h, c: start + c, z: start + z, T: 1 });
    writeDirection(start + own, model.model, k, sizes);
    const states = [
      [run.h, Ho, this._h0, this._hn],
      [run.c, cellSize, this._c0, this._cn],
    ] as const;
    for (const [at, size, state] of states) {
      if (state) readRows(at, state, size, batch, batch, k * batch, batch, 1, _order);
      else fill(at, batch * size, 0);
    }
    // in the caller's arrays the rows of a step follow each other, with batchFirst they lie `steps` rows apart
    const stride = this._batchFirst ? _steps : 1;
    let row = direction ? _rows : 0;
    for (let s = 0; s < _steps; s++) {
      const t = direction ? _steps - 1 - s : s;
      const n = _batchSizes?.[t] ?? batch;
      if (direction) row -= n;
      const first = this._batchFirst ? t : row;
      readRows(run.x, input, I, n, n, first, n, stride);
      run.batch = run.rows = run.blockRows = n;
      kind.run(start + own, run.write(start + call), 0, 1);
      copyGates(run.z, sizes, n, gates, first, stride);
      this.copyMore?.(run.z, sizes, n, gates, first, stride);
      if (cells) writeRows(run.c, cells, H, n, n, first, n, stride);
      writeRows(run.even, outputs, Ho, n, n, first, n, stride);
      // a row of the output has the h of each direction
      writeRows(run.even, output, Ho, n, n, first * directions + direction, n, stride * directions);
      if (!direction) row += n;
    }
    for (const [at, size, , last] of states) writeRows(at, last, size, batch, batch, k * batch, batch, 1, _order);
    const { sigmoid_f32, tanh_f32 } = wasm();
    const count = _rows * H;
    const sums = layout.clear().output(count) + layout.scratch();
    for (const [k, gate] of gates.entries()) {
      this.complete?.(gates, k);
      copyIn(sums, gate, 0, count);
      // g of LSTM and n of GRU
      (k === 2 ? tanh_f32 : sigmoid_f32)(sums, count);
      copyOut(sums, count, gate, 0);
    }
    return tensors;
  }
}
