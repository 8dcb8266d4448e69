import { figure, times } from './format.mjs';
import { drawingOrder, markAt, styleOf } from './marks.mjs';
import { labelsOf, loses } from './ratio-labels.mjs';
import { extent, logScale } from './scale.mjs';
import { shape, text } from './svg.mjs';
import { cutMiddle, textWidth } from './text.mjs';

/**
 * `us` and `p95` are microseconds; `ratio` is given where it is known better than `us` by that of ours. Who has no time has no mark.
 * @typedef {{ us: number, p95?: number, ratio?: number }} Time
 * @typedef {{ label: string, ours: Time, peers: Record<string, Time> }} Row
 * @typedef {{ title: string, rows: Row[] }} Group
 */

const WIDTH = 880;
const TITLE = { size: 16, bold: true };
const BODY = { size: 13 };
const ROW = 30;
const HEAD = 72;
/** From a group's title to its first row, and from the last row to the next group's title. */
const TO_ROW = 30;
const TO_GROUP = 46;
const LABELS_AT_MOST = 300;
const RIGHT = 12;

/**
 * How many times as long as ours each contestant takes, shape by shape, one mark each joined by thin lines, on a logarithmic axis; where a peer is
 * faster lies on a tint. Colours are a theme's: `pen`, `ink` and so on.
 * @param {{ title: string, subtitle: string, groups: Group[] }} chart
 * @param {import('./theme.mjs').Theme} theme
 * @returns {import('./svg.mjs').Scene}
 */
export function ratioChart({ title, subtitle, groups }, theme) {
  const { labels, ours, left } = columns(groups);
  const right = WIDTH - RIGHT;
  const scale = logScale(domain(groups), [left, right]);
  const placed = place(groups);
  const bottom = placed.at(-1).rows.at(-1).y + 22;
  const one = scale.at(1);
  const items = [
    shape('rect', { x: left, y: HEAD, width: one - left, height: bottom - HEAD, fill: theme.tint }),
    ...axis(scale, bottom, theme),
    text({ text: cutMiddle(title, WIDTH, TITLE), full: title, x: 0, y: 18, fill: theme.ink, ...TITLE }),
    text({ text: cutMiddle(subtitle, WIDTH, BODY), full: subtitle, x: 0, y: 39, fill: theme.ink2, ...BODY }),
    text({ text: '← faster', x: one - 10, y: 66, fill: theme.rust, anchor: 'end', bold: true, ...BODY }),
    text({ text: 'slower than lstm-wasm →', x: one + 10, y: 66, fill: theme.pen, bold: true, ...BODY }),
    text({ text: 'ours, µs', x: ours, y: HEAD + 16, fill: theme.pen, anchor: 'end', ...BODY }),
  ];
  const lines = [];
  const marks = [];
  for (const { title, y, rows } of placed) {
    items.push(text({ text: title, x: 0, y, fill: theme.ink, bold: true, ...BODY }));
    for (const { row, y } of rows) {
      const label = cutMiddle(row.label, labels, BODY);
      items.push(text({ text: label, full: row.label, x: 0, y: y + 4.5, fill: theme.ink, ...BODY }));
      items.push(text({ text: figure(row.ours.us), x: ours, y: y + 4.5, fill: theme.pen, anchor: 'end', ...BODY }));
    }
    lines.push(...joints(rows, scale));
    marks.push(...points(rows, scale));
  }
  const tails = whiskers(placed, marks, scale);
  items.push(...lines.map((line) => drawLine(line, theme)), ...tails.map((line) => drawTail(line, theme)));
  const drawn = marks.map(({ x, y, name, ratio }) => {
    const { mark, color } = styleOf(name);
    return markAt(x, y, mark, theme[loses(name, ratio) ? 'rust' : color], theme.sheet);
  });
  const within = { left: left + 2, right: WIDTH, top: HEAD, bottom };
  const taken = [...items, ...drawn].flatMap(({ box }) => box ?? []);
  const words = labelsOf(placed, marks, { taken, lines: [...lines, ...tails, ...grid(scale, bottom)], within });
  items.push(...drawn, ...words.map((label) => text({ ...label, fill: theme[label.fill] })));
  return { width: WIDTH, height: bottom + 52, title, description: describe(groups), items };
}

const ratioOf = ({ us, ratio }, ours) => ratio ?? us / ours.us;

/** How wide labels are, where our figures end and where the plot begins. */
function columns(groups) {
  const rows = groups.flatMap(({ rows }) => rows);
  const widest = (words, font) => Math.max(...words.map((word) => textWidth(word, font)));
  const names = widest(
    rows.map(({ label }) => label),
    BODY,
  );
  const titles = widest(
    groups.map(({ title }) => title),
    { ...BODY, bold: true },
  );
  const labels = Math.min(LABELS_AT_MOST, Math.max(names, titles));
  const figures = widest(['ours, µs', ...rows.map(({ ours }) => figure(ours.us))], BODY);
  const ours = Math.ceil(labels + 24 + figures);
  return { labels, ours, left: ours + 14 };
}

