import { type Picture, pictureRow } from '../../kit/rows.ts';
import type { Row, Ruler, View } from '../../kit/view.ts';
import { type Reading, THRESHOLD, type Word } from './cuts.ts';

const THAI_FONT = '"IBM Plex Sans Thai", "IBM Plex Sans", sans-serif';
const MONO = '12px "IBM Plex Mono", monospace';
/** CSS pixels of a letter's column below which letters and figures are left out. */
const READABLE = 15;

/** Letters in place of seconds. */
export const LETTERS: Ruler = {
  text: (time, exact) => (exact ? `letter ${Math.floor(time) + 1}` : String(Math.round(time) + 1)),
  least: 1,
};

/** A letter as it stands alone: a mark needs something to stand on. */
export function alone(letter: string): string {
  return /\p{M}/u.test(letter) ? `◌${letter}` : letter;
}

/** The rows of the strip. @param reading what was read last */
export function wordRows(reading: () => Reading): Row[] {
  return [lettersRow(reading), statesRow(reading), startsRow(reading), wordsRow(reading)];
}

function lettersRow(reading: () => Reading): Row {
  return {
    name: 'Heard',
    detail: 'letters',
    height: 46,
    gap: 14,
    draw(context, view) {
      drawCuts(context, view, reading(), 0);
      const column = view.x(1) - view.x(0);
      if (column < READABLE) return;
      const { letters, starts } = reading();
      context.font = `${Math.min(24, Math.round(column))}px ${THAI_FONT}`;
      context.textAlign = 'center';
      context.textBaseline = 'alphabetic';
      for (const t of shown(view, letters.length)) {
        context.fillStyle = Number.isNaN(starts[t]!) ? view.theme.ink2 : view.theme.ink;
        context.fillText(alone(letters[t]!), view.x(t + 0.5), 28);
      }
    },
  };
}

function statesRow(reading: () => Reading): Row {
  let last: Reading | undefined;
  let data: Uint8Array<ArrayBufferLike> = new Uint8Array();
  const picture = (): Picture => {
    const { states, units, letters } = reading();
    if (last !== reading()) {
      last = reading();
      // h lies between -1 and 1; index 128 of the map is zero
      data = Uint8Array.from(states, (h) => Math.round(128 + 127 * h));
    }
    return { data, lines: units, columns: letters.length, start: 0, every: 1, upwards: false };
  };
  const row = pictureRow(
    {
      name: 'Remembered',
      detail: 'h of 15 units from each end',
      height: 90,
      ticks: [
        { at: 0.75, text: '→' },
        { at: 0.25, text: '←' },
      ],
    },
    picture,
    () => 'one',
  );
  return {
    ...row,
    draw(context, view) {
      row.draw(context, view);
      drawCuts(context, view, reading(), 0);
    },
  };
}

function startsRow(reading: () => Reading): Row {
  const [room, height] = [34, 124];
  const y = (probability: number) => height - probability * (height - room);
  return {
    name: 'Said',
    detail: 'a new word, 0 to 1',
    height,
    ticks: [
      { at: 0, text: '0' },
      { at: (height - room) / height, text: '1' },
    ],
    value(time) {
      const probability = reading().starts[Math.floor(time)];
      const text = probability === undefined || Number.isNaN(probability) ? '–' : probability.toFixed(2);
      const tone = probability !== undefined && probability > THRESHOLD ? 'pen' : 'ink';
      return [{ text, tone }, { text: `cut > ${THRESHOLD.toFixed(2)}` }];
    },
    draw(context, view) {
      drawLevel(context, view, y(THRESHOLD));
      drawCuts(context, view, reading(), 0, y);
      drawBars(context, view, reading(), y);
    },
  };
}

/** A dotted line at the threshold, and a line at zero. */
function drawLevel(context: CanvasRenderingContext2D, { width, height, theme }: View, level: number): void {
  context.fillStyle = theme.rule;
  context.fillRect(0, height - 1, width, 1);
  context.strokeStyle = theme.ink2;
  context.setLineDash([1, 4]);
  context.beginPath();
  context.moveTo(0, Math.round(level) + 0.5);
  context.lineTo(width, Math.round(level) + 0.5);
  context.stroke();
  context.setLineDash([]);
}

function drawBars(
  context: CanvasRenderingContext2D,
  view: View,
  { letters, starts }: Reading,
  y: (probability: number) => number,
): void {
  const column = view.x(1) - view.x(0);
  const width = Math.max(1, Math.min(5, column / 5));
  context.font = MONO;
  context.textAlign = 'left';
  context.textBaseline = 'top';
  let free = 0;
  for (const t of shown(view, letters.length)) {
    const probability = starts[t]!;
    if (!(probability > 0.004)) continue;
    const x = view.x(t);
    context.fillStyle = probability > THRESHOLD ? view.theme.pen : view.theme.ink2;
    context.fillRect(Math.round(t === 0 ? x : x - width / 2), y(probability), width, view.height - y(probability));
    const text = probability.toFixed(2);
    const left = x + width + 2;
    const end = left + context.measureText(text).width;
    if (probability < 0.05 || column < READABLE || left < free || end > view.width) continue;
    context.fillText(text, left, Math.min(y(probability) + 2, view.height - 16));
    free = end + 4;
  }
}

function wordsRow(reading: () => Reading): Row {
  return {
    detail: 'words',
    height: 58,
    draw(context, view) {
      context.textAlign = 'center';
      context.textBaseline = 'alphabetic';
      context.font = `21px ${THAI_FONT}`;
      for (const word of reading().words) {
        if (word.to < view.from || word.from > view.to) continue;
        drawWord(context, view, word);
      }
    },
  };
}

function drawWord(context: CanvasRenderingContext2D, view: View, { from, to, text, probability }: Word): void {
  const [left, right] = [view.x(from), view.x(to)];
  const isRead = !Number.isNaN(probability);
  context.fillStyle = isRead ? view.theme.pen : view.theme.ink2;
  const gap = right - left > 8 ? 2 : 0.5;
  if (isRead) context.fillRect(left + gap, 16, Math.max(1, right - left - 2 * gap), 4);
  if (context.measureText(text).width <= right - left + 4) context.fillText(text, (left + right) / 2, 45);
}

/** Lines where words begin; down to the bar's top with `y`. */
function drawCuts(
  context: CanvasRenderingContext2D,
  view: View,
  { words, starts }: Reading,
  top: number,
  y?: (probability: number) => number,
): void {
  // lines closer than this would be a wash of blue
  if (view.x(1) - view.x(0) < 4) return;
  context.fillStyle = view.theme.pen;
  for (const { from, probability } of words) {
    if (from === 0 || Number.isNaN(probability)) continue;
    const x = Math.round(view.x(from));
    if (x >= 0 && x <= view.width) context.fillRect(x, top, 1, (y ? y(starts[from]!) : view.height) - top);
  }
}

/** The letters that a view shows. */
function* shown(view: View, count: number): Generator<number> {
  const last = Math.min(count, Math.ceil(view.to));
  for (let t = Math.max(0, Math.floor(view.from)); t < last; t++) yield t;
}
