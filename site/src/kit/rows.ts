import type { Colour, MapName } from './theme.ts';
import type { Row, View } from './view.ts';

type Looks = Omit<Row, 'draw'>;

/** Lowest and highest samples of stretches of sound, so that any zoom draws in the time of its pixels. */
export class Peaks {
  static readonly EVERY = 64;
  #low: Float32Array;
  #high: Float32Array;
  #filled = 0;

  /** @param samples sound that is there already; more may be added up to `room` samples */
  constructor(
    samples: Float32Array,
    readonly rate: number,
    room = samples.length,
  ) {
    const buckets = Math.ceil(room / Peaks.EVERY);
    this.#low = new Float32Array(buckets);
    this.#high = new Float32Array(buckets);
    this.add(samples);
  }

  /** Adds sound at the end; its length is a multiple of EVERY but for the last. */
  add(samples: Float32Array): void {
    for (let at = 0; at < samples.length && this.#filled < this.#low.length; at += Peaks.EVERY) {
      let [low, high] = [0, 0];
      for (let n = at; n < Math.min(samples.length, at + Peaks.EVERY); n++) {
        low = Math.min(low, samples[n]!);
        high = Math.max(high, samples[n]!);
      }
      this.#low[this.#filled] = low;
      this.#high[this.#filled++] = high;
    }
  }

