import { barChart } from '../../../../benchmarks/chart/bar-chart.mjs';
import { day } from '../../../../benchmarks/chart/format.mjs';
import { render } from '../../../../benchmarks/chart/svg.mjs';
import { timeChart } from '../../../../benchmarks/chart/time-chart.mjs';
import type { Result, Times } from './result.ts';
import { SHAPES } from './shapes.ts';

/** The page's colours: pictures follow the visitor's theme by themselves. */
const NAMES = ['ink', 'ink2', 'ink3', 'sheet', 'pen', 'rust'] as const;
const COLOURS = Object.fromEntries(NAMES.map((name) => [name, `var(--${name})`])) as Record<
  (typeof NAMES)[number],
  string
>;
const THEME = { ...COLOURS, rule: 'var(--rule)', faint: 'var(--rule)', tint: 'none' };
/** On phones figures stand on the lines of the scale, which are fainter there. */
const NARROW = { ...THEME, rule: 'var(--grid)' };
const OPTIONS = { font: 'var(--sans)', hidden: true };

/** Bits a microsecond of a line of 10 Mbit/s. */
const LINE = 10;

/** Draws both parts at the width that they have. The table beside them says the same. */
export function draw(
  times: HTMLElement,
  starts: HTMLElement,
  { rows, start, startDate }: Pick<Result, 'rows' | 'start' | 'startDate'>,
): void {
  const width = Math.max(320, times.clientWidth);
  const margin = Number.parseInt(getComputedStyle(times).getPropertyValue('--margin'), 10) || 20;
  const row = ({ label, short }: { label: string; short?: string }, index: number) => ({
    label,
    ...(short && { short }),
    times: (rows[index] ?? {}) as Times,
  });
  const all = SHAPES.map((shape, i) => ({ stream: shape.stream, row: row(shape, i) }));
  const group = (title: string, note: string, stream: boolean) => ({
    title,
    note,
    rows: all.filter((one) => one.stream === stream).map((one) => one.row),
  });
  const groups = [
    group('One step of a stream', 'input × hidden', true),
    group('A whole sequence', 'in one call', false),
  ];
  times.innerHTML = render(timeChart({ groups, width, margin }, width < 641 ? NARROW : THEME), OPTIONS);
  const measured = { label: 'files in the cache', ...microseconds(start, 0) };
  const onLine = { label: 'at 10 Mbit/s, computed', ...microseconds(start, LINE) };
  const title = 'From nothing to the first answer';
  const note = `Silero VAD in a new worker${startDate ? `, ${day(startDate)}` : ''}`;
  starts.innerHTML = render(barChart({ title, note, rows: [measured, onLine], width, margin }, THEME), OPTIONS);
}

/** What both take, with their bytes over a line of `line` bits a microsecond. */
function microseconds(start: Result['start'], line: number): { ours?: number; peer?: number } {
  const of = (name: 'ours' | 'ort-web') => {
    const one = start[name];
    if (!one || (line > 0 && one.bytes === 0)) return undefined;
    return 1000 * one.ms + (line > 0 ? (8 * one.bytes) / line : 0);
  };
  const [ours, peer] = [of('ours'), of('ort-web')];
  return { ...(ours && { ours }), ...(peer && { peer }) };
}
