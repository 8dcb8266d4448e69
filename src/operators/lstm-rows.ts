import type { Cells, PaddedBatch } from '../cells/cells.ts';
import type { Settings } from './recurrent-settings.ts';

// Batches whose sequences differ in length, or run in reverse, in arrays.

/**
 * Runs the sequences that have a step; the others have outputs and states of zeros, whatever their first states.
 * @param traces takes i, f, g, o, c and h [T][batch][H] of each direction, if it is given and there is a step
 */
export function runRows(
  cells: Cells,
  { cell, H, D, reverse }: Pick<Settings, 'cell' | 'H' | 'D' | 'reverse'>,
  all: PaddedBatch,
  traces?: Float32Array[],
) {
  const { T, batch } = all;
  const h = new Float32Array(D * batch * H);
  const c = new Float32Array(cell === 'LSTM' ? D * batch * H : 0);
  const rows = [...Array(batch).keys()].filter((b) => T > 0 && all.lengths?.[b] !== 0);
  if (rows.length === 0) return { y: new Float32Array(T * batch * D * H), h, c };
  const some = upToLongest(rows.length === batch ? all : pickRows(all, rows, H));
  const turned = reverse ? { ...some, x: turn(some.x, some) } : some;
  const states = cells.run(turned, traces);
  /** Puts rows of some steps of some sequences in their places among all. */
  const placed = (data: Float32Array): Float32Array => {
    const steps = reverse ? turn(data, some) : data;
    if (some.batch === batch && some.T === T) return steps;
    const out = new Float32Array((data.length / some.batch / some.T) * batch * T);
    moveRows(steps, out.subarray(0, (out.length / T) * some.T), rows, some.T, batch, false);
    return out;
  };
  traces?.splice(0, traces.length, ...traces.map(placed));
  const y = placed(states.y);
  if (rows.length === batch) return { ...states, y };
  moveRows(states.h, h, rows, D, batch, false);
  moveRows(states.c, c, rows, D, batch, false);
  return { y, h, c };
}

/** Leaves out the steps after the end of the longest sequence; where all end there, they are of one length. */
function upToLongest(all: PaddedBatch): PaddedBatch {
  const { lengths, T, x } = all;
  if (!lengths) return all;
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const isEqual = lengths.every((length) => length === longest);
  const used = longest === T ? x : x.subarray(0, (x.length / T) * longest);
  return { ...all, x: used, T: longest, lengths: isEqual ? undefined : lengths };
}

/** Steps of each sequence in reverse order, what is after its end left where it is. data [T][batch][...] */
function turn(data: Float32Array, { T, batch, lengths }: PaddedBatch): Float32Array {
  const out = data.slice();
  const size = data.length / (T * batch);
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < batch; b++) {
      const length = lengths?.[b] ?? T;
      if (t >= length) continue;
      const from = (t * batch + b) * size;
      out.set(data.subarray(from, from + size), ((length - 1 - t) * batch + b) * size);
    }
  }
  return out;
}

function pickRows(all: PaddedBatch, rows: readonly number[], H: number): PaddedBatch {
  const { T, batch, x } = all;
  const pick = (data: Float32Array, groups: number) => {
    const out = new Float32Array((data.length / batch) * rows.length);
    moveRows(out, data, rows, groups, batch, true);
    return out;
  };
  const state = (data: Float32Array | undefined) => data && pick(data, data.length / (batch * H));
  return {
    x: pick(x, T),
    T,
    batch: rows.length,
    lengths: rows.map((b) => all.lengths![b]!),
    h0: state(all.h0),
    c0: state(all.c0),
  };
}

/** Row i of each group of `some` and row rows[i] of the same group of `all`, one to the other. */
function moveRows(
  some: Float32Array,
  all: Float32Array,
  rows: readonly number[],
  groups: number,
  batch: number,
  out: boolean,
): void {
  const size = all.length / (groups * batch);
  for (let group = 0; group < groups; group++) {
    for (const [i, b] of rows.entries()) {
      const one = (group * rows.length + i) * size;
      const other = (group * batch + b) * size;
      if (out) some.set(all.subarray(other, other + size), one);
      else all.set(some.subarray(one, one + size), other);
    }
  }
}
