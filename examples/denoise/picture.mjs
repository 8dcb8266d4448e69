import { encode } from 'fast-png';
import FFT from 'fft.js';

const FRAME = 512;
const COLUMNS = 500;
/** Rows of a picture: a pair of bins each. */
const ROWS = 128;
/** Decibels below full scale at which colours begin. */
const DEPTH = 95;
const LEVELS = 32;
const [LEFT, WIDTH, HEIGHT, GAP, TOP] = [54, 860, 150, 44, 30];
/** Kilohertz that the axis names. */
const MARKS = [0, 2, 4, 6, 8];

/** Stops of a scale from dark to bright, which reads on white and on black. */
const STOPS = [
  [8, 8, 24],
  [58, 15, 110],
  [140, 41, 129],
  [222, 73, 104],
  [254, 159, 109],
  [252, 253, 191],
];

/**
 * Spectrograms of recordings of one length, one below the other, as SVG.
 * @param {[title: string, samples: Float32Array][]} recordings
 * @param {number} rate
 */
export function spectrograms(recordings, rate) {
  const seconds = recordings[0][1].length / rate;
  const height = TOP + recordings.length * (HEIGHT + GAP);
  const panels = recordings.map(([title, samples], i) => panel(title, samples, TOP + i * (HEIGHT + GAP), seconds));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 20} ${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Spectrograms">
<style>text { fill: #1f2328; } path { stroke: #1f2328; } @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } path { stroke: #e6edf3; } }</style>
${panels.join('\n')}
</svg>
`;
}

function panel(title, samples, top, seconds) {
  const image = Buffer.from(picture(samples)).toString('base64');
  const bottom = top + HEIGHT;
  const step = tick(seconds);
  const times = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => i * step);
  const x = (time) => (LEFT + (WIDTH * time) / seconds).toFixed(1);
  const y = (kilohertz) => (bottom - (HEIGHT * kilohertz) / 8).toFixed(1);
  return [
    `<text x="${LEFT}" y="${top - 8}" font-weight="600">${title}</text>`,
    `<image x="${LEFT}" y="${top}" width="${WIDTH}" height="${HEIGHT}" preserveAspectRatio="none" href="data:image/png;base64,${image}"/>`,
    ...MARKS.map(
      (k) => `<text x="${LEFT - 8}" y="${y(k)}" dy="4" text-anchor="end">${k}${k === 8 ? ' kHz' : ''}</text>`,
    ),
    ...times.map((time) => `<text x="${x(time)}" y="${bottom + 18}" text-anchor="middle">${+time.toFixed(2)} s</text>`),
    `<path fill="none" d="${times.map((time) => `M${x(time)} ${bottom}v4`).join('')}${MARKS.map((k) => `M${LEFT} ${y(k)}h-4`).join('')}"/>`,
  ].join('\n');
}

/** A round number of seconds between marks, at most nine of them. */
function tick(seconds) {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600];
  return steps.find((step) => seconds / step <= 9) ?? Math.ceil(seconds / 9 / 3600) * 3600;
}

/** A PNG with a column for each moment and a row for each frequency, the highest on top. */
function picture(samples) {
  const fft = new FFT(FRAME);
  const window = Array.from({ length: FRAME }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / FRAME));
  const spectrum = fft.createComplexArray();
  const data = new Uint8Array(COLUMNS * ROWS);
  for (let column = 0; column < COLUMNS; column++) {
    const start = Math.round((samples.length * (column + 0.5)) / COLUMNS - FRAME / 2);
    fft.realTransform(
      spectrum,
      window.map((factor, n) => factor * (samples[start + n] ?? 0)),
    );
    for (let k = 0; k < ROWS; k++) {
      const [a, b] = [4 * k, 4 * k + 2].map((i) => Math.hypot(spectrum[i], spectrum[i + 1]));
      const level = 20 * Math.log10((Math.max(a, b) * 4) / FRAME + 1e-12);
      const bright = Math.min(1, Math.max(0, 1 + level / DEPTH));
      data[(ROWS - 1 - k) * COLUMNS + column] = Math.round(bright * (LEVELS - 1));
    }
  }
  const palette = Array.from({ length: LEVELS }, (_, i) => colour(i / (LEVELS - 1)));
  return encode({ width: COLUMNS, height: ROWS, data, depth: 8, channels: 1, palette });
}

/** @param {number} bright 0 to 1 */
function colour(bright) {
  const at = bright * (STOPS.length - 1);
  const below = Math.min(Math.floor(at), STOPS.length - 2);
  return STOPS[below].map((value, i) => Math.round(value + (at - below) * (STOPS[below + 1][i] - value)));
}
