// Text for a terminal. Whatever comes from a file or an argument goes through escapeText() before it is printed.

/**
 * Characters that act on a terminal or hide what stands beside them: controls, the marks and overrides of writing direction, what has
 * no width, line and paragraph separators, private use, lone surrogates.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}\u115f\u1160\u3164\uffa0]/gu;

/** Writes characters that must not reach a terminal as `\u{1b}`. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** Writes JSON that is safe to print; it stands for the same value. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each), 2).replace(
    UNSAFE,
    (text) =>
      text === '\n'
        ? text
        : text.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

/** Cuts a text that is longer than `most` characters. */
export function shorten(text: string, most = 400): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** Writes a number of bytes with three digits: '17.2 KB'. A KB has 1,000 bytes. */
export function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  // 999.5 would be written as 1000
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : threeDigits(value)} ${UNITS[unit]}`;
}

/** Writes an integer with commas: '1,234,567'. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Writes a number with three significant digits and no exponent where it is readable without. */
export function threeDigits(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(1);
  return size >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Writes dims: '[1, batch, 64]'. */
export function formatDims(dims: readonly unknown[] | undefined): string {
  return dims ? `[${dims.map((size) => (size === null || size === '' ? '?' : String(size))).join(', ')}]` : '?';
}

/** Multiplies sizes. */
export function product(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}
