import { shadesOf } from './heat.ts';
import { cellScale, OPEN, rangeOf, type Scale, SIGNED } from './scales.ts';
import { GATES, type Gate, type Gates } from './types.ts';
import { activities, effects } from './units.ts';

// What a cell's heat maps are drawn of. It takes a while for large LSTMs, so a worker makes it.

/** Beyond it a state's small values would vanish on a plain scale. */
const PLAIN = 1.5;

/** Gates with their colours and the scores that units are sorted by. */
export interface Seen {
  readonly gates: Gates;
  /** Indices of colours, as the gates lie. */
  readonly shades: Readonly<Record<Gate, Uint8Array>>;
  /** The size of values at the ends of the scales of g, c and h. */
  readonly ranges: Readonly<Record<'g' | 'c' | 'h', number>>;
  readonly activity: Float32Array;
  /** Undefined where the model says nothing at each step. */
  readonly effect: Float32Array | undefined;
}

/** The scale of a gate's map. */
export function scaleOf(name: Gate, ranges: Seen['ranges']): Scale {
  if (name === 'i' || name === 'f' || name === 'o') return OPEN;
  if (name === 'c') return cellScale(ranges.c);
  // other activations than tanh go beyond 1
  return ranges[name] > PLAIN ? cellScale(ranges[name], 'one') : SIGNED;
}

/** @param answer what the model says at each step */
export function seen(gates: Gates, answer: Float32Array | undefined): Seen {
  const ranges = { g: rangeOf(gates.g), c: rangeOf(gates.c), h: rangeOf(gates.h) };
  const shades = GATES.map((name) => [name, shadesOf(gates[name], scaleOf(name, ranges))] as const);
  return {
    ...{ gates, ranges },
    shades: Object.fromEntries(shades) as Record<Gate, Uint8Array>,
    activity: activities(gates),
    effect: answer?.length ? effects(gates, answer) : undefined,
  };
}
