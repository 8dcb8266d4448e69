import type { Row, View } from '../../kit/view.ts';
import { colourOf, type Scale } from './scales.ts';
import type { Gates } from './types.ts';

// Heat maps: time to the right, a line a unit.

/** A gate as indices of colours, [count][width]. */
export interface Shades {
  readonly data: Uint8Array;
  readonly count: number;
  readonly width: number;
}

/** Steps and units that are averaged in a pixel, at most, of which steps are left out first: drawing takes no longer for more. */
const [STEPS, PARTS] = [4, 8];

/** The colour of each value. */
export function shadesOf(values: Float32Array, scale: Scale): Uint8Array {
  const data = new Uint8Array(values.length);
  for (let n = 0; n < data.length; n++) data[n] = colourOf(scale, values[n]!);
  return data;
}

/**
 * Brings steps and units to columns and lines of the screen: where there are more units than lines, neighbours in `order` are
 * averaged, and so are steps.
 * @param order the units from top to bottom
 * @returns [lines][columns]
 */
export function average(
  { data, width }: Shades,
  order: ArrayLike<number>,
  [first, last]: readonly [number, number],
  [columns, lines]: readonly [number, number],
): Uint8Array {
  const out = new Uint8Array(columns * lines);
  const steps = last - first;
  const most = Math.max(1, Math.min(STEPS, Math.floor((PARTS * lines) / order.length)));
  for (let x = 0; x < columns; x++) {
    const from = first + Math.floor((x * steps) / columns);
    const to = Math.max(from + 1, first + Math.floor(((x + 1) * steps) / columns));
    const stride = Math.max(1, Math.ceil((to - from) / most));
    for (let y = 0; y < lines; y++) {
      const top = Math.floor((y * order.length) / lines);
      const bottom = Math.max(top + 1, Math.floor(((y + 1) * order.length) / lines));
      let [sum, parts] = [0, 0];
      for (let t = from; t < to; t += stride) {
        for (let n = top; n < bottom; n++, parts++) sum += data[t * width + order[n]!]!;
      }
      out[y * columns + x] = Math.round(sum / parts);
    }
  }
  return out;
}

/** The lines of the screen that units have: one each, or as many as there are device pixels. */
export function linesFor(units: number, height: number, ratio: number): number {
  return Math.max(1, Math.min(units, Math.floor(height * ratio)));
}

/** A row that draws shades. @param every the time of a step */
export function heatRow(
  looks: Omit<Row, 'draw'>,
  shades: Shades,
  scale: Scale,
  every: number,
  order: () => ArrayLike<number>,
): Row {
  const canvas = document.createElement('canvas');
  let painted: readonly unknown[] = [];
  return {
    ...looks,
    draw(context, view) {
      const first = Math.max(0, Math.floor(view.from / every));
      const last = Math.min(shades.count, Math.ceil(view.to / every));
      if (last <= first) return;
      // other rows are drawn anew for each unit that is picked: this one is the same then
      const wanted = [first, last, view.width, view.height, view.ratio, view.theme, order()];
      if (wanted.some((value, n) => value !== painted[n])) paint(canvas, shades, scale, order(), [first, last], view);
      painted = wanted;
      const [left, right] = [view.x(first * every), view.x(last * every)];
      context.imageSmoothingEnabled = false;
      context.drawImage(canvas, left, 0, right - left, view.height);
    },
  };
}

function paint(
  canvas: HTMLCanvasElement,
  shades: Shades,
  { map }: Scale,
  order: ArrayLike<number>,
  steps: readonly [number, number],
  { width, height, ratio, theme }: View,
): void {
  const columns = Math.min(steps[1] - steps[0], Math.ceil(width * ratio));
  const lines = linesFor(order.length, height, ratio);
  const indices = average(shades, order, steps, [columns, lines]);
  canvas.width = columns;
  canvas.height = lines;
  const context = canvas.getContext('2d')!;
  const pixels = context.createImageData(columns, lines);
  const table = theme.maps[map];
  for (let n = 0; n < indices.length; n++) {
    const colour = 3 * indices[n]!;
    pixels.data[4 * n] = table[colour]!;
    pixels.data[4 * n + 1] = table[colour + 1]!;
    pixels.data[4 * n + 2] = table[colour + 2]!;
    pixels.data[4 * n + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}

/** The values of one unit at each step. */
export function seriesOf(values: Float32Array, { count }: Pick<Gates, 'count'>, unit: number): Float32Array {
  const width = values.length / count;
  if (unit >= width) return new Float32Array(count).fill(Number.NaN);
  return Float32Array.from({ length: count }, (_, t) => values[t * width + unit]!);
}
