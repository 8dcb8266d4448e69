import type { Cell, Gate, Gates } from '../types.ts';
import { GATES } from '../types.ts';

// Traces of LSTMs, as the panel keeps them: the first sequence of a batch, steps in the order of the strip.

interface Tensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** A direction's trace, as lstm-wasm gives it: (T, B, H) or (T, H). */
export type Direction = Readonly<Record<Gate, Tensor>>;

/** A layer's trace. */
export interface Layer {
  readonly forward: Direction;
  readonly reverse?: Direction;
}

/** How far gates and states are from the formulas that they stand for. */
export interface Agreement {
  /** The largest |c - (f c' + i g)|, per unit of the largest |c| or 1. */
  readonly c: number;
  /** The largest |h - o tanh(c)|; NaN with a projection. */
  readonly h: number;
}

/** Beyond it a formula is taken not to hold: sums of float32 are apart by less. */
const CLOSE = 1e-4;

/** The numbers of a tensor for the first sequence of a batch: [T][H]. */
function firstOf({ data, dims }: Tensor): Float32Array {
  const width = dims.at(-1)!;
  const batch = dims.length === 3 ? dims[1]! : 1;
  if (batch === 1) return data;
  const steps = dims[0]!;
  const first = new Float32Array(steps * width);
  for (let t = 0; t < steps; t++) first.set(data.subarray(t * batch * width, t * batch * width + width), t * width);
  return first;
}

/** Collects the traces of the calls of one run. */
export class TraceLog {
  #pieces = new Map<string, { cell: Cell; reverse: boolean; parts: Direction[] }>();

  /** Adds what a layer did in a call. @param k which of the LSTM's layers */
  add(name: string, k: number, layers: number, { forward, reverse }: Layer): void {
    // the turns of a loop follow each other, as steps do
    const lstm = name.replace(/(\[\d+\])+$/, '');
    for (const [direction, part] of [forward, reverse].entries()) {
      if (!part) continue;
      const key = `${lstm}\n${k}\n${direction}`;
      const which = [
        layers > 1 ? `layer ${k + 1} of ${layers}` : '',
        reverse ? (direction ? 'backwards' : 'forwards') : '',
      ]
        .filter(Boolean)
        .join(', ');
      const cell = { key, lstm, which, hidden: part.c.dims.at(-1)! };
      const entry = this.#pieces.get(key) ?? { cell, reverse: direction === 1, parts: [] };
      entry.parts.push(part);
      this.#pieces.set(key, entry);
    }
  }

  /** The gates by the keys of their cells. Cells that have no step are left out. */
  all(): Map<string, { cell: Cell; gates: Gates; agreement: Agreement }> {
    const entries = [...this.#pieces.values()].map(({ cell, reverse, parts }) => {
      const values = Object.fromEntries(GATES.map((name) => [name, join(parts.map((part) => firstOf(part[name])))]));
      const { hidden } = cell;
      const count = values.c!.length / hidden;
      const draft = {
        ...(values as Record<Gate, Float32Array>),
        ...{ key: cell.key, count, hidden, reverse, isPlain: true },
        out: values.h!.length / Math.max(1, count),
      };
      // a node that only runs in reverse has its one direction where others have the forward one
      const [ahead, back] = [agreementOf(draft), agreementOf({ ...draft, reverse: true })];
      const isBack = reverse || (ahead.c > CLOSE && back.c < ahead.c);
      const agreement = isBack ? back : ahead;
      const gates: Gates = { ...draft, reverse: isBack, isPlain: agreement.h <= CLOSE };
      return [cell.key, { cell, gates, agreement }] as const;
    });
    return new Map(entries.filter(([, { gates }]) => gates.count > 0));
  }
}

function join(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * Holds gates against c = f c' + i g and h = o tanh(c), in float64. The first step, whose state before is not traced, is left out, and
 * so are masked steps, where all gates are zeros and states stay.
 */
export function agreementOf({ i, f, g, o, c, h, count, hidden, out, reverse }: Gates): Agreement {
  let [worstC, worstH, largest] = [0, out === hidden ? 0 : Number.NaN, 1];
  const by = reverse ? hidden : -hidden;
  for (let n = 0; n < count * hidden; n++) {
    if (i[n] === 0 && f[n] === 0 && o[n] === 0) continue;
    largest = Math.max(largest, Math.abs(c[n]!));
    if (out === hidden) worstH = Math.max(worstH, Math.abs(h[n]! - o[n]! * Math.tanh(c[n]!)));
    if (n + by < 0 || n + by >= count * hidden) continue;
    worstC = Math.max(worstC, Math.abs(c[n]! - (f[n]! * c[n + by]! + i[n]! * g[n]!)));
  }
  return { c: worstC / largest, h: worstH };
}

/** The largest difference of two lists; Infinity if their lengths differ, 0 where both are the same bits. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let n = 0; n < a.length; n++) {
    if (Object.is(a[n], b[n])) continue;
    const difference = Math.abs(a[n]! - b[n]!);
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    most = Math.max(most, difference);
  }
  return most;
}
