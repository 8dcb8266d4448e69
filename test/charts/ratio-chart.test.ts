// The chart of README.md and RESULTS.md: nothing runs into anything else, whatever was measured, and losses are named.
import { describe, expect, test } from 'vitest';
import { ratioChart } from '../../benchmarks/chart/ratio-chart.mjs';
import { loses } from '../../benchmarks/chart/ratio-labels.mjs';
import { render } from '../../benchmarks/chart/svg.mjs';
import { overlap } from '../../benchmarks/chart/text.mjs';
import { THEMES } from '../../benchmarks/chart/theme.mjs';
import { chartsOf, labelOf } from '../../benchmarks/charts.mjs';
import { generator } from '../../benchmarks/shapes.mjs';

type Box = { left: number; right: number; top: number; bottom: number };
type Item = { kind: string; svg: string; box?: Box; text?: string };

const NAMES = [
  'ours int8',
  'plain',
  'ort-web',
  'ort-web int8',
  'ort-node',
  'ort-node int8',
  'tfjs-wasm',
  'tfjs-cpu',
  'brain.js',
];

/** Ratios from 0.05 to 500, some left out, most with a 95th percentile. */
function made(seed: number, rows: number, names: readonly string[]) {
  const next = generator(seed);
  const group = (title: string) => ({
    title,
    rows: Array.from({ length: rows }, (_, i) => {
      const us = 10 ** (next() * 3 + 1.5);
      const peers = names.flatMap((name) => {
        const ratio = 10 ** (0.7 + next() * 2);
        return next() > 0.9
          ? []
          : [[name, { us: us * ratio, ...(next() > 0 && { p95: us * ratio * (1.5 + next() / 2) }) }]];
      });
      return {
        label: `${2 ** i} × ${3 ** i}, ${i} layers`,
        ours: { us, p95: us * 1.3 },
        peers: Object.fromEntries(peers),
      };
    }),
  });
  return { title: 'How many times as long', subtitle: 'made up', groups: [group('Streams'), group('Sequences')] };
}

function problemsOf({ width, height, items }: { width: number; height: number; items: Item[] }): string[] {
  const texts = items.filter(({ kind }) => kind === 'text');
  const marks = items.filter(({ kind }) => kind === 'mark');
  const outside = texts.filter(
    ({ box }) => box!.left < 0 || box!.right > width || box!.top < 0 || box!.bottom > height,
  );
  const pairs = texts.flatMap((one, i) =>
    texts
      .slice(i + 1)
      .filter((other) => overlap(one.box!, other.box!))
      .map((other) => `${one.text} | ${other.text}`),
  );
  const covered = texts.filter(({ box }) => marks.some((mark) => overlap(box!, mark.box!)));
  return [
    ...outside.map(({ text }) => `outside: ${text}`),
    ...pairs,
    ...covered.map(({ text }) => `on a mark: ${text}`),
  ];
}

describe.each([
  [1, 2],
  [4, 6],
  [7, 4],
  [10, 9],
])('%i rows, %i contestants', (rows, count) => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i: no text touches another, a mark or the edge', (seed) => {
    expect(problemsOf(ratioChart(made(seed, rows, NAMES.slice(0, count)), THEMES.light))).toEqual([]);
  });
});

test('every contestant is named, and every one that is faster has its figure in the colour of losses', () => {
  const chart = made(3, 7, NAMES.slice(0, 4));
  const { items } = ratioChart(chart, THEMES.light) as { items: Item[] };
  const words = items.map(({ text }) => text ?? '').join('\n');
  for (const name of ['ours, 8 bits', 'plain JavaScript', 'onnxruntime-web', '-web, 8 bits'])
    expect(words).toContain(name);
  const said = items
    .filter(({ kind, svg }) => kind === 'text' && svg.includes(THEMES.light.rust))
    .map(({ text }) => text!);
  const short = { plain: 'plain', 'ort-web': '-web', 'ort-web int8': '-web, 8 bits' };
  const losers = chart.groups.flatMap(({ rows }) =>
    Object.entries(short).filter(([name]) =>
      rows.some(({ ours, peers }) => peers[name] && loses(name, peers[name].us / ours.us)),
    ),
  );
  expect(losers.length).toBeGreaterThan(2);
  for (const [, words] of losers) {
    const wanted = losers.filter((one) => one[1] === words).length;
    expect(said.filter((text) => text.replace(/ [\d.]+×$/, '') === words)).toHaveLength(wanted);
  }
});

