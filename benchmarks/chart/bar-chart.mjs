import { duration, tickOfTime, times } from './format.mjs';
import { shape, text } from './svg.mjs';
import { cutMiddle } from './text.mjs';

/**
 * Pairs of bars on a linear axis from zero: ours above, the peer's below.
 * @typedef {{ label: string, ours?: number, peer?: number }} Pair microseconds
 */

const SMALL = { size: 13 };
const MONO = { size: 13, mono: true, font: 'var(--mono)' };
const ROW = 36;
const HEAD = 62;

/**
 * @param {{ title: string, note: string, rows: Pair[], width: number, margin: number }} chart
 * @param {import('./theme.mjs').Theme} theme
 * @returns {import('./svg.mjs').Scene}
 */
export function barChart({ title, note, rows, width, margin }, theme) {
  const isNarrow = width < 641;
  const [labels, figures] = width < 1101 ? [228, 60] : [248, 76];
  const end = width - margin;
  const left = isNarrow ? margin : margin + labels;
  const right = isNarrow ? end : end - 3 * figures - 10;
  const columns = isNarrow ? [end - 130, end - 56, end] : [2, 1, 0].map((n) => end - n * figures);
  const step = isNarrow ? 50 : ROW;
  const count = Math.max(2, Math.min(6, Math.floor((right - left) / 80)));
  const known = rows.flatMap(({ ours, peer }) => [ours ?? 0, peer ?? 0]);
  const ticks = ticksTo(Math.max(...known) || 1e6, count);
  const at = (us) => left + (us / ticks.at(-1)) * (right - left);
  const bottom = HEAD + rows.length * step;
  const items = [
    text({ text: title, x: margin, y: 16, fill: theme.ink, bold: true, ...SMALL }),
    text({ text: note, x: margin, y: 34, fill: theme.ink2, ...SMALL }),
  ];
  for (const [i, { label, ours, peer }] of rows.entries()) {
    const y = HEAD + i * step + (isNarrow ? 18 : 0);
    const line = isNarrow ? y - 14 : y + 4;
    const words = cutMiddle(label, (isNarrow ? columns[0] - 58 : left) - margin - 8, SMALL);
    items.push(text({ text: words, full: label, x: margin, y: line, fill: theme.ink, ...SMALL }));
    if (ours) items.push(shape('rect', { x: left, y: y - 7, width: at(ours) - left, height: 7, fill: theme.pen }));
    if (peer) items.push(shape('rect', { x: left, y: y + 3, width: at(peer) - left, height: 7, fill: theme.ink }));
    const ratio = ours && peer && peer / ours;
    const ink = ratio && ratio < 1 ? 'rust' : 'pen';
    const cells = [
      [ours ? duration(ours) : '–', 'pen'],
      [peer ? duration(peer) : '–', 'ink'],
      [ratio ? times(ratio) : '–', ratio ? ink : 'ink2'],
    ];
    items.push(
      ...cells.map(([cell, fill], n) =>
        text({
          ...MONO,
          text: cell,
          x: columns[n],
          y: line,
          fill: theme[fill],
          anchor: 'end',
          bold: n === 2 && !!ratio,
        }),
      ),
    );
  }
  for (const us of ticks) {
    const anchor = us === 0 ? 'start' : us === ticks.at(-1) ? 'end' : 'middle';
    items.push(
      text({
        ...MONO,
        size: 12,
        text: us === 0 ? '0 s' : tickOfTime(us),
        x: at(us),
        y: bottom + 10,
        fill: theme.ink2,
        anchor,
      }),
    );
  }
  return { width, height: bottom + 24, title, description: note, items };
}

/** From 0 in steps of 1, 2 or 5 times a power of ten to the first that is no smaller than `most`: `count` steps at most. */
export function ticksTo(most, count) {
  const power = 10 ** Math.floor(Math.log10(most / count));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => Math.ceil(most / size - 1e-9) <= count);
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, i) => i * step);
}
