// The chart of the page's benchmark: times on a logarithmic axis, at any width, whatever was measured.
import { describe, expect, test } from 'vitest';
import { barChart, ticksTo } from '../../benchmarks/chart/bar-chart.mjs';
import { bytes, day, duration, figure, tickOfTime, times } from '../../benchmarks/chart/format.mjs';
import { overlap } from '../../benchmarks/chart/text.mjs';
import { THEMES } from '../../benchmarks/chart/theme.mjs';
import { standing, timeChart } from '../../benchmarks/chart/time-chart.mjs';
import { generator } from '../../benchmarks/shapes.mjs';

type Box = { left: number; right: number; top: number; bottom: number };
type Item = { kind: string; svg: string; box?: Box; text?: string };
type Scene = { width: number; height: number; items: Item[] };

const LABELS = ['1 × 8', '1 × 16', '64 × 64', '1024 × 1024'];

/** Rows that are measured, half measured and not yet measured; ours from 0.1 µs to 1 s. */
function made(seed: number) {
  const next = generator(seed);
  const time = (us: number) => ({ us, p95: us * (1.2 + next() / 5) });
  const row = (label: string) => {
    const us = 10 ** (2.5 + 3.4 * next());
    const names = ['ours', 'ours int8', 'plain', 'ort-web'];
    const all = names.map((name) => [name, next() > 0.8 ? undefined : time(us * 10 ** next())]);
    return { label, times: Object.fromEntries(next() > 0.8 ? [['ort-web', 'wrong']] : all) };
  };
  return [
    { title: 'One step of a stream', note: 'input × hidden', rows: LABELS.map(row) },
    { title: 'A whole sequence', note: 'in one call', rows: ['128 × 256, 2 layers, 200 steps'].map(row) },
  ];
}

function collisions({ width, height, items }: Scene): string[] {
  const texts = items.filter(({ kind }) => kind === 'text');
  const marks = items.filter(({ kind }) => kind === 'mark');
  const outside = texts.filter(
    ({ box }) => box!.left < 0 || box!.right > width || box!.top < 0 || box!.bottom > height,
  );
  const pairs = texts.flatMap((one, i) =>
    texts.slice(i + 1).flatMap((other) => (overlap(one.box!, other.box!) ? [`${one.text} | ${other.text}`] : [])),
  );
  const covered = texts.filter(({ box }) => marks.some((mark) => overlap(box!, mark.box!)));
  return [...outside, ...covered].map(({ text }) => text!).concat(pairs);
}

describe.each([
  [1440, 64],
  [1101, 64],
  [1100, 32],
  [820, 32],
  [641, 32],
  [640, 20],
  [390, 20],
  [360, 20],
])('%i px wide', (width, margin) => {
  test.each([1, 2, 3, 4, 5, 6])(
    'seed %i: no text touches another, a mark or the edge, and the height stays',
    (seed) => {
      const scene = timeChart({ groups: made(seed), width, margin }, THEMES.light) as Scene;
      expect(collisions(scene)).toEqual([]);
      expect(scene.items.map(({ svg }) => svg).join('')).not.toMatch(/NaN|undefined|Infinity/);
      expect(scene.height).toBe(timeChart({ groups: made(seed + 100), width, margin }, THEMES.dark).height);
    },
  );

  test('bars', () => {
    const rows = [
      { label: 'on this machine', ours: 221e3, peer: 1.2e6 },
      { label: 'at 10 Mbit/s, computed', ours: 2e6, peer: 5.9e6 },
    ];
    const chart = { title: 'From nothing to the first answer', note: 'Silero VAD in a fresh worker', width, margin };
    const scene = barChart({ ...chart, rows }, THEMES.light) as Scene;
    expect(collisions(scene)).toEqual([]);
    const empty = barChart({ ...chart, rows: rows.map(({ label }) => ({ label })) }, THEMES.light);
    expect(empty.height).toBe(scene.height);
  });
});

test('a loss is said in the colour of losses, an answer that differs too', () => {
  const row = (ours: number, peer: number | 'wrong') => ({
    label: 'x',
    times: { ours: { us: ours }, 'ort-web': peer === 'wrong' ? ('wrong' as const) : { us: peer } },
  });
  const rows = [row(1, 30), row(1, 1.04), row(1, 0.5), row(1, 'wrong')];
  const { items } = timeChart(
    { groups: [{ title: 'T', note: 'n', rows }], width: 1440, margin: 64 },
    THEMES.light,
  ) as Scene;
  const inRust = items.filter(({ svg }) => svg.includes(THEMES.light.rust)).flatMap(({ text }) => text ?? []);
  expect(inRust.sort()).toEqual(['0.50×', 'differs', 'slower here']);
  expect([1.06, 1.04, 1, 0.96, 0.94].map(standing)).toEqual(['faster', 'draw', 'draw', 'draw', 'slower']);
});

test('figures', () => {
  expect([0.0944, 0.193, 0.999, 3.27, 9.96, 12.4, 99.4, 99.6, 999, 1630, 12_149].map(figure)).toEqual([
    '0.094',
    '0.19',
    '1.0',
    '3.3',
    '10',
    '12',
    '99',
    '100',
    '999',
    '1,630',
    '12,100',
  ]);
  expect([0.884, 1, 86.5].map(times)).toEqual(['0.88×', '1.0×', '87×']);
  expect([0.17, 31, 999.6, 1770, 221_000, 1.2e6, 0].map(duration)).toEqual([
    '0.17 µs',
    '31 µs',
    '1.0 ms',
    '1.8 ms',
    '221 ms',
    '1.2 s',
    '0 s',
  ]);
  expect([0.01, 0.1, 1, 10, 100, 1000, 1e4, 1e5, 1e6].map(tickOfTime)).toEqual([
    '10 ns',
    '0.1 µs',
    '1 µs',
    '10 µs',
    '0.1 ms',
    '1 ms',
    '10 ms',
    '0.1 s',
    '1 s',
  ]);
  expect([512, 52_300, 3_700_000].map(bytes)).toEqual(['512 bytes', '52 KB', '3.7 MB']);
  expect(day('2026-11-06')).toBe('6 Nov 2026');
  expect(ticksTo(5.9, 6)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(ticksTo(0.23, 3)).toEqual([0, 0.1, 0.2, 0.30000000000000004]);
});
