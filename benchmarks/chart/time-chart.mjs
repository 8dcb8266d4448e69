import { duration, tickOfTime, times } from './format.mjs';
import { markAt, styleOf } from './marks.mjs';
import { around, placeLabels } from './place.mjs';
import { extent, logScale } from './scale.mjs';
import { shape, text } from './svg.mjs';
import { cutMiddle, textWidth } from './text.mjs';

/**
 * Microseconds of each contestant, `ours` and `ort-web` among them where they were measured; a name alone says that its answer was wrong.
 * @typedef {{ us: number, p95?: number } | 'wrong'} Time
 * @typedef {{ label: string, short?: string, times: Record<string, Time | undefined> }} Row `short`: for phones
 * @typedef {{ title: string, note: string, rows: Row[] }} Group
 */

/** Within 5 % two times are a draw: they wander by that in a browser. */
export const DRAW = 0.05;

/** How two medians stand: how many times as long the peer takes. @returns {'faster' | 'slower' | 'draw'} ours is */
export const standing = (ratio) => (ratio > 1 + DRAW ? 'faster' : ratio < 1 / (1 + DRAW) ? 'slower' : 'draw');

const SMALL = { size: 13 };
const BOLD = { size: 13, bold: true };
const MONO = { size: 13, mono: true, font: 'var(--mono)' };
/** In the order of drawing. */
const ORDER = ['plain', 'ort-web', 'ours int8', 'ours'];
/** Whose 95th percentiles are drawn. */
const TAILS = ['ort-web', 'ours'];
const INKS = { faster: 'pen', slower: 'rust', draw: 'ink2' };

/** Sizes of a wide chart, and of one for phones, where labels and figures stand above their rows. */
const LAYOUTS = {
  wide: { labels: 248, figures: 76, row: 33, toRow: 58, toGroup: 34, head: 40, size: 13 },
  middle: { labels: 228, figures: 60, row: 33, toRow: 58, toGroup: 34, head: 40, size: 12 },
  narrow: { labels: 0, figures: 0, row: 54, toRow: 68, toGroup: 30, head: 8, size: 12 },
};

/**
 * Times on a logarithmic axis: a disc for ours, a ring for our 8 bits, a square for onnxruntime-web, a tick for plain JavaScript; thin lines to the
 * 95th percentile; figures and ratios beside each row.
 * @param {{ groups: Group[], width: number, margin: number }} chart
 * @param {import('./theme.mjs').Theme} theme
 * @returns {import('./svg.mjs').Scene}
 */
export function timeChart({ groups, width, margin }, theme) {
  const kind = width < 641 ? 'narrow' : width < 1101 ? 'middle' : 'wide';
  const layout = LAYOUTS[kind];
  const isNarrow = kind === 'narrow';
  const end = width - margin;
  const plot = { left: margin + layout.labels, right: end - 3 * layout.figures - (isNarrow ? 0 : 10) };
  const scale = logScale(domain(groups), [plot.left, plot.right]);
  const placed = place(groups, layout);
  const bottom = placed.at(-1).rows.at(-1).y + 24;
  const top = isNarrow ? placed[0].rows[0].y - 34 : layout.head;
  const columns = [2, 1, 0].map((n) => end - n * layout.figures);
  const items = [...axis(scale, { top, bottom, width }, theme)];
  const right = isNarrow ? [end - 130, end - 56, end] : columns;
  items.push(...heads(right, isNarrow ? placed[0].y : 30, theme));
  if (!isNarrow) items.push(text({ text: 'time, log scale', x: plot.left, y: 30, fill: theme.ink2, ...SMALL }));
  for (const { title, note, y, rows } of placed) {
    items.push(text({ text: title, x: margin, y, fill: theme.ink, ...BOLD }));
    items.push(text({ text: note, x: margin, y: y + 18, fill: theme.ink2, ...SMALL }));
    for (const one of rows)
      items.push(...figuresOf(one, { margin, columns: right, plot, isNarrow, size: layout.size }, theme));
  }
  const marks = placed.flatMap(({ rows }, group) =>
    rows.flatMap((one, i) => marksOf(one, scale, group === 0 ? i : -1)),
  );
  const lines = placed.flatMap(({ rows }) => rows.flatMap(({ row, y }) => linesOf(row, y, scale)));
  items.push(...lines.map(({ x1, x2, y, ...look }) => line(x1, x2, y, look, theme)));
  const drawn = marks.map(({ x, y, name }) =>
    markAt(x, y, styleOf(name).mark, theme[styleOf(name).color], theme.sheet),
  );
  const taken = [...items, ...drawn].flatMap(({ box }) => box ?? []);
  const within = { left: margin, right: end, top, bottom };
  const segments = lines.map(({ x1, x2, y }) => ({ x1, x2, y1: y, y2: y, weight: 1 }));
  const words = placeLabels(labelJobs(marks, isNarrow), { taken, lines: segments, within });
  items.push(...drawn, ...words.map((label) => text({ ...label, fill: theme[label.fill] })));
  return { width, height: bottom + 34, title: 'Times of one step or one sequence', description: '', items };
}

