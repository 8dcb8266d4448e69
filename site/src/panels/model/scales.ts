import { threeFigures } from './numbers.ts';

// From a gate's value to one of 256 colours.

/** A scale: where a value lies from 0 (lowest colour) to 1, and what its ends are called. */
export interface Scale {
  readonly map: 'gate' | 'one' | 'div' | 'ink';
  readonly low: string;
  readonly high: string;
  /** The value at the middle of the colours is 0 in maps that have a zero. */
  place(value: number): number;
}

/** Of the sizes of values, the part that a scale does not cut off: a few units of an LSTM count far beyond the others. */
const SHOWN = 0.98;
/** Numbers that are looked at for a range: more are skipped evenly. */
const LOOKED_AT = 50_000;

/** Gates that a sigmoid gives. */
export const OPEN: Scale = { map: 'gate', low: '0', high: '1', place: (value) => value };

/** What a tanh gives. */
export const SIGNED: Scale = { map: 'one', low: '−1', high: '1', place: (value) => (value + 1) / 2 };

/** The size below which 98 % of values lie; 1 if all are zeros. */
export function rangeOf(values: Float32Array): number {
  const every = Math.max(1, Math.floor(values.length / LOOKED_AT));
  const sizes: number[] = [];
  for (let n = 0; n < values.length; n += every) if (Number.isFinite(values[n])) sizes.push(Math.abs(values[n]!));
  sizes.sort((a, b) => a - b);
  return sizes[Math.min(sizes.length - 1, Math.floor(SHOWN * sizes.length))] || 1;
}

/** A scale that grows as asinh from zero, so that small states are seen beside large ones. @param range its ends */
export function cellScale(range: number, map: Scale['map'] = 'div'): Scale {
  const end = Math.asinh(range);
  const text = threeFigures(Number(range.toPrecision(2)));
  return { map, low: `−${text}`, high: text, place: (value) => (Math.asinh(value) / end + 1) / 2 };
}

/** A plain scale around zero. */
export function evenScale(range: number): Scale {
  const text = threeFigures(Number(range.toPrecision(2)));
  return { map: 'one', low: `−${text}`, high: text, place: (value) => (value / range + 1) / 2 };
}

/**
 * The index of a value's colour. Zero of diverging maps is 128; what is not a number is there too.
 */
export function colourOf({ place }: Pick<Scale, 'place'>, value: number): number {
  const at = place(value);
  if (Number.isNaN(at)) return 128;
  return Math.max(0, Math.min(255, Math.round(256 * at)));
}