test('8 bits of a peer that is not there itself are named in full', () => {
  const row = { label: '1 × 8', ours: { us: 1 }, peers: { 'ort-web int8': { us: 20 } } };
  const chart = { title: 'T', subtitle: 'S', groups: [{ title: 'G', rows: [row] }] };
  const { items } = ratioChart(chart, THEMES.light) as { items: Item[] };
  expect(items.map(({ text }) => text)).toContain('onnxruntime-web, 8 bits');
});

test('a long name loses its middle and keeps both ends, and markup in a name stays text', () => {
  const long = '128 × 256, a sequence of a model with a very long name indeed <script>, 200 steps';
  const name = `a"peer&<b>${'of many words '.repeat(20)}`;
  const chart = {
    title: 'T '.repeat(200),
    subtitle: 'S',
    groups: [{ title: 'G', rows: [{ label: long, ours: { us: 1 }, peers: { [name]: { us: 3 } } }] }],
  };
  const scene = ratioChart(chart, THEMES.dark);
  expect(problemsOf(scene)).toEqual([]);
  const cut = (scene.items as Item[]).find(({ text }) => text?.startsWith('128 × 256'))!.text!;
  expect(cut).toMatch(/^128 × 256, a.*….*200 steps$/);
  const svg = render(scene);
  expect(svg).not.toMatch(/<script>|<b>/);
  expect(svg).toContain(`<title>${long.replace('<', '&lt;').replace('>', '&gt;')}</title>`);
});

test('numbers that are none are left out', () => {
  const shapes = [
    { name: 'stream 1x8', times: { ours: { us: 1 }, plain: { us: 2, p95: Number.NaN } } },
    { name: 'stream 1x9', times: { plain: { us: 2 } } },
  ];
  const about = { runtime: 'Node 24.21.0', cpu: 'Some Processor (avx2)', date: '2026-11-26', quick: false };
  const charts = chartsOf({ ...about, shapes } as Parameters<typeof chartsOf>[0])!;
  expect(charts.light).not.toMatch(/NaN|Infinity|undefined/);
  expect(charts.light).toContain('Node 24.21, one core, Some Processor, 26 Nov 2026');
  expect(charts.light).not.toContain('1 × 9');
  expect(chartsOf({ ...about, shapes: shapes.slice(1) } as Parameters<typeof chartsOf>[0])).toBeUndefined();
});

test('shapes are said in words', () => {
  expect(labelOf('stream 1x8')).toEqual({ label: '1 × 8', stream: true });
  expect(labelOf('80x256 2 layers bidirectional T 200')).toEqual({
    label: '80 × 256, 2 layers, both ways, 200 steps',
    stream: false,
  });
  expect(labelOf('64x128 2 layers T 50 B 32')).toEqual({ label: '64 × 128, 2 layers, 50 × 32 rows', stream: false });
  expect(labelOf('something else')).toEqual({ label: 'something else', stream: false });
});

// Node has no fonts to measure by
test.runIf(typeof document !== 'undefined').each(['system-ui', 'DejaVu Sans', 'Helvetica'])(
  'in a page, text is nowhere wider than the table of widths says: %s',
  (font) => {
    const scene = ratioChart(made(5, 6, NAMES), THEMES.light);
    document.body.innerHTML = render(scene, { font });
    const texts = [...document.querySelectorAll('text')];
    const boxes = (scene.items as Item[]).filter(({ kind }) => kind === 'text').map(({ box }) => box!);
    expect(texts).toHaveLength(boxes.length);
    const wider = texts.filter((node, i) => node.getComputedTextLength() > boxes[i]!.right - boxes[i]!.left + 0.5);
    expect(wider.map(({ textContent }) => textContent)).toEqual([]);
    document.body.innerHTML = '';
  },
);
