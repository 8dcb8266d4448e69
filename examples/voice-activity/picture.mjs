const [LEFT, WIDTH, RIGHT] = [44, 900, 16];
const WAVE = { top: 24, height: 90 };
const CURVE = { top: 134, height: 110 };
const BOTTOM = CURVE.top + CURVE.height;

const STYLE = `text { fill: #1f2328 } .axis { stroke: #1f2328 } .grid { stroke: #8b949e; stroke-dasharray: 3 4 }
.wave { fill: #57606a } .speech { fill: #2da44e; fill-opacity: .2 } .curve { stroke: #0969da; fill: none; stroke-width: 1.6 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .axis { stroke: #e6edf3 } .wave { fill: #9198a1 }
.speech { fill: #3fb950; fill-opacity: .28 } .curve { stroke: #58a6ff } }`;

/**
 * The loudness of a recording, the probability of speech under it, and segments behind both, as SVG.
 * @param {{ peaks: number[], probabilities: number[], segments: { start: number, end: number }[], seconds: number, title: string }} heard
 *   segments in seconds
 */
export function picture({ peaks, probabilities, segments, seconds, title }) {
  const x = (time) => (LEFT + (WIDTH * Math.min(time, seconds)) / seconds).toFixed(1);
  const frame = probabilities.length > 1 ? seconds / probabilities.length : seconds;
  const y = (probability) => (BOTTOM - CURVE.height * probability).toFixed(1);
  const step = tick(seconds);
  const times = Array.from({ length: Math.floor(seconds / step + 1e-9) + 1 }, (_, i) => i * step);
  const loudest = Math.max(...columns(peaks), 1e-3);
  const middle = WAVE.top + WAVE.height / 2;
  const outline = columns(peaks).map((peak) => (WAVE.height / 2) * (peak / loudest));
  const at = (i) => x(((i + 0.5) * seconds) / outline.length);
  const upper = outline.map((size, i) => `${at(i)} ${(middle - size).toFixed(1)}`);
  const lower = outline.map((size, i) => `${at(i)} ${(middle + size).toFixed(1)}`).reverse();
  const curve = columns(probabilities);
  const span = (probabilities.length * frame) / curve.length;
  const line = curve.map((probability, i) => `${x((i + 0.5) * span)} ${y(probability)}`).join('L');
  const speech = segments.map(({ start, end }) => {
    const width = (x(end) - x(start)).toFixed(1);
    return `<rect class="speech" x="${x(start)}" y="${WAVE.top}" width="${width}" height="${BOTTOM - WAVE.top}"/>`;
  });
  const grid = [0, 0.5, 1].map((p) => `<path class="grid" d="M${LEFT} ${y(p)}h${WIDTH}"/>`);
  const labels = [0, 0.5, 1].map((p) => `<text x="${LEFT - 8}" y="${y(p)}" dy="4" text-anchor="end">${p}</text>`);
  const marks = times.map(
    (time) => `<text x="${x(time)}" y="${BOTTOM + 20}" text-anchor="middle">${+time.toFixed(2)} s</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + RIGHT} ${BOTTOM + 30}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Speech in a recording">
<style>${STYLE}</style>
<text x="${LEFT}" y="15"><tspan font-weight="600">${escapeXml(title)}</tspan>: loudness, and the probability of speech; speech in green</text>
${speech.join('\n')}
<path class="wave" d="M${upper.join('L')}L${lower.join('L')}z"/>
${grid.join('\n')}
<path class="curve" d="M${line}"/>
<path class="axis" fill="none" d="M${LEFT} ${BOTTOM}h${WIDTH}${times.map((time) => `M${x(time)} ${BOTTOM}v5`).join('')}"/>
${labels.join('\n')}
${marks.join('\n')}
</svg>
`;
}

/** At most as many values as there are pixels: the highest of neighbours. */
function columns(values) {
  if (values.length <= WIDTH) return values;
  return Array.from({ length: WIDTH }, (_, i) => {
    const [from, to] = [i, i + 1].map((k) => Math.floor((k * values.length) / WIDTH));
    return values.slice(from, to).reduce((a, b) => Math.max(a, b));
  });
}

/** A round number of seconds between marks, at most eleven of them. */
function tick(seconds) {
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600];
  return steps.find((step) => seconds / step <= 11) ?? Math.ceil(seconds / 11 / 3600) * 3600;
}

function escapeXml(text) {
  const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  // control characters are not allowed in XML
  return [...text].map((c) => entities[c] ?? (c < ' ' || c === '\x7f' ? '\ufffd' : c)).join('');
}
