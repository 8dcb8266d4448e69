import type { Colour } from '../../kit/theme.ts';
import { threeFigures, valueText } from './numbers.ts';
import { type Scale, SIGNED } from './scales.ts';
import type { Gate, Gates } from './types.ts';

// How each gate looks on the strip.

/** The colour of each gate's line. */
export const TONES: Readonly<Record<Gate, Colour>> = { i: 'teal', f: 'rust', g: 'plum', o: 'must', c: 'ink', h: 'pen' };
const WORDS = { i: 'writes', f: 'keeps', g: 'new content', o: 'shows', c: 'cell state,\nasinh scale', h: 'output' };
export const HEIGHTS = { i: 88, f: 88, g: 88, o: 88, c: 128, h: 128 };
export const PHONE = { i: 64, f: 64, g: 64, o: 64, c: 88, h: 88 };

/** Values beside the answer: all of few, the largest of many. */
export function saidTexts(values: readonly number[]): string[] {
  if (values.length <= 3) return values.map(valueText);
  const most = values.reduce((best, value, n) => (value > values[best]! ? n : best), 0);
  return ['', `${valueText(values[most]!)} at ${most}`];
}

export const tick = (at: number, value: number) => ({
  at,
  text: `${value < 0 ? '−' : ''}${threeFigures(Math.abs(value))}`,
});

/** The next of 1, 2, 5, 10, 20 ... @param value at least 1 */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((times) => times * power).find((size) => size >= value * 0.9999)!;
}

export function detailOf(name: Gate, scale: Scale, gates: Gates): string {
  if (name === 'h' && gates.out !== gates.hidden) return 'projected';
  return (name === 'g' || name === 'h') && scale !== SIGNED ? `${WORDS[name]},\nasinh scale` : WORDS[name];
}