  /** Adds lowest and highest samples that are known already, of EVERY samples each. */
  addPeaks(low: ArrayLike<number>, high: ArrayLike<number>): void {
    const count = Math.min(low.length, this.#low.length - this.#filled);
    for (let n = 0; n < count; n++) [this.#low[this.#filled + n], this.#high[this.#filled + n]] = [low[n]!, high[n]!];
    this.#filled += count;
  }

  get seconds(): number {
    return (this.#filled * Peaks.EVERY) / this.rate;
  }

  /** The lowest and highest sample between two times. */
  between(from: number, to: number): [low: number, high: number] {
    const first = Math.max(0, Math.floor((from * this.rate) / Peaks.EVERY));
    const last = Math.min(this.#filled, Math.max(first + 1, Math.ceil((to * this.rate) / Peaks.EVERY)));
    let [low, high] = [0, 0];
    for (let n = first; n < last; n++) {
      low = Math.min(low, this.#low[n]!);
      high = Math.max(high, this.#high[n]!);
    }
    return [low, high];
  }
}

/** A waveform. @param tone its colour at a time @param gain pixels of half the row an amplitude of 1 fills, as a part */
export function waveRow(
  looks: Looks,
  peaks: () => Peaks,
  tone: (time: number) => Colour,
  gain: () => number = () => 1,
): Row {
  return {
    ...looks,
    draw(context, view) {
      const sound = peaks();
      const end = Math.min(view.width, view.x(sound.seconds));
      const middle = view.height / 2;
      const scale = gain();
      for (let x = 0; x < end; x += 1 / view.ratio) {
        const [low, high] = sound.between(view.time(x), view.time(x + 1 / view.ratio));
        const top = middle - Math.min(1, high * scale) * middle;
        const bottom = middle - Math.max(-1, low * scale) * middle;
        context.fillStyle = view.theme[tone(view.time(x))];
        context.fillRect(x, top, 1 / view.ratio, Math.max(1, bottom - top));
      }
    },
  };
}

/** A picture over time: columns of bytes, each an index into a map of colours. */
export interface Picture {
  /** [columns][lines], which do not change once they are there: the first line of a column is drawn at the bottom if `upwards`, else at the top */
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly lines: number;
  /** How many columns are there by now. */
  readonly columns: number;
  /** The time of the first column's left edge, and of a column's width. */
  readonly start: number;
  readonly every: number;
  readonly upwards: boolean;
  /** Which value of a column each line shows, where they are sorted. */
  readonly order?: ArrayLike<number>;
}

/** Columns that are averaged in one of the screen, at most: an hour of sound is drawn as fast as a minute. */
const AVERAGED = 4;

/** A heat map or spectrogram. @param map the map of colours for a column's time */
export function pictureRow(looks: Looks, picture: () => Picture, map: (time: number) => MapName): Row {
  const painter = new Painter();
  return {
    ...looks,
    draw(context, view) {
      const image = picture();
      const first = Math.max(0, Math.floor((view.from - image.start) / image.every));
      const last = Math.ceil((view.to - image.start) / image.every);
      if (last <= first || image.columns <= first) return;
      const canvas = painter.paint(image, first, last, view, map);
      const left = view.x(image.start + first * image.every);
      const right = view.x(image.start + last * image.every);
      // fewer columns or lines than pixels stand as squares; more are averaged
      context.imageSmoothingEnabled = last - first > view.width * view.ratio || image.lines > view.height * view.ratio;
      context.drawImage(canvas, left, 0, right - left, view.height);
    },
  };
}

/** Paints pictures column by column of the screen, and only those that have changed since. */
class Painter {
  #canvas = document.createElement('canvas');
  #pixels = new ImageData(1, 1);
  /** What the pixels show: another view, picture or theme begins anew. */
  #shown: readonly unknown[] = [];
  /** The map of each column of the screen, and how many of the picture's columns it has. */
  #painted: (string | undefined)[] = [];

  /** @param first,last the columns of the picture between the edges of the view; some may not have come yet */
  paint(image: Picture, first: number, last: number, view: View, map: (time: number) => MapName): HTMLCanvasElement {
    const { lines, start, every, columns } = image;
    const count = last - first;
    // no more columns than the screen has
    const width = Math.min(count, Math.ceil(view.width * view.ratio));
    const shown = [image.data, image.order, view.theme, first, last, width, lines];
    if (shown.some((part, n) => part !== this.#shown[n])) {
      this.#shown = shown;
      this.#painted = [];
      [this.#canvas.width, this.#canvas.height] = [width, lines];
      this.#pixels = new ImageData(width, lines);
    }
    for (let x = 0; x < width; x++) {
      const column = first + Math.floor((x * count) / width);
      const next = Math.min(columns, first + Math.floor(((x + 1) * count) / width));
      if (next <= column) break;
      const name = map(start + ((column + next) / 2) * every);
      const key = `${name}${next}`;
      if (this.#painted[x] === key) continue;
      this.#painted[x] = key;
      this.#column(x, image, column, next, view.theme.maps[name]);
    }
    this.#canvas.getContext('2d')!.putImageData(this.#pixels, 0, 0);
    return this.#canvas;
  }

  #column(x: number, { data, lines, upwards, order }: Picture, column: number, next: number, table: Uint8Array): void {
    const { data: pixels, width } = this.#pixels;
    const stride = Math.max(1, Math.ceil((next - column) / AVERAGED));
    for (let line = 0; line < lines; line++) {
      const value = order ? order[line]! : line;
      let [sum, parts] = [0, 0];
      for (let n = column; n < next; n += stride, parts++) sum += data[n * lines + value]!;
      const colour = 3 * Math.round(sum / parts);
      const at = 4 * ((upwards ? lines - 1 - line : line) * width + x);
      pixels[at] = table[colour]!;
      pixels[at + 1] = table[colour + 1]!;
      pixels[at + 2] = table[colour + 2]!;
      pixels[at + 3] = 255;
    }
  }
}

/** Values at equal steps of time. */
export interface Series {
  readonly values: Float32Array;
  readonly count: number;
  readonly every: number;
  readonly colour: Colour;
  /** Fills down to zero with a pale colour. */
  readonly wash?: Colour;
  readonly width?: number;
}

export interface LineOptions {
  /** The values at the bottom and the top of the row. */
  readonly range: readonly [low: number, high: number];
  /** Dotted lines at values. */
  readonly levels?: () => readonly number[];
}

/** Lines over time. */
export function lineRow(
  looks: Looks,
  series: () => readonly Series[],
  { range: [low, high], levels }: LineOptions,
): Row {
  return {
    ...looks,
    draw(context, view) {
      const y = (value: number) => 1 + (1 - (value - low) / (high - low)) * (view.height - 2);
      for (const { values, count, every, colour, wash, width = 1.75 } of series()) {
        const first = Math.max(0, Math.floor(view.from / every) - 1);
        const last = Math.min(count, Math.ceil(view.to / every) + 1);
        if (last <= first) continue;
        const path = new Path2D();
        for (let n = first; n < last; n++) path.lineTo(view.x((n + 0.5) * every), y(values[n]!));
        if (wash) {
          const area = new Path2D(path);
          area.lineTo(view.x((last - 0.5) * every), y(0));
          area.lineTo(view.x((first + 0.5) * every), y(0));
          context.fillStyle = view.theme[wash];
          context.fill(area);
        }
        context.strokeStyle = view.theme[colour];
        context.lineWidth = width;
        context.lineJoin = 'round';
        context.stroke(path);
      }
      context.strokeStyle = view.theme.ink2;
      context.lineWidth = 1;
      context.setLineDash([1, 4]);
      for (const level of levels?.() ?? []) {
        context.beginPath();
        context.moveTo(0, y(level));
        context.lineTo(view.width, y(level));
        context.stroke();
      }
      context.setLineDash([]);
    },
  };
}

/** Bars over stretches of time, with their times where there is room. */
export function bandRow(
  looks: Looks,
  bands: () => readonly { from: number; to: number }[],
  text: (band: { from: number; to: number }) => string,
): Row {
  return {
    ...looks,
    draw(context, view) {
      context.fillStyle = view.theme.pen;
      context.font = '12px "IBM Plex Mono", monospace';
      context.textBaseline = 'bottom';
      let free = 0;
      for (const band of bands()) {
        const [left, right] = [view.x(band.from), view.x(band.to)];
        if (right < 0 || left > view.width) continue;
        context.fillRect(left, view.height - 4, Math.max(1, right - left), 4);
        const label = text(band);
        const width = context.measureText(label).width;
        const at = Math.max(0, left);
        if (right - at < width || at < free || at + width > view.width) continue;
        context.fillText(label, at, view.height - 8);
        free = at + width + 8;
      }
    },
  };
}