function place(groups, { row, toRow, toGroup, head }) {
  let y = head + 20;
  return groups.map(({ title, note, rows }, i) => {
    if (i > 0) y += toGroup + 20;
    const at = y;
    y += toRow - row;
    return {
      title,
      note,
      y: at,
      rows: rows.map((one) => {
        y += row;
        return { row: one, y };
      }),
    };
  });
}

/** The axis is at least as long: 0.1 µs to 1 s. */
const LEAST = /** @type {[number, number]} */ ([0.1, 1e6]);

/** Whole decades around all times. */
function domain(groups) {
  const rows = groups.flatMap(({ rows }) => rows);
  const known = rows.flatMap(({ times }) => [
    ...ORDER.map((name) => medianOf(times[name])),
    ...TAILS.map((name) => lateOf(times[name])),
  ]);
  const [least, most] = extent(known, LEAST);
  return [Number(`1e${Math.floor(Math.log10(least))}`), Number(`1e${Math.ceil(Math.log10(most))}`)];
}

function axis(scale, { top, bottom, width }, theme) {
  const ticks = scale.decades.flatMap((value) => {
    const x = scale.at(value);
    const font = { ...MONO, size: 12 };
    const words = tickOfTime(value);
    const half = textWidth(words, font) / 2 + 4;
    const inside = Math.max(half, Math.min(width - half, x));
    return [
      shape('line', { x1: x, x2: x, y1: top, y2: bottom, stroke: theme.rule }),
      text({ ...font, text: words, x: inside, y: bottom + 22, fill: theme.ink2, anchor: 'middle' }),
    ];
  });
  const roomy = ticks.filter(({ kind }, i) => kind !== 'text' || isRoomy(ticks, i));
  const minor = scale.minor.map((value) => `M${scale.at(value).toFixed(2)} ${bottom}v5`).join('');
  return [...roomy, shape('path', { d: minor, stroke: theme.rule, fill: 'none' })];
}

/** Where decades are narrow, every second tick has its figure. */
function isRoomy(ticks, i) {
  const boxes = ticks.flatMap(({ kind, box }) => (kind === 'text' ? [box] : []));
  const isCrowded = boxes.some((box, n) => n > 0 && box.left < boxes[n - 1].right + 6);
  return !isCrowded || ((i - 1) / 2) % 2 === 0;
}

function heads(columns, y, theme) {
  const names = [
    ['ours', 'pen'],
    ['ort-web', 'ink'],
    ['ratio', 'ink'],
  ];
  return names.map(([name, ink], i) =>
    text({ text: name, x: columns[i], y, fill: theme[ink], anchor: 'end', ...BOLD }),
  );
}

const medianOf = (time) => (time && time !== 'wrong' ? time.us : undefined);
const lateOf = (time) => (time && time !== 'wrong' ? time.p95 : undefined);

