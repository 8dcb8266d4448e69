import { valueText } from './numbers.ts';
import type { Gates } from './types.ts';

// One step of one unit, in numbers.

/** A piece of a line, in the colour of its gate. */
export interface Piece {
  readonly text: string;
  readonly gate?: 'i' | 'f' | 'g' | 'o' | 'c' | 'h';
}

/** What a unit holds at a step. `before` is c of the step before: undefined at the first, where the state is the model's own start. */
export interface Moment {
  readonly i: number;
  readonly f: number;
  readonly g: number;
  readonly o: number;
  readonly c: number;
  readonly h: number;
  readonly before: number | undefined;
}

/** Reads a unit at a step. @param t counted from the left of the strip */
export function momentOf(gates: Gates, t: number, unit: number): Moment {
  const { count, hidden, out, reverse } = gates;
  const at = t * hidden + unit;
  const last = reverse ? t + 1 : t - 1;
  const [i, f, g, o, c] = (['i', 'f', 'g', 'o', 'c'] as const).map((name) => gates[name][at]!) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    ...{ i, f, g, o, c },
    h: unit < out ? gates.h[t * out + unit]! : Number.NaN,
    before: last >= 0 && last < count ? gates.c[last * hidden + unit]! : undefined,
  };
}

/** The sums that make c and h, as lines of pieces. @param isPlain whether h = o * tanh(c) */
export function equationOf({ i, f, g, o, c, h, before }: Moment, isPlain: boolean): Piece[][] {
  const start = before ?? 0;
  const sum: Piece[][] = [
    [
      { text: 'c = ' },
      { text: 'f', gate: 'f' },
      { text: '·c′ + ' },
      { text: 'i', gate: 'i' },
      { text: '·' },
      { text: 'g', gate: 'g' },
    ],
    [
      { text: '  = ' },
      { text: valueText(f), gate: 'f' },
      { text: `·${before === undefined ? 'c₀' : valueText(start)}` },
    ],
    [{ text: '  + ' }, { text: valueText(i), gate: 'i' }, { text: '·' }, { text: valueText(g), gate: 'g' }],
    [{ text: `  = ${valueText(c)}`, gate: 'c' }],
  ];
  const shown: Piece[][] = isPlain
    ? [
        [{ text: 'h = ' }, { text: 'o', gate: 'o' }, { text: '·tanh c' }],
        [
          { text: '  = ' },
          { text: valueText(o), gate: 'o' },
          { text: `·${valueText(Math.tanh(c))} = ` },
          { text: valueText(h), gate: 'h' },
        ],
      ]
    : [
        [{ text: 'o', gate: 'o' }, { text: ` = ${valueText(o)}` }],
        [{ text: 'h', gate: 'h' }, { text: ` = ${valueText(h)}` }],
      ];
  return [...sum, [], ...shown];
}

/** The same in a sentence, for readers of screens. */
export function sentenceOf({ i, f, g, o, c, h, before }: Moment, isPlain: boolean): string {
  const start = before === undefined ? 'c₀' : valueText(before);
  const state = `c = f·c′ + i·g = ${valueText(f)}·${start} + ${valueText(i)}·${valueText(g)} = ${valueText(c)}`;
  return isPlain
    ? `${state}; h = o·tanh c = ${valueText(o)}·${valueText(Math.tanh(c))} = ${valueText(h)}`
    : `${state}; o = ${valueText(o)}, h = ${valueText(h)}`;
}
