import { CliError } from '../errors.ts';
import type { AnyValue } from '../model.ts';
import { product, shorten } from '../text.ts';

// A row a step, a column a feature; commas, semicolons, tabs or spaces between numbers. A first row of words is a header.

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^[+-]?(nan|inf|infinity)$/i;

/** Reads a number, and the words that NumPy and others write. */
function readNumber(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const word = text.match(/nan|inf/i);
  if (!word) return Number(text);
  return /nan/i.test(text) ? Number.NaN : text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** A comma beside semicolons or tabs is in a number, which is refused: 1,5;2,5 is two numbers, not four. */
function separatorOf(line: string): RegExp {
  const mark = [';', '\t', ','].find((each) => line.includes(each));
  return mark === undefined ? /\s+/ : new RegExp(`\\s*${mark}\\s*`);
}

export function readCsv(text: string): AnyValue {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n?|\n/);
  const rows: number[][] = [];
  let isFirst = true;
  for (const [i, line] of lines.entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const cells = trimmed.split(separatorOf(trimmed)).map((cell) => cell.replace(/^"(.*)"$/, '$1'));
    const row = cells.map(readNumber);
    const isHeader = isFirst && row.every((value) => value === undefined);
    isFirst = false;
    if (isHeader) continue;
    const bad = row.indexOf(undefined);
    if (bad >= 0)
      throw new CliError(
        `csv: line ${i + 1}, column ${bad + 1}: expected a number, got ${JSON.stringify(shorten(cells[bad]!, 40))}`,
      );
    if (rows[0] && row.length !== rows[0].length) {
      throw new CliError(
        `csv: line ${i + 1}: expected ${rows[0].length} numbers, as the first row has, got ${row.length}`,
      );
    }
    rows.push(row as number[]);
  }
  if (rows.length === 0) throw new CliError('csv: it has no numbers');
  return { data: Float32Array.from(rows.flat()), dims: [rows.length, rows[0]!.length] };
}

/** Writes the last axis as a row. Numbers have the fewest digits that stand for the same float32. */
export function writeCsv({ data, dims }: AnyValue): string {
  const width = dims.length > 1 ? dims.at(-1)! : 1;
  const rows = width === 0 ? 0 : product(dims) / width;
  let text = '';
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) text += (i > 0 ? ',' : '') + shortest(data[row * width + i]!);
    text += '\n';
  }
  return text;
}

/** Writes a float32 with the fewest digits that are read as the same. */
export function shortest(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}