/** The row's name, and what ours and the peer take. */
function figuresOf({ row, y }, { margin, columns, plot, isNarrow, size }, theme) {
  const ours = medianOf(row.times.ours);
  const peer = medianOf(row.times['ort-web']);
  const isWrong = row.times['ort-web'] === 'wrong';
  const ratio = ours && peer && peer / ours;
  const ratioInk = INKS[ratio ? standing(ratio) : 'draw'];
  const cells = [
    { text: ours ? duration(ours) : '–', ink: 'pen' },
    { text: isWrong ? 'differs' : peer ? duration(peer) : '–', ink: isWrong ? 'rust' : 'ink' },
    { text: ratio ? times(ratio) : '–', ink: ratioInk, bold: ratioInk !== 'ink2' },
  ];
  const line = isNarrow ? y - 18 : y + 4.5;
  const room = isNarrow ? plot.right - margin - 182 : plot.left - margin - 8;
  const label = cutMiddle((isNarrow && row.short) || row.label, room, { ...MONO, size });
  return [
    text({ ...MONO, text: label, full: row.label, x: margin, y: line, fill: theme.ink, size }),
    ...cells.map(({ text: cell, ink, bold }, i) =>
      text({
        ...MONO,
        size,
        text: cell,
        x: columns[i],
        y: line,
        fill: theme[ink],
        anchor: 'end',
        ...(bold && { bold }),
      }),
    ),
  ];
}

function marksOf({ row, y }, scale, index) {
  return ORDER.flatMap((name) => {
    const us = medianOf(row.times[name]);
    return us ? [{ name, row, y, us, x: scale.at(us), index }] : [];
  });
}

/** From ours to the peer, and from both to their 95th percentiles. */
function linesOf({ times }, y, scale) {
  const ours = medianOf(times.ours);
  const peer = medianOf(times['ort-web']);
  const between =
    ours && peer
      ? [
          {
            x1: scale.at(Math.min(ours, peer)),
            x2: scale.at(Math.max(ours, peer)),
            y,
            ink: INKS[standing(peer / ours)],
            opacity: 0.5,
          },
        ]
      : [];
  const tails = TAILS.flatMap((name) => {
    const [us, p95] = [medianOf(times[name]), lateOf(times[name])];
    if (!us || !(p95 > us)) return [];
    return { x1: scale.at(us), x2: scale.at(p95), y, ink: name === 'ours' ? 'pen' : 'ink', opacity: 0.6 };
  });
  return [...between, ...tails];
}

const line = (x1, x2, y, { ink, opacity }, theme) =>
  shape('line', { x1, x2, y1: y, y2: y, stroke: theme[ink], 'stroke-width': 1.25, opacity });

/** Whether ours lies over it. */
const isHidden = ({ x, row }, marks) =>
  marks.some((one) => one.name === 'ours' && one.row === row && Math.abs(one.x - x) < 8);
/** What it costs to label a mark that is hidden. */
const HIDDEN = 6;

/** Names at the first rows, and "slower here" where we lose. */
function labelJobs(marks, isNarrow) {
  const names = [
    ['ours', 'lstm-wasm', 'pen', true],
    ['ort-web', 'onnxruntime-web', 'ink', true],
    ['plain', 'plain JavaScript', 'ink2', false],
    ['ours int8', '8-bit weights', 'pen', false],
  ];
  const size = isNarrow ? 12 : 13;
  // above or below a mark, where the lines do not run
  const aside = ({ y, cost }, mark) => cost + (Math.abs(y - mark.y) < size / 2 ? 3 : 0);
  const candidates = (mark, words) =>
    around({ ...mark, gap: mark.name === 'plain' ? 12 : 10 }, size).map((place) => {
      const down = Math.max(0, mark.index) * 0.9 + (mark.name === 'ours int8' && isHidden(mark, marks) ? HIDDEN : 0);
      return { ...words, size, ...place, cost: aside(place, mark) + down };
    });
  const named = names.flatMap(([name, text, fill, bold]) => {
    const own = marks.filter((mark) => mark.name === name && mark.index >= 0);
    return own.length > 0 ? { candidates: own.flatMap((mark) => candidates(mark, { text, fill, bold })) } : [];
  });
  const lost = marks.filter(({ name, row, us }) => {
    const peer = medianOf(row.times['ort-web']);
    return name === 'ours' && peer && standing(peer / us) === 'slower';
  });
  const words = { text: 'slower here', fill: 'rust', bold: false };
  return [...named, ...lost.map((mark) => ({ candidates: candidates({ ...mark, index: 0 }, words) }))];
}
