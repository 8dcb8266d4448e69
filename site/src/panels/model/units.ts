import type { Seen } from './seen.ts';
import type { Gates, Track } from './types.ts';

// The order of units in the heat maps.

export type Order = 'effect' | 'activity' | 'number';

/** The values of a track's column that says most: the one that varies most. */
export function answerOf({ data, width, count }: Track): Float32Array {
  let [best, most] = [0, -1];
  for (let column = 0; column < width; column++) {
    const spread = deviation((n) => data[n * width + column]!, count);
    if (spread > most) [best, most] = [column, spread];
  }
  return Float32Array.from({ length: count }, (_, n) => data[n * width + best]!);
}

/** Standard deviation of values; those that are not finite count as zeros. */
function deviation(at: (n: number) => number, count: number): number {
  let [sum, squares] = [0, 0];
  for (let n = 0; n < count; n++) {
    const value = finite(at(n));
    sum += value;
    squares += value * value;
  }
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** The value above which an answer is a yes: 0.5 where it goes across it, else its mean. */
function middleOf(answer: Float32Array): number {
  const isYes = (value: number) => value > 0.5;
  if (answer.some(isYes) && !answer.every(isYes)) return 0.5;
  return answer.reduce((sum, value) => sum + finite(value), 0) / answer.length;
}

/**
 * How much each unit's h goes with the answer: its mean during yes minus its mean during no, over its deviation. A unit that never
 * changes has 0. The answer may have another number of steps than the gates.
 */
export function effects({ h, out, count }: Pick<Gates, 'h' | 'out' | 'count'>, answer: Float32Array): Float32Array {
  const middle = middleOf(answer);
  const isYes = Array.from(
    { length: count },
    (_, t) => answer[Math.min(answer.length - 1, Math.floor(((t + 0.5) * answer.length) / count))]! > middle,
  );
  const yes = isYes.filter(Boolean).length;
  return Float32Array.from({ length: out }, (_, unit) => {
    if (!yes || yes === count) return 0;
    const sums = [0, 0];
    for (let t = 0; t < count; t++) sums[Number(isYes[t])]! += finite(h[t * out + unit]!);
    const spread = deviation((t) => h[t * out + unit]!, count);
    return spread > 1e-9 ? (sums[1]! / yes - sums[0]! / (count - yes)) / spread : 0;
  });
}

/** How much each unit's h moves over time. */
export function activities({ h, out, count }: Pick<Gates, 'h' | 'out' | 'count'>): Float32Array {
  return Float32Array.from({ length: out }, (_, unit) => deviation((t) => h[t * out + unit]!, count));
}

/** Units by falling score; those with the same score by number. */
export function sortUnits(scores: Float32Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** The units from the top of the maps to the bottom. Without an effect, activity is taken; h of a projection has other units. */
export function orderUnits({ gates, effect, activity }: Seen, by: Order): Uint32Array {
  const isProjected = gates.out !== gates.hidden;
  if (by === 'number' || isProjected) return Uint32Array.from({ length: gates.hidden }, (_, unit) => unit);
  return sortUnits((by === 'effect' && effect) || activity);
}
