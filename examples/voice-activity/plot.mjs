const ROWS = 4;
const BLOCKS = ' ▁▂▃▄▅▆▇█';
const MARGIN = 6;

/**
 * Lines of text for a terminal: the highest probability of each moment as a bar, what counts as speech below it, and the time.
 * @param {ArrayLike<number>} probabilities
 * @param {{ start: number, end: number }[]} segments in seconds
 * @param {number} seconds
 * @param {number} [width] columns
 * @returns {string[]}
 */
export function plot(probabilities, segments, seconds, width = 100) {
  const columns = Math.max(10, Math.min(width - MARGIN - 2, Math.max(20, probabilities.length)));
  const highest = Array.from({ length: columns }, (_, i) => {
    const from = Math.floor((i * probabilities.length) / columns);
    const to = Math.max(from + 1, Math.floor(((i + 1) * probabilities.length) / columns));
    return Math.max(...Array.prototype.slice.call(probabilities, from, to));
  });
  const lines = [];
  for (let row = ROWS - 1; row >= 0; row--) {
    const label = row === ROWS - 1 ? '1' : row === ROWS / 2 - 1 ? '0.5' : row === 0 ? '0' : '';
    const bars = highest.map((value) => BLOCKS[Math.round(Math.min(1, Math.max(0, value * ROWS - row)) * 8)]);
    lines.push(`${label.padStart(MARGIN - 1)} ${bars.join('')}`);
  }
  const speech = Array.from({ length: columns }, (_, i) => {
    const [from, to] = [i, i + 1].map((k) => (k * seconds) / columns);
    return segments.some(({ start, end }) => start < to && end > from) ? '━' : ' ';
  });
  lines.push(`${' '.repeat(MARGIN)}${speech.join('')}`);
  lines.push(`${' '.repeat(MARGIN)}${times(seconds, columns)}`);
  return lines.map((line) => line.trimEnd());
}

/** 0 s, the end, and some moments between them, each at its place. */
function times(seconds, columns) {
  const count = columns >= 60 ? 4 : 2;
  const text = Array(columns + 12).fill(' ');
  for (let i = 0; i <= count; i++) {
    const label = `${((i * seconds) / count).toFixed(seconds < 10 ? 1 : 0)} s`;
    const place = Math.round((i * columns) / count);
    const at = i === 0 ? 0 : i === count ? columns - label.length : place - (label.length >> 1);
    text.splice(at, label.length, ...label);
  }
  return text.join('');
}
