import { overlap, textBox } from './text.mjs';

/**
 * Where a label may stand, best first, for a mark at x, y. `cost` says how far from best.
 * @param {{ x: number, y: number, gap?: number }} mark
 */
export function around({ x, y, gap = 10 }, size) {
  const middle = y + size * 0.36;
  const above = y - gap - 1.5;
  const below = y + gap + size * 0.74 + 1.5;
  return [
    { x: x + gap, y: middle, anchor: 'start', cost: 0 },
    { x: x - gap, y: middle, anchor: 'end', cost: 0.5 },
    { x: x + 2.2 * gap, y: middle, anchor: 'start', cost: 1.5 },
    { x: x - 2.2 * gap, y: middle, anchor: 'end', cost: 2 },
    ...[
      [above, 0],
      [below, 1],
      [below + size + 2, 6],
    ].flatMap(([line, under]) => [
      { x, y: line, anchor: 'middle', cost: 1 + under },
      ...[5, 25, 45, 0].flatMap((aside, i) => [
        { x: x + aside, y: line, anchor: 'end', cost: 1.2 + under + i / 10 },
        { x: x - aside, y: line, anchor: 'start', cost: 1.2 + under + i / 10 },
      ]),
    ]),
  ];
}

/** Whether a segment comes into a box (Liang and Barsky). */
function crosses({ x1, y1, x2, y2 }, { left, right, top, bottom }) {
  let from = 0;
  let to = 1;
  for (const [p, q] of [
    [x1 - x2, x1 - left],
    [x2 - x1, right - x1],
    [y1 - y2, y1 - top],
    [y2 - y1, bottom - y1],
  ]) {
    if (p === 0) {
      if (q < 0) return false;
    } else if (p < 0) from = Math.max(from, q / p);
    else to = Math.min(to, q / p);
  }
  return from <= to;
}

/** What it costs a label to lie over a line of weight 1. */
const CROSSING = 1.5;
const GAP = 2;
/** Places looked at before an order is given up. */
const TRIES = 20_000;

/**
 * `candidates` are the places that a label may have; what cannot be had below `limit` is left out.
 * @typedef {{ text: string, size: number, bold?: boolean, x: number, y: number, anchor: 'start' | 'middle' | 'end', cost: number }} Candidate
 * @typedef {{ candidates: Candidate[], limit?: number }} Job
 * @typedef {{ taken: import('./text.mjs').Box[], lines: { x1: number, y1: number, x2: number, y2: number, weight: number, kind?: string }[],
 *   within: import('./text.mjs').Box }} Surroundings
 */

/**
 * Gives each label a place where it touches neither texts nor marks nor another label, the cheapest where it can be had. Labels without a limit
 * come first; where not all find a place, those that cannot are left out.
 * @param {Job[]} jobs @param {Surroundings} surroundings
 */
export function placeLabels(jobs, surroundings) {
  const all = jobs.map((job) => ({ must: job.limit === undefined, places: scored(job, surroundings) }));
  const must = all.filter((one) => one.must && one.places.length > 0).map(({ places }) => places);
  let placed = settle(must);
  while (!Array.isArray(placed)) {
    must.splice(placed.stuck, 1);
    placed = settle(must);
  }
  for (const { must, places } of all) {
    const place = must ? undefined : places.find((one) => isFree(one, placed));
    if (place) placed.push(place);
  }
  return placed;
}

const isFree = ({ box }, placed) => !placed.some((other) => overlap(box, other.box, GAP));

/** One place of each that do not touch: the first that are found, or if none are found soon the label that was in the way. */
function settle(jobs) {
  const placed = [];
  let tries = TRIES;
  let stuck = 0;
  const from = (i) => {
    if (i === jobs.length) return true;
    stuck = Math.max(stuck, i);
    return jobs[i].some((place) => {
      if (tries-- <= 0 || !isFree(place, placed)) return false;
      placed.push(place);
      if (from(i + 1)) return true;
      placed.pop();
      return false;
    });
  };
  return from(0) ? placed : { stuck };
}

/** The free places of a label, the cheapest first. */
function scored({ candidates, limit = Number.POSITIVE_INFINITY }, { taken, lines, within }) {
  const { left, right, top, bottom } = within;
  return candidates
    .map((candidate) => ({ ...candidate, box: textBox(candidate) }))
    .filter(({ box }) => box.left >= left && box.right <= right && box.top >= top && box.bottom <= bottom)
    .filter(({ box }) => !taken.some((other) => overlap(box, other, GAP)))
    .map((candidate) => ({ ...candidate, cost: candidate.cost + crossingCost(candidate.box, lines) }))
    .filter(({ cost }) => cost < limit)
    .sort((a, b) => a.cost - b.cost);
}

/** Thin lines of one row lie upon each other and count once. */
function crossingCost(box, lines) {
  const crossed = lines.filter((line) => crosses(line, box));
  const tails = crossed.filter(({ kind }) => kind === 'tail');
  const others = crossed.filter(({ kind }) => kind !== 'tail');
  return (
    CROSSING * (others.reduce((sum, { weight }) => sum + weight, 0) + Math.max(0, ...tails.map(({ weight }) => weight)))
  );
}
