import { times } from './format.mjs';
import { styleOf } from './marks.mjs';
import { around, placeLabels } from './place.mjs';
import { cutMiddle } from './text.mjs';

const SIZE = 12;
const NAME_AT_MOST = 190;
/** A row further down is as bad as half a line crossed. */
const ROW_DOWN = 0.6;
/** A name at a mark that is covered by another; those that matter most show enough of themselves. */
const COVERED = 3;
/** The worst loss is labelled unless that costs more than this over the next. */
const NEXT_LOSS = 12;
/** What a name that was said above may cost to be said once more. */
const AGAIN = 2.5;

/** Below this a peer is faster than ours: 2 % are a draw. */
const DRAW = 0.98;
export const loses = (name, ratio) => !name.startsWith('ours') && ratio < DRAW;

/**
 * Labels at marks, in place of a legend: each contestant's name once, in the first group that has it; in each group the worst loss to every
 * contestant with its figure; and the others' short names, where there is room.
 * @param {{ rows: { row: object, y: number }[] }[]} placed
 * @param {import('./place.mjs').Surroundings} surroundings
 */
export function labelsOf(placed, marks, surroundings) {
  const named = new Set();
  const jobs = placed.flatMap(({ rows }) => {
    const here = marks.filter(({ row }) => rows.some((one) => one.row === row));
    const names = [...new Set(here.map(({ name }) => name))].reverse();
    const losing = names.filter((name) => here.some((mark) => mark.name === name && loses(name, mark.ratio)));
    const losses = losing.map((name) => lossesOf(name, here)).sort((a, b) => a.worst - b.worst);
    const others = names
      .filter((name) => !named.has(name) || !losing.includes(name))
      .map((name) => {
        const isNew = !named.has(name);
        // "-node, 8 bits" says enough beside "onnxruntime-node"
        const isSaid = !isNew || (name.endsWith(' int8') && names.includes(name.slice(0, -' int8'.length)));
        const { name: long, short, strong } = styleOf(name);
        const words = isSaid ? short : cutMiddle(long, NAME_AT_MOST, { size: SIZE, bold: true });
        const own = here.filter((mark) => mark.name === name);
        const candidates = own.flatMap((mark, i) =>
          candidatesAt(mark, words).map((one) => ({
            ...one,
            cost: one.cost + i * ROW_DOWN + (!strong && isCovered(mark, here) ? COVERED : 0),
          })),
        );
        named.add(name);
        return isNew ? { candidates } : { candidates, limit: AGAIN };
      });
    return [...losses, ...others];
  });
  return placeLabels(jobs, surroundings);
}

/** Whether another lies over it, wholly or in part: they are in the order of drawing. */
function isCovered(mark, marks) {
  const later = marks.slice(marks.indexOf(mark) + 1);
  return later.some(({ row, x }) => row === mark.row && Math.abs(x - mark.x) < 9);
}

/** At the worst loss, and where there is no room at all at the next one. The worst is how far down it goes. */
function lossesOf(name, marks) {
  const lost = marks.filter((mark) => mark.name === name && loses(name, mark.ratio)).sort((a, b) => a.ratio - b.ratio);
  const candidates = lost.flatMap((mark, i) =>
    candidatesAt(mark, styleOf(name).short).map((one) => ({ ...one, cost: one.cost + i * NEXT_LOSS })),
  );
  return { candidates, worst: lost[0].ratio };
}

/** The places around a mark for a name, with the figure where it is a loss or one of those that matter. */
function candidatesAt({ x, y, name, ratio }, words) {
  const { strong = false, color } = styleOf(name);
  const isLoss = loses(name, ratio);
  const value = isLoss || (strong && color !== 'pen') ? ` ${times(ratio)}` : '';
  const fill = isLoss ? 'rust' : strong ? color : 'ink2';
  return around({ x, y }, SIZE).map((place) => ({
    text: words + value,
    size: SIZE,
    bold: isLoss || strong,
    fill,
    ...place,
  }));
}
