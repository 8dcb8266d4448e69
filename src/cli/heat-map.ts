import { encode } from 'fast-png';
import { escapeText, formatCount, threeDigits } from './text.ts';

/** Numbers over time: a row of `width` units for each step. */
export interface HeatMap {
  readonly title: string;
  /** [steps][width] */
  readonly data: Float32Array;
  readonly width: number;
  /** The numbers that the ends of the colours stand for. */
  readonly range: readonly [low: number, high: number];
}

type Colour = readonly [number, number, number];

// From nothing to all for what lies between 0 and 1, and from blue over white to red for what has a sign.
const SEQUENTIAL: readonly Colour[] = [
  [247, 251, 255],
  [158, 202, 225],
  [33, 113, 181],
  [8, 48, 107],
];
const DIVERGING: readonly Colour[] = [
  [5, 48, 97],
  [67, 147, 195],
  [247, 247, 247],
  [214, 96, 77],
  [103, 0, 31],
];
/** The colour of NaN. */
const NONE: Colour = [128, 128, 128];

/** The most pixels of a picture: more steps or units share a pixel, which has their mean. */
const MOST_COLUMNS = 1200;
const MOST_ROWS = 256;

const WIDTH = 860;
const LEFT = 60;
const RIGHT = 60;
const TOP = 34;
const ROW = 96;
const GAP = 22;

/** Draws maps below each other over one axis of time, as an SVG. */
export function drawHeatMaps(title: string, maps: readonly HeatMap[]): string {
  const steps = maps[0]!.data.length / maps[0]!.width;
  const inner = WIDTH - LEFT - RIGHT;
  const height = TOP + maps.length * (ROW + GAP) + 16;
  const pictures = maps.map((map, i) => {
    const y = TOP + i * (ROW + GAP);
    const [low, high] = map.range;
    return `<text x="${LEFT - 8}" y="${y + ROW / 2 + 4}" text-anchor="end">${escapeXml(map.title)}</text>
<image x="${LEFT}" y="${y}" width="${inner}" height="${ROW}" preserveAspectRatio="none" style="image-rendering:pixelated" href="${pictureOf(map)}"/>
<rect x="${LEFT}" y="${y}" width="${inner}" height="${ROW}" class="frame"/>
<image x="${WIDTH - RIGHT + 8}" y="${y}" width="8" height="${ROW}" preserveAspectRatio="none" href="${legendOf(map.range)}"/>
<text x="${WIDTH - RIGHT + 20}" y="${y + 9}" class="small">${threeDigits(high)}</text>
<text x="${WIDTH - RIGHT + 20}" y="${y + ROW}" class="small">${threeDigits(low)}</text>`;
  });
  const last = TOP + maps.length * (ROW + GAP) - GAP + 14;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const step = Math.round(share * (steps - 1));
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    return `<text x="${LEFT + share * inner}" y="${last}" text-anchor="${anchor}" class="small">${formatCount(step)}</text>`;
  });
  const marks = steps > 4 ? ticks : ticks.slice(0, 1);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escapeXml(title)}</title>
<style>text{font:12px system-ui,sans-serif;fill:#1f2328}.small{font-size:10px;fill:#59636e}.frame{fill:none;stroke:#8c959f;stroke-width:.5}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}}</style>
<text x="${LEFT}" y="18" font-weight="bold">${escapeXml(title)}</text>
${pictures.join('\n')}
${marks.join('\n')}
</svg>
`;
}

/** The picture of a map, a unit a row and a step a column, as a data URL. */
function pictureOf({ data, width, range }: HeatMap): string {
  const steps = data.length / width;
  const [columns, rows] = [Math.min(steps, MOST_COLUMNS), Math.min(width, MOST_ROWS)];
  const pixels = new Uint8Array(columns * rows * 3);
  for (let x = 0; x < columns; x++) {
    const [from, to] = [Math.floor((x * steps) / columns), Math.floor(((x + 1) * steps) / columns)];
    for (let y = 0; y < rows; y++) {
      const [first, end] = [Math.floor((y * width) / rows), Math.floor(((y + 1) * width) / rows)];
      let sum = 0;
      for (let t = from; t < to; t++) for (let unit = first; unit < end; unit++) sum += data[t * width + unit]!;
      pixels.set(colourOf(sum / ((to - from) * (end - first)), range), (y * columns + x) * 3);
    }
  }
  return urlOf(columns, rows, pixels);
}

/** The colours of a range from its high end down. */
function legendOf(range: HeatMap['range']): string {
  const [low, high] = range;
  const count = 64;
  const pixels = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) pixels.set(colourOf(high - ((high - low) * i) / (count - 1), range), 3 * i);
  return urlOf(1, count, pixels);
}

/** Escapes a text for XML; characters that do nothing visible are shown. */
function escapeXml(text: string): string {
  return escapeText(text).replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function urlOf(width: number, height: number, data: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(encode({ width, height, data, channels: 3 })).toString('base64')}`;
}

function colourOf(value: number, [low, high]: HeatMap['range']): Colour {
  if (Number.isNaN(value)) return NONE;
  const scale = low < 0 ? DIVERGING : SEQUENTIAL;
  const place = Math.min(1, Math.max(0, (value - low) / (high - low))) * (scale.length - 1);
  const at = Math.min(Math.floor(place), scale.length - 2);
  const share = place - at;
  return scale[at]!.map((from, i) => Math.round(from + share * (scale[at + 1]![i]! - from))) as unknown as Colour;
}
