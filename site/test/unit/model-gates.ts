import type { Gates } from '../../src/panels/model/types.ts';

/** An LSTM's gates of formulas, so that c and h are right in float64. */
export function makeGates(count: number, hidden: number, reverse = false): Gates {
  const fill = (shift: number) =>
    Float32Array.from({ length: count * hidden }, (_, n) => 0.5 + 0.4 * Math.sin(n * 1.7 + shift));
  const [i, f, o] = [fill(0), fill(1), fill(2)];
  const g = fill(3).map((value) => 2 * value - 1);
  const [c, h] = [new Float32Array(count * hidden), new Float32Array(count * hidden)];
  for (let s = 0; s < count; s++) {
    const t = reverse ? count - 1 - s : s;
    for (let unit = 0; unit < hidden; unit++) {
      const n = t * hidden + unit;
      const before = s ? c[n + (reverse ? hidden : -hidden)]! : 0;
      c[n] = f[n]! * before + i[n]! * g[n]!;
      h[n] = o[n]! * Math.tanh(c[n]!);
    }
  }
  return { ...{ i, f, g, o, c, h, count, hidden, reverse }, key: 'k', out: hidden, isPlain: true };
}
