// How wide text is, without a browser: advance widths of DejaVu Sans, in hundredths of the size, from U+0020 to U+007E. It is wider than
// the other fonts that system-ui, Segoe UI or Helvetica stand for, so what keeps apart in it keeps apart in them.
const REGULAR = `32 40 46 84 64 95 78 27 39 39 50 84 32 36 32 34 64 64 64 64 64 64 64 64 64 64 34 34 84 84 84 53
  100 68 69 70 77 63 58 77 75 29 29 66 56 86 75 79 60 79 69 63 61 73 68 99 69 61 69 39 34 39 84 50
  50 61 63 55 63 62 35 63 63 28 28 58 28 97 63 61 63 63 41 52 39 63 59 82 59 59 52 64 34 64 84`;
const BOLD = `35 46 52 84 70 100 87 31 46 46 52 84 38 42 38 37 70 70 70 70 70 70 70 70 70 70 40 40 84 84 84 58
  100 77 76 73 83 68 68 82 84 37 37 77 64 100 84 85 73 85 77 72 68 81 77 110 77 72 73 46 37 46 84 50
  50 67 72 59 72 68 44 72 71 34 34 67 34 104 71 69 72 72 49 60 48 71 65 92 65 65 58 71 37 71 84`;
const WIDTHS = [REGULAR, BOLD].map((text) => text.split(/\s+/).map((width) => Number(width) / 100));

/** What is not in the tables counts as wide as their widest: 1 em. */
const OTHER = 1;
/** IBM Plex Mono has 0.6, DejaVu Sans Mono 0.602. */
const MONO = 0.603;
const ASCENT = 0.76;
const DESCENT = 0.24;

/**
 * Text as a chart has it: `y` is its baseline.
 * @typedef {{ text: string, x: number, y: number, size: number, bold?: boolean, mono?: boolean, anchor?: 'start' | 'middle' | 'end' }} Label
 * @typedef {{ left: number, right: number, top: number, bottom: number }} Box
 */

/** @param {{ size: number, bold?: boolean, mono?: boolean }} font */
export function textWidth(text, { size, bold = false, mono = false }) {
  const widths = WIDTHS[bold ? 1 : 0];
  let width = 0;
  for (const character of text) width += mono ? MONO : (widths[character.codePointAt(0) - 32] ?? OTHER);
  return width * size;
}

/**
 * Where a text lies.
 * @param {Label} label
 * @returns {Box}
 */
export function textBox({ text, x, y, size, bold, mono, anchor = 'start' }) {
  const width = textWidth(text, { size, bold, mono });
  const left = x - { start: 0, middle: width / 2, end: width }[anchor];
  return { left, right: left + width, top: y - ASCENT * size, bottom: y + DESCENT * size };
}

/** Whether boxes have points in common, `gap` apart or nearer. */
export function overlap(a, b, gap = 0) {
  return a.left < b.right + gap && b.left < a.right + gap && a.top < b.bottom + gap && b.top < a.bottom + gap;
}

/** A text that is too wide loses its middle, and keeps the ends, which tell names apart. */
export function cutMiddle(text, width, font) {
  if (textWidth(text, font) <= width) return text;
  const characters = [...text];
  for (let kept = characters.length - 1; kept > 0; kept--) {
    const head = Math.ceil(kept / 2);
    const tail = characters.slice(characters.length - (kept - head));
    const cut = `${characters.slice(0, head).join('').trimEnd()}…${tail.join('').trimStart()}`;
    if (textWidth(cut, font) <= width) return cut;
  }
  return '…';
}
