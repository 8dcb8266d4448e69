import { wrongValue } from '../base/tensor.ts';
import type { Cells } from '../cells/cells.ts';
import { cellBytes, makeCell } from './cell.ts';
import type { Holding } from './holding.ts';
import type { Effort, MaskedTensor } from './layer.ts';
import type { LstmConfig } from './lstm-config.ts';

/** The h and c of each row, both (B, H). */
export interface State {
  readonly h: Float32Array;
  readonly c: Float32Array;
}

/** The results of a run: outputs and last states. */
export interface RecurrenceResult extends State {
  /** The outputs in the order in which they were computed, (B, T, H), or that of the last step, (B, H) */
  readonly output: Float32Array;
}

/** An LSTM of Keras with its masks, its direction and the state that it keeps. */
export class Recurrence {
  readonly config: LstmConfig;
  private readonly _name: string;
  /** Undefined: made in each run, where it would take too much more than its weights. */
  private readonly _cell: Cells | undefined;
  private readonly _makeCell: (() => Cells) | undefined;
  private readonly _inputSize: number;
  private _kept: (State & { readonly batch: number }) | undefined;

  /** @param weights kernel, recurrent kernel, and optionally bias */
  constructor(name: string, config: LstmConfig, weights: readonly Float32Array[], holding: Holding) {
    this.config = config;
    this._name = name;
    this._inputSize = weights[0]!.length / (4 * config.units);
    const read = weights.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const isHeld = holding.packs(cellBytes(this._inputSize, config.units), 3, read);
    this._cell = isHeld ? makeCell(config, weights) : undefined;
    this._makeCell = isHeld ? undefined : keepWeights(config, weights);
  }

  /** Counts the work of run() for an input of this shape. */
  effort(dims: readonly number[]): Effort {
    const [batch, steps, inputs] = dims as [number, number, number];
    const { units } = this.config;
    const rows = batch * steps;
    return { made: rows * (inputs + units), multiplied: 4 * rows * units * (inputs + units) };
  }

  /** Runs a batch. @param initial the initial h and c; without them zeros, or the state that the layer keeps */
  run({ data, dims, mask }: MaskedTensor, initial?: State): RecurrenceResult {
    const [batch, steps] = dims as readonly [number, number];
    if (steps === 0) throw wrongValue(this._name, 'input', 'at least one step', dims);
    const state = initial ?? this._start(batch);
    const ordered = this.config.goBackwards ? reverseSteps(data, batch, steps) : data;
    const result = mask
      ? this._runMasked(ordered, this.config.goBackwards ? reverseSteps(mask, batch, steps) : mask, steps, state)
      : this._runAll(ordered, batch, steps, state);
    const { h, c } = result;
    if (this.config.stateful) this._kept = { h, c, batch };
    return { h, c, output: this.config.returnSequences ? result.output : lastSteps(result.output, batch, steps) };
  }

  resetStates(): void {
    this._kept = undefined;
  }

  dispose(): void {
    this._cell?.dispose();
  }

  private _start(batch: number): State {
    const { units } = this.config;
    const kept = this._kept;
    if (kept && kept.batch !== batch) {
      const expected = `${kept.batch} samples, whose states are kept from call to call, or resetStates() before`;
      throw wrongValue(this._name, 'input', expected, batch);
    }
    return kept ?? { h: new Float32Array(batch * units), c: new Float32Array(batch * units) };
  }

  private _runAll(x: Float32Array, batch: number, steps: number, state: State): RecurrenceResult {
    if (batch === 0) return { ...state, output: new Float32Array(0) };
    return this._runCell(x, undefined, batch, steps, state);
  }

  private _runCell(
    x: Float32Array,
    lengths: readonly number[] | undefined,
    batch: number,
    steps: number,
    state: State,
  ): RecurrenceResult {
    const cell = this._cell ?? this._makeCell!();
    try {
      const { y, h, c } = cell.run({ x, T: steps, batch, lengths, h0: state.h, c0: state.c });
      return { output: y, h, c };
    } finally {
      if (!this._cell) cell.dispose();
    }
  }

  /** Runs the steps of each row that are not masked as a shorter sequence; a row without any keeps its state. */
  private _runMasked(x: Float32Array, mask: Uint8Array, steps: number, state: State): RecurrenceResult {
    const { units, zeroMasked, startsWithState } = this.config;
    const size = this._inputSize;
    const batch = mask.length / steps;
    const kept = Array.from({ length: batch }, (_, row) => {
      return Array.from({ length: steps }, (_, t) => t).filter((t) => mask[row * steps + t] !== 0);
    });
    const rows = kept.flatMap(({ length }, row) => (length > 0 ? [row] : []));
    const lengths = rows.map((row) => kept[row]!.length);
    const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
    const packed = new Float32Array(rows.length * longest * size);
    for (const [i, row] of rows.entries()) {
      for (const [k, t] of kept[row]!.entries()) {
        const from = (row * steps + t) * size;
        packed.set(x.subarray(from, from + size), (i * longest + k) * size);
      }
    }
    const [h, c] = [state.h.slice(), state.c.slice()];
    const of = (values: Float32Array, row: number) => values.subarray(row * units, (row + 1) * units);
    const start = { h: new Float32Array(rows.length * units), c: new Float32Array(rows.length * units) };
    for (const [i, row] of rows.entries()) {
      start.h.set(of(h, row), i * units);
      start.c.set(of(c, row), i * units);
    }
    const equal = lengths.every((length) => length === longest) ? undefined : lengths;
    const run = rows.length ? this._runCell(packed, equal, rows.length, longest, start) : { ...start, output: packed };
    for (const [i, row] of rows.entries()) {
      h.set(of(run.h, i), row * units);
      c.set(of(run.c, i), row * units);
    }
    const output = new Float32Array(batch * steps * units);
    for (let row = 0, i = 0; row < batch; row++) {
      let last = startsWithState ? of(state.h, row) : new Float32Array(units);
      let next = i * longest;
      if (kept[row]!.length > 0) i++;
      for (let t = 0; t < steps; t++) {
        const masked = mask[row * steps + t] === 0;
        if (!masked) last = of(run.output, next++);
        if (!masked || !zeroMasked) output.set(last, (row * steps + t) * units);
      }
    }
    return { h, c, output };
  }
}

/** Keeps weights for later cells. A function of its own: in the constructor, it would keep them beside the cell too. */
function keepWeights(config: LstmConfig, weights: readonly Float32Array[]): () => Cells {
  return () => makeCell(config, weights);
}

/** Reverses the steps of (B, T, *). */
export function reverseSteps<T extends Float32Array | Uint8Array>(data: T, batch: number, steps: number): T {
  const reversed = data.slice() as T;
  const size = data.length / (batch * steps);
  for (let row = 0; row < batch; row++) {
    for (let t = 0; t < steps; t++) {
      const from = (row * steps + t) * size;
      reversed.set(data.subarray(from, from + size), (row * steps + steps - 1 - t) * size);
    }
  }
  return reversed;
}

/** Copies the last step (B, *) of (B, T, *). */
function lastSteps(data: Float32Array, batch: number, steps: number): Float32Array {
  const size = data.length / (batch * steps) || 0;
  const last = new Float32Array(batch * size);
  for (let row = 0; row < batch; row++) {
    const end = (row + 1) * steps * size;
    last.set(data.subarray(end - size, end), row * size);
  }
  return last;
}
