import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const RESULTS = new URL('RESULTS.md', import.meta.url);
const FOLDER = new URL('results/', import.meta.url);

/** Three significant digits. */
export function digits(value) {
  if (Number.isNaN(value)) return '';
  if (value >= 99_950) return value.toExponential(2).replace('e+', 'e');
  return String(Number(value.toPrecision(3)));
}

/** A Markdown table; the first row is its head. */
export function table([head, ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Saves what was measured as JSON and Markdown, and returns where, without the extension. */
export function save(kind, report, markdown) {
  mkdirSync(FOLDER, { recursive: true });
  const stamp = report.date.replace(/[:.]/g, '-');
  const file = relative('.', fileURLToPath(new URL(`${kind}-${stamp}`, FOLDER)));
  writeFileSync(`${file}.json`, `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(`${file}.md`, `${markdown}\n`);
  return file;
}

/** "Node 24, AMD EPYC, family 25 model 1" */
export function shortly({ runtime, cpu }) {
  return `${runtime.split('.')[0]}, ${cpu.split(' (')[0]}`;
}

/** Puts a section into RESULTS.md, in place of the one of the same kind, runtime and processor, or else at the end. */
export function record(kind, report, markdown) {
  const key = `${kind}: ${shortly(report)}`;
  const begin = `<!-- begin ${key} -->`;
  const end = `<!-- end ${key} -->`;
  const section = `${begin}\n\n${markdown}\n\n${end}`;
  const text = readFileSync(RESULTS, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  const next =
    from < 0 ? `${text.trimEnd()}\n\n${section}\n` : text.slice(0, from) + section + text.slice(to + end.length);
  writeFileSync(RESULTS, next);
}

/** "Node 24.18.0, AMD EPYC ..., 2026-11-26" */
export function heading(title, { runtime, cpu, date, quick }) {
  return `### ${title}: ${runtime}\n\n${cpu}; ${date.slice(0, 10)}; one core${quick ? '; a quick run' : ''}.`;
}

/** What `measureShape` gave for many shapes, as Markdown. */
export function peersMarkdown(report) {
  const names = [...new Set(report.shapes.flatMap(({ results }) => results.map(({ name }) => name)))];
  const timed = names.filter((name) => report.shapes.some((shape) => resultOf(shape, name)?.median));
  const head = (names) => ['shape', ...names.map((name) => `${name} ${versionOf(report, name)}`.trim())];
  const rows = (names, cell) =>
    report.shapes.map((shape) => [
      shape.name,
      ...names.map((name) => {
        const result = resultOf(shape, name);
        return result?.[cell === error ? 'error' : 'median'] === undefined ? (result?.status ?? '') : cell(result);
      }),
    ]);
  const median = ({ name, median, ratio }) =>
    name === 'ours' || !ratio ? digits(median) : `${digits(median)} (${digits(ratio)})`;
  const p95 = (result) => digits(result.p95);
  const error = (result) => result.error.toExponential(1) + (result.status === 'wrong' ? ' wrong' : '');
  const checked = names.filter((name) => report.shapes.some((shape) => resultOf(shape, name)?.error !== undefined));
  return [
    heading('Against the peers', report),
    'Microseconds, median: a step of a stream, or a whole sequence. In brackets: how many times as long as ours.',
    table([head(timed), ...rows(timed, median)]),
    ...againstInt8(report, timed),
    'The 95th percentile, microseconds:',
    table([head(timed), ...rows(timed, p95)]),
    'Largest difference from a float64 LSTM:',
    table([head(checked), ...rows(checked, error)]),
    remarks(report, names),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** The same ratios to our 8-bit form, where there is one. */
function againstInt8(report, timed) {
  const base = 'ours int8';
  if (!timed.includes(base)) return [];
  const others = timed.filter((name) => name !== base);
  const ratio = (shape, name) => resultOf(shape, name)?.median / resultOf(shape, base)?.median;
  const rows = report.shapes.map((shape) => [shape.name, ...others.map((name) => digits(ratio(shape, name)))]);
  return ['How many times as long as our 8-bit form:', table([['shape', ...others], ...rows])];
}

const resultOf = (shape, name) => shape.results.find((result) => result.name === name);

const versionOf = (report, name) =>
  report.shapes.map((shape) => resultOf(shape, name)?.version).find((version) => version) ?? '';

/** Notes, and who did not take part where and why. */
function remarks(report, names) {
  const lines = [];
  for (const name of names) {
    const reasons = new Map();
    for (const shape of report.shapes) {
      const { note, reason } = resultOf(shape, name) ?? {};
      if (note) lines.push(`- ${name}: ${note}.`);
      if (reason) reasons.set(reason, [...(reasons.get(reason) ?? []), shape.name]);
    }
    for (const [reason, shapes] of reasons) {
      const where = shapes.length === report.shapes.length ? 'everywhere' : shapes.join(', ');
      lines.push(`- ${name}, not measured (${where}): ${reason}.`);
    }
  }
  return [...new Set(lines)].join('\n');
}
