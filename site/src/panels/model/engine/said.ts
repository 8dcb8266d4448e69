import { threeFigures } from '../numbers.ts';
import type { Outcome } from './subject.ts';

// What a model says, over the time of its input.

interface Named {
  readonly name: string;
  readonly data: ArrayLike<number> | BigInt64Array;
  readonly dims: readonly number[];
}

/** Numbers a step that are shown, at most. */
const WIDEST = 512;

/** The first output that has a row for each step, or else one of several rows; undefined if the model answers once. */
export function saidOf(outputs: readonly Named[], steps: number): Outcome['said'] {
  const floats = outputs.filter(({ data }) => data instanceof Float32Array);
  const found =
    floats.find((output) => countOf(output) === steps && steps > 1) ?? floats.find((output) => countOf(output) > 1);
  if (!found) return undefined;
  const count = countOf(found);
  const width = found.data.length / count;
  if (width > WIDEST || !Number.isInteger(width)) return undefined;
  return { name: found.name, data: found.data as Float32Array, width, count };
}

/** The steps of (T, ...) or (1, T, ...). */
function countOf({ dims }: Named): number {
  if (dims.length === 1) return dims[0]!;
  return dims.length > 2 && dims[0] === 1 ? dims[1]! : dims[0]!;
}

/** A short list of numbers: "0.12 0.88 …". */
export function vectorText(data: ArrayLike<number | bigint>): string {
  const shown = Array.from({ length: Math.min(6, data.length) }, (_, n) => {
    const value = Number(data[n]);
    return `${value < 0 ? '−' : ''}${threeFigures(Math.abs(value))}`;
  });
  return shown.join(' ') + (data.length > shown.length ? ` … (${data.length.toLocaleString('en-US')} numbers)` : '');
}