function domain(groups) {
  const rows = groups.flatMap(({ rows }) => rows);
  const values = rows.flatMap(({ ours, peers }) =>
    [ours, ...Object.values(peers)].flatMap(({ us, p95 = us }) => [us / ours.us, p95 / ours.us]),
  );
  const [least, most] = extent(values, [0.1, 100]);
  return /** @type {[number, number]} */ ([least / 1.25, most * 1.25]);
}

/** y of each title and row. */
function place(groups) {
  let y = HEAD + 16;
  return groups.map(({ title, rows }, i) => {
    if (i > 0) y += TO_GROUP;
    const at = y;
    y += TO_ROW - ROW;
    return {
      title,
      y: at,
      rows: rows.map((row) => {
        y += ROW;
        return { row, y };
      }),
    };
  });
}

function axis(scale, bottom, theme) {
  const [from] = scale.decades;
  const items = scale.decades.flatMap((value) => {
    const x = scale.at(value);
    const line = { x1: x, x2: x, y1: HEAD, y2: bottom, stroke: value === 1 ? theme.ink : theme.rule };
    const label = `${value}×`;
    const inside = Math.min(x, WIDTH - textWidth(label, BODY) / 2);
    return [
      shape('line', { ...line, 'stroke-width': value === 1 ? 1.5 : 1 }),
      text({ text: label, x: inside, y: bottom + 20, fill: theme.ink2, anchor: 'middle', ...BODY }),
    ];
  });
  const minor = scale.minor.map((value) => `M${scale.at(value).toFixed(2)} ${bottom}v4`).join('');
  const name = 'times as long as lstm-wasm, log scale; thin lines end at the 95th percentile';
  return [
    ...items,
    shape('path', { d: minor, stroke: theme.rule, fill: 'none' }),
    text({ text: name, x: scale.at(from) - 16, y: bottom + 42, fill: theme.ink2, size: 12 }),
  ];
}

function points(rows, scale) {
  return drawingOrder(new Set(rows.flatMap(({ row }) => Object.keys(row.peers)))).flatMap((name) =>
    rows.flatMap(({ row, y }) => {
      const time = row.peers[name];
      if (!time) return [];
      const ratio = ratioOf(time, row.ours);
      return { name, row, y, ratio, x: scale.at(ratio), p95: time.p95 && scale.at(time.p95 / row.ours.us) };
    }),
  );
}

/** Segments from row to row; a row without a contestant interrupts its line. */
function joints(rows, scale) {
  const found = points(rows, scale);
  return found.flatMap(({ name, x, y }, i) => {
    const next = found[i + 1];
    const goes = next?.name === name && next.y - y <= ROW;
    const { line, weight = 1, dash, strong } = styleOf(name);
    return goes ? { x1: x, y1: y, x2: next.x, y2: next.y, line, width: weight, dash, weight: strong ? 1 : 0.4 } : [];
  });
}

function drawLine({ x1, y1, x2, y2, line, width, dash }, theme) {
  const ends = { x1, y1, x2, y2, stroke: theme[line], 'stroke-width': width, 'stroke-dasharray': dash };
  return shape('line', { ...ends, opacity: 0.6 });
}

/** Thin lines from medians, ours too, to the 95th percentiles. */
function whiskers(placed, marks, scale) {
  const own = placed.flatMap(({ rows }) =>
    rows.map(({ row: { ours }, y }) => ({
      name: 'ours',
      y,
      x: scale.at(1),
      p95: ours.p95 && scale.at(ours.p95 / ours.us),
    })),
  );
  return [...marks, ...own].flatMap(({ name, x, y, p95 }) =>
    p95 > x ? { x1: x, x2: p95, y1: y, y2: y, color: styleOf(name).color, weight: 1.5, kind: 'tail' } : [],
  );
}

function drawTail({ x1, y1, x2, y2, color }, theme) {
  return shape('line', { x1, y1, x2, y2, stroke: theme[color], opacity: 0.55 });
}

/** The lines of the axis, as what labels had better not lie on. */
function grid(scale, bottom) {
  return scale.decades.map((value) => {
    const x = scale.at(value);
    return { x1: x, x2: x, y1: HEAD, y2: bottom, weight: value === 1 ? 2 : 0.5 };
  });
}

function describe(groups) {
  const said = groups.map(({ title, rows }) => {
    const lines = rows.map(({ label, ours, peers }) => {
      const all = Object.entries(peers).map(([name, time]) => `${styleOf(name).name} ${times(ratioOf(time, ours))}`);
      return `${label}: ours ${figure(ours.us)} µs, ${all.join(', ')}`;
    });
    return `${title}. ${lines.join('. ')}.`;
  });
  return said.join(' ');
}
