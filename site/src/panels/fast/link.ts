// A result as the end of an address: "#fast=1.BROWSER.MACHINE.DATE.KIND.SAMPLE.ORT.ROWS.START", 330 characters.
// Times are logarithms in 18 bits, three characters each, so that every time from 1 ns to 1,000 s has 0.01 %. What a link says is checked before it is shown.
import { NAMES, type Result, type Time, type Times } from './result.ts';
import { SHAPES } from './shapes.ts';

const VERSION = '1';
const PREFIX = 'fast=';
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** 64^3 - 1, less the two that stand for no time and for an answer that differed. */
const STEPS = 64 ** 3 - 3;
const NONE = '___';
const WRONG = '__-';
/** Powers of ten of the least and the greatest time, in microseconds. */
const [LEAST, GREATEST] = [-3, 9];
/** Three characters each for the median and the 95th percentile. */
const CELL = 6;
const NAME = /^[A-Za-z0-9 ()/,+-]{1,60}$/;
const ORT = /^(\d{1,4}\.\d{1,4}\.\d{1,4})?$/;
const LONGEST = 2000;

/** A link that is none of ours, or that was cut or changed on its way. */
export class LinkError extends Error {}

/** What a hash says, or undefined where it says nothing about a result. @throws LinkError */
export function readLink(hash: string): Result | undefined {
  const text = hash.replace(/^#/, '');
  if (!text.startsWith(PREFIX)) return undefined;
  if (text.length > LONGEST) throw new LinkError('it is too long');
  const fields = text.slice(PREFIX.length).split('.');
  const [version, browser, machine, date, kind, sample, ort, rows, start] = fields.map(plain);
  if (version !== VERSION) throw new LinkError('it was made by another version of this page');
  if (fields.length !== 9) throw new LinkError('a part of it is missing');
  if (!NAME.test(browser!) || !NAME.test(machine!)) throw new LinkError('it names no browser');
  if (!/^[qt]$/.test(kind!) || !ORT.test(ort!)) throw new LinkError('it does not say what was measured');
  return {
    browser: browser!,
    machine: machine!,
    date: dateFrom(date!),
    thorough: kind === 't',
    sampleMs: timeFrom(sample!) / 1000,
    ort: ort!,
    rows: rowsFrom(rows!),
    start: startFrom(start!),
  };
}

/** The hash for a result. */
export function linkOf({ browser, machine, date, thorough, sampleMs, ort, rows, start }: Result): string {
  const name = (text: string) =>
    text
      .replace(/[^A-Za-z0-9 ()/,+-]/g, '')
      .slice(0, 60)
      .replaceAll(' ', '_') || 'unknown';
  const cells = rows.flatMap((row) => NAMES.map((one) => cellOf(row[one])));
  const beginnings = (['ours', 'ort-web'] as const).map((one) => {
    const beginning = start[one];
    return beginning ? digitsOf(1000 * beginning.ms) + digitsOf(beginning.bytes) : NONE + NONE;
  });
  const fields = [
    VERSION,
    name(browser),
    name(machine),
    date.replaceAll('-', ''),
    thorough ? 't' : 'q',
    digitsOf(1000 * sampleMs),
    ort.replaceAll('.', '_'),
    cells.join(''),
    beginnings.join(''),
  ];
  return `#${PREFIX}${fields.join('.')}`;
}

/** Fields have "_" where the texts have a space, the version of onnxruntime-web where it has a dot; figures keep theirs. */
function plain(field: string, index: number): string {
  if (index === 1 || index === 2) return decode(field).replaceAll('_', ' ');
  return index === 6 ? field.replaceAll('_', '.') : field;
}

/** Some programs escape what needs no escape. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new LinkError('it has characters that no link of this page has');
  }
}

function dateFrom(text: string): string {
  const [, year, month, day] = text.match(/^(20\d\d)(\d\d)(\d\d)$/) ?? [];
  const date = `${year}-${month}-${day}`;
  const time = Date.parse(date);
  if (!year || Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== date) {
    throw new LinkError('its date is none');
  }
  return date;
}

function rowsFrom(text: string): Times[] {
  const width = NAMES.length * CELL;
  if (text.length !== SHAPES.length * width) throw new LinkError('some of its figures are missing');
  return SHAPES.map((_, i) => {
    const row = text.slice(i * width, (i + 1) * width);
    const cells = NAMES.map((name, n) => [name, cellFrom(row.slice(n * CELL, (n + 1) * CELL))] as const);
    return Object.fromEntries(cells.filter(([, time]) => time !== undefined));
  });
}

function cellFrom(text: string): Time | 'wrong' | undefined {
  if (text === NONE + NONE) return undefined;
  if (text === WRONG + NONE) return 'wrong';
  const [us, p95] = [timeFrom(text.slice(0, 3)), timeFrom(text.slice(3))];
  if (p95 < us * 0.999) throw new LinkError('its figures contradict each other');
  return { us, p95 };
}

function cellOf(time: Time | 'wrong' | undefined): string {
  if (time === undefined) return NONE + NONE;
  return time === 'wrong' ? WRONG + NONE : digitsOf(time.us) + digitsOf(Math.max(time.us, time.p95));
}

function startFrom(text: string): Result['start'] {
  if (text.length !== 4 * 3) throw new LinkError('some of its figures are missing');
  const [ours, peer] = [text.slice(0, 6), text.slice(6)].map((part) =>
    part === NONE + NONE
      ? undefined
      : { ms: timeFrom(part.slice(0, 3)) / 1000, bytes: Math.round(timeFrom(part.slice(3))) },
  );
  return { ...(ours && { ours }), ...(peer && { 'ort-web': peer }) };
}

/** Three characters for a number from 10^-3 to 10^9. */
function digitsOf(value: number): string {
  const place = (Math.log10(Math.max(value, 1e-3)) - LEAST) / (GREATEST - LEAST);
  const n = Math.round(Math.min(1, place) * STEPS);
  return [n >> 12, (n >> 6) & 63, n & 63].map((digit) => DIGITS[digit]).join('');
}

function timeFrom(text: string): number {
  const digits = [...text].map((character) => DIGITS.indexOf(character));
  const n = digits.reduce((sum, digit) => sum * 64 + digit, 0);
  if (text.length !== 3 || digits.includes(-1) || n > STEPS) throw new LinkError('a figure of it is none');
  return 10 ** (LEAST + (n / STEPS) * (GREATEST - LEAST));
}
