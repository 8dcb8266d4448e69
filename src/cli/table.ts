import Table from 'cli-table3';
import { createColors } from 'picocolors';
import stringWidth from 'string-width';
import type { Column } from './model.ts';
import { escapeText, shorten } from './text.ts';

/** Whether output is coloured: https://no-color.org, FORCE_COLOR, or a terminal that is not dumb. */
function wantsColour(): boolean {
  const { env, stdout } = process;
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  return Boolean(stdout.isTTY) && env.TERM !== 'dumb';
}

export const colour = createColors(wantsColour());

/** The columns of the terminal; undefined where lines may have any length, as in a file. COLUMNS says otherwise. */
export function terminalWidth(): number | undefined {
  const { columns } = process.stdout;
  const given = Number(process.env.COLUMNS);
  if (given >= 20 && given < 10_000) return given;
  return process.stdout.isTTY && columns >= 20 ? columns : undefined;
}

const NO_BORDERS = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid']
    .concat(['mid', 'mid-mid', 'right', 'right-mid'])
    .map((place) => [place, '']),
);

const GAP = 2;
/** The longest cell: one name of a hostile file would make every row as long as it. */
const LONGEST = 500;
/** Rows that are drawn at once. */
const SLICE = 100;

/** Draws a table without borders as wide as the terminal at the most: the widest columns are wrapped. */
export function drawTable(columns: readonly Column[], rows: readonly (readonly string[])[], indent = 2): string {
  const cells = rows.map((row) => row.map((cell) => shorten(escapeText(cell), LONGEST)));
  const widths = columns.map(({ title }, i) => {
    return cells.reduce((most, row) => Math.max(most, stringWidth(row[i] ?? '')), title.length);
  });
  shrink(widths, (terminalWidth() ?? Number.POSITIVE_INFINITY) - indent - GAP * (columns.length - 1));
  const options = {
    chars: { ...NO_BORDERS, middle: ' '.repeat(GAP) },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colWidths: widths,
    colAligns: columns.map(({ right }) => (right ? ('right' as const) : ('left' as const))),
  };
  // broken here: cli-table3 breaks words, or cuts long ones
  const broken = [columns.map(({ title }) => title), ...cells].map((row) =>
    row.map((cell, i) => wrap(cell, widths[i]!)),
  );
  // cli-table3 takes time with the square of the rows
  const lines: string[] = [];
  for (let at = 0; at < broken.length; at += SLICE) {
    const table = new Table(options);
    table.push(...broken.slice(at, at + SLICE).map((row) => row.map((cell) => cell.join('\n'))));
    lines.push(...table.toString().split('\n'));
  }
  const margin = ' '.repeat(indent);
  const head = Math.max(...broken[0]!.map(({ length }) => length));
  // coloured after it is drawn, so that escape codes count for no width and are not cut
  return lines.map((line, i) => margin + (i < head ? colour.dim(line.trimEnd()) : line.trimEnd())).join('\n');
}

/** Makes the widest columns narrower until all fit. */
function shrink(widths: number[], room: number): void {
  let over = widths.reduce((a, b) => a + b, 0) - room;
  while (over > 0) {
    const widest = Math.max(...widths);
    if (widest <= 8) return;
    widths[widths.indexOf(widest)]!--;
    over--;
  }
}

/** Draws names and values, a pair a line. */
export function drawFacts(facts: readonly (readonly [name: string, value: string])[]): string {
  const width = facts.reduce((most, [name]) => Math.max(most, name.length), 0);
  const room = (terminalWidth() ?? Number.POSITIVE_INFINITY) - width - GAP;
  return facts
    .map(([name, value]) => {
      const lines = wrap(escapeText(value), Math.max(room, 20));
      return lines
        .map((line, i) => colour.bold((i === 0 ? name : '').padEnd(width)) + ' '.repeat(GAP) + line)
        .join('\n');
    })
    .join('\n');
}

/** Breaks a text into lines of so many columns at the most, at spaces where it can. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  for (let end = fitting(rest, width); end < rest.length; end = fitting(rest, width)) {
    const space = rest.lastIndexOf(' ', end);
    const at = space > end / 3 ? space : end;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest];
}

/** The length of the longest beginning of a text that takes at most so many columns; at least one character. */
function fitting(text: string, width: number): number {
  let [length, columns] = [0, 0];
  for (const character of text) {
    columns += stringWidth(character);
    if (columns > width && length > 0) break;
    length += character.length;
  }
  return length;
}
