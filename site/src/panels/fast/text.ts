import { bytes, day, duration, figure, times } from '../../../../benchmarks/chart/format.mjs';
import { standing } from '../../../../benchmarks/chart/time-chart.mjs';
import { type Name, type Result, ratioOf, type Times, timeOf } from './result.ts';
import { SHAPES } from './shapes.ts';
import { busyNote, verdict } from './verdict.ts';

const HEAD = ['', 'ours', 'p95', '8 bits', 'plain JS', 'ort-web', 'p95', 'ratio'];

/** "Chromium 156, Linux, 1 thread, 30 Nov 2026" */
export const whereOf = ({ browser, machine, date }: Pick<Result, 'browser' | 'machine' | 'date'>): string =>
  `${browser}, ${machine}, 1 thread, ${day(date)}`;

/** A row's cells: microseconds, the ratio to ours, and where we are slower the word. */
function cellsOf(row: Times): string[] {
  const cell = (name: Name, key: 'us' | 'p95' = 'us') => {
    if (row[name] === 'wrong') return key === 'us' ? 'differs' : '';
    const time = timeOf(row, name);
    return time ? figure(time[key]) : '';
  };
  const ratio = ratioOf(row);
  const words = ratio && standing(ratio) === 'slower' ? ' slower' : '';
  return [
    ...[cell('ours'), cell('ours', 'p95'), cell('ours int8'), cell('plain')],
    ...[cell('ort-web'), cell('ort-web', 'p95'), ratio ? `${times(ratio)}${words}` : ''],
  ];
}

/** The numbers as plain text, to be pasted: columns apart by spaces. */
export function textOf(result: Result): string {
  const table = [
    HEAD,
    ...SHAPES.map(({ label, short = label, stream }, i) => [
      stream ? `step ${short}` : short,
      ...cellsOf(result.rows[i] ?? {}),
    ]),
  ];
  const widths = HEAD.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
  const lines = table.map((cells) =>
    cells
      .map((cell, n) => (n === 0 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!)))
      .join('  ')
      .trimEnd(),
  );
  const peer = result.ort ? `onnxruntime-web ${result.ort}` : 'without onnxruntime-web';
  return [
    `lstm-wasm and ${peer}: microseconds, medians and 95th percentiles`,
    whereOf(result) + (result.thorough ? '' : ', a quick run'),
    '',
    ...lines,
    '',
    verdict(result),
    ...startLines(result),
    busyNote(result),
  ]
    .join('\n')
    .trimEnd();
}

function startLines({ start }: Result): string[] {
  const words = Object.entries({ ours: 'ours', 'ort-web': 'onnxruntime-web' }).flatMap(([name, said]) => {
    const one = start[name as keyof Result['start']];
    return one ? `${said} ${duration(1000 * one.ms)}${one.bytes > 0 ? `, ${bytes(one.bytes)}` : ''}` : [];
  });
  return words.length > 0 ? ['From nothing to the first answer of Silero VAD:', `${words.join('; ')}.`] : [];
}

/** The same for readers of screens, and for whoever likes tables: the body of a table with HEAD's columns. */
export function tableOf({ rows }: Pick<Result, 'rows'>): { head: string[]; body: string[][] } {
  const head = [
    'microseconds',
    'lstm-wasm',
    '95th percentile',
    'with 8-bit weights',
    'plain JavaScript',
    'onnxruntime-web',
    '95th percentile',
    'ratio',
  ];
  const body = SHAPES.map(({ label, stream }, i) => [
    stream ? `One step, ${label}` : label,
    ...cellsOf(rows[i] ?? {}).map((cell) => cell || '–'),
  ]);
  return { head, body };
}
