import { day } from './chart/format.mjs';
import { ratioChart } from './chart/ratio-chart.mjs';
import { render } from './chart/svg.mjs';
import { THEMES } from './chart/theme.mjs';

/** The README's rows and contestants; RESULTS.md has all of them. */
const README_SHAPES = [
  'stream 1x8',
  'stream 1x40',
  'stream 64x64',
  'stream 128x128',
  'stream 256x256',
  'stream 512x512',
  'stream 1024x1024',
  '40x128 2 layers T 100',
  '128x256 2 layers T 200',
  '512x512 T 100',
  '64x128 2 layers T 50 B 32',
];
const README_PEERS = ['ours int8', 'ort-web', 'ort-node', 'ort-node int8', 'tfjs-wasm', 'plain'];

/** What `measureShape` gave for many shapes, as a run. */
export function runOf({ shapes, ...about }) {
  const timesOf = ({ results }) =>
    results.filter(({ median }) => median).map(({ name, median, p95, ratio }) => [name, { us: median, p95, ratio }]);
  return { ...about, shapes: shapes.map((shape) => ({ name: shape.name, times: Object.fromEntries(timesOf(shape)) })) };
}

/** @param {import('./recorded.mjs').Run} run */
export function readmeRun(run) {
  const shapes = run.shapes
    .filter(({ name }) => README_SHAPES.includes(name))
    .map(({ name, times }) => ({
      name,
      times: Object.fromEntries(
        Object.entries(times).filter(([peer]) => peer === 'ours' || README_PEERS.includes(peer)),
      ),
    }));
  return { ...run, shapes };
}

/**
 * A run's chart, light and dark.
 * @param {Pick<import('./recorded.mjs').Run, 'runtime' | 'cpu' | 'date' | 'quick' | 'shapes'>} run
 * @returns {{ light: string, dark: string } | undefined} nothing where ours has no time to compare with
 */
export function chartsOf({ runtime, cpu, date, quick, shapes }) {
  const rows = shapes
    .filter(({ times }) => times.ours && Object.keys(times).length > 1)
    .map(({ name, times: { ours, ...peers } }) => ({ ...labelOf(name), ours, peers }));
  const groups = [
    ['One step of a stream', true],
    ['A whole sequence', false],
  ]
    .map(([title, stream]) => ({ title, rows: rows.filter((row) => row.stream === stream) }))
    .filter(({ rows }) => rows.length > 0);
  if (groups.length === 0) return undefined;
  const chart = {
    title: 'How many times as long as lstm-wasm each one takes',
    subtitle: `${shortRuntime(runtime)}, one core, ${processorOf(cpu)}, ${day(date)}, medians${quick ? ' of a quick run' : ''}`,
    groups,
  };
  return { light: render(ratioChart(chart, THEMES.light)), dark: render(ratioChart(chart, THEMES.dark)) };
}

/** "40x128 2 layers bidirectional T 100 B 8" as readers say it. */
export function labelOf(name) {
  const [, sizes, layers, both, T, B] =
    name.match(/^(?:stream )?(\d+x\d+)(?: (\d+) layers)?( bidirectional)?(?: T (\d+))?(?: B (\d+))?$/) ?? [];
  if (!sizes) return { label: name, stream: name.startsWith('stream') };
  const parts = [
    sizes.replace('x', ' × '),
    layers && `${layers} layers`,
    both && 'both ways',
    T && (B ? `${T} × ${B} rows` : `${T} steps`),
  ];
  return { label: parts.filter(Boolean).join(', '), stream: T === undefined };
}

/** Major and minor version. */
const shortRuntime = (runtime) => runtime.match(/^\D+\d+(\.\d+)?/)?.[0] ?? runtime;

/** AMD's families by the names that people know; other processors as they call themselves. */
export function processorOf(cpu) {
  const [, name, family, model] = cpu.match(/^(AMD EPYC), family (\d+) model (\d+)/) ?? [];
  if (!name) return cpu.replace(/ \([^)]*\)$/, '');
  if (family === '26') return `${name} (Zen 5)`;
  return family === '25' ? `${name} (Zen ${Number(model) >= 16 ? 4 : 3})` : `${name}, family ${family} model ${model}`;
}
