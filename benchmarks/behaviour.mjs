// Three promises about speed: odd sizes lose little, silence is no slower than a signal, cost grows straight.
import { parseArgs } from 'node:util';
import { LSTM } from 'lstm-wasm';
import { LAUNCH_OPTIONS, launch, NODE, processor } from './launch.mjs';
import { interleave, median, quantile, Stopwatch } from './measure.mjs';
import { open } from './ours.mjs';
import { progress } from './progress.mjs';
import { digits, heading, record, save, table } from './report.mjs';
import { flopsOf, inputOf, nameOf, SHAPES, weightsOf } from './shapes.mjs';

const { values: options } = parseArgs({ options: LAUNCH_OPTIONS });
launch(options);

const TIMING = options.quick ? { rounds: 5, ms: 10 } : { rounds: 15, ms: 30 };

/** Each beside the next multiple of the tile, 4 units or 4 rows. */
const ODD = [
  [stream(61, 61), stream(64, 64)],
  [stream(62, 62), stream(64, 64)],
  [stream(63, 63), stream(64, 64)],
  [stream(33, 77), stream(36, 80)],
  [stream(99, 299), stream(100, 300)],
  [batch(128, 128, 2), batch(128, 128, 4)],
  [batch(128, 128, 3), batch(128, 128, 4)],
  [batch(128, 128, 5), batch(128, 128, 8)],
  [batch(128, 128, 6), batch(128, 128, 8)],
  [batch(128, 128, 7), batch(128, 128, 8)],
  [batch(63, 77, 7), batch(64, 80, 8)],
];

function stream(I, H) {
  return { ...SHAPES[0], I, H };
}

function batch(I, H, B) {
  return { ...stream(I, H), stream: false, T: 20, B };
}

/** A call of a step, or of a whole sequence. */
function callOf(shape) {
  const player = open(shape, weightsOf(shape));
  const input = inputOf(shape);
  const frame = input.subarray(0, shape.I);
  return shape.stream ? () => player.step(frame) : () => player.forward(input);
}

/** How much slower an odd size computes than the next multiple: 0.1 is 10 % fewer operations a second. */
async function measureOdd() {
  const rows = [];
  for (const [odd, whole] of ODD) {
    progress(`${nameOf(odd)} and ${nameOf(whole)}`);
    const times = await interleave({ odd: callOf(odd), whole: callOf(whole) }, TIMING);
    const loss = 1 - flopsOf(odd) / times.odd / (flopsOf(whole) / times.whole);
    rows.push({ size: nameOf(odd), us: times.odd, against: nameOf(whole), againstUs: times.whole, loss });
  }
  return rows;
}

const FRAMES_PER_MINUTE = 60_000 / 32;

/**
 * Ten minutes of zeros, 32 ms a frame, after a minute of signal, at 128x128. No bias, a forget gate that lets c shrink to
 * denormals by the tenth minute and g that does not hear h: the slowest way into silence.
 */
function measureSilence() {
  progress('silence');
  const shape = stream(128, 128);
  const { I, H } = shape;
  const weights = weightsOf(shape);
  // c falls by this factor in each step: to the smallest normal float, e^-87.3, after 9 minutes
  const forget = Math.exp(-87.3 / (9 * FRAMES_PER_MINUTE));
  weights.get('bias_hh_l0').data.fill(0);
  weights
    .get('bias_ih_l0')
    .data.fill(0)
    .fill(Math.log(forget / (1 - forget)), H, 2 * H);
  weights.get('weight_hh_l0').data.fill(0, 2 * H * H, 3 * H * H);
  const stream128 = LSTM.fromStateDict(weights).stream();
  const input = inputOf({ ...shape, T: 64 });
  const zeros = new Float32Array(I);
  const minute = (frameAt) => {
    const times = [];
    for (let i = 0; i < FRAMES_PER_MINUTE; i++) {
      stream128.input.set(frameAt(i));
      const start = performance.now();
      stream128.step();
      times.push((performance.now() - start) * 1000);
    }
    return { median: median(times), p99: quantile(times, 0.99) };
  };
  const signalFrame = (i) => input.subarray((i % 64) * I, ((i % 64) + 1) * I);
  for (let i = 0; i < 3; i++) minute(signalFrame);
  const signal = minute(signalFrame);
  let silence;
  for (let i = 0; i < 10; i++) silence = minute(() => zeros);
  const largest = (values) => values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const { h0, c0 } = stream128.getState();
  return { signal, silence, h: largest(h0.data), c: largest(c0.data) };
}

/** The exponent of time over size: the slope of a straight line through the logarithms. */
function exponent(points) {
  const logs = points.map(([size, us]) => [Math.log(size), Math.log(us)]);
  const mean = (index) => logs.reduce((sum, log) => sum + log[index], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  return (
    logs.reduce((sum, log) => sum + (log[0] - x) * (log[1] - y), 0) /
    logs.reduce((sum, log) => sum + (log[0] - x) ** 2, 0)
  );
}

async function medianUs(call) {
  const watch = new Stopwatch(call);
  await watch.warm(4 * TIMING.ms);
  return median(await watch.round(4 * TIMING.ms));
}

/** Time by T of one sequence, and by weights of a step. */
async function measureGrowth() {
  const byT = [];
  for (const T of [16, 32, 64, 128, 256, 512, 1024, 2048]) {
    progress(`T ${T}`);
    byT.push([T, await medianUs(callOf({ ...batch(64, 128, 1), T }))]);
  }
  const byWeights = [];
  for (const size of [32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]) {
    progress(`weights of ${size}x${size}`);
    byWeights.push([4 * size * 2 * size, await medianUs(callOf(stream(size, size)))]);
  }
  return { byT, byWeights, exponentT: exponent(byT), exponentWeights: exponent(byWeights) };
}

const report = {
  runtime: NODE,
  cpu: processor(),
  date: new Date().toISOString(),
  quick: options.quick,
  odd: await measureOdd(),
  silence: measureSilence(),
  growth: await measureGrowth(),
};
progress('');

const markdown = describe(report);
console.log(`${markdown}\n\nsaved as ${save('behaviour', report, markdown)}.json, .md`);
if (options.record) record('behaviour', report, markdown);

function describe({ odd, silence, growth }) {
  const percent = (share) => `${Math.round(100 * share)} %`;
  const { signal, silence: silent } = silence;
  return [
    heading('Odd sizes, silence, growth', report),
    'Sizes that are no multiples of the tile against the next that are; the loss is in operations a second:',
    table([
      ['size', 'us', 'against', 'us', 'time', 'loss'],
      ...odd.map(({ size, us, against, againstUs, loss }) => [
        size,
        digits(us),
        against,
        digits(againstUs),
        (us / againstUs).toFixed(2),
        percent(loss),
      ]),
    ]),
    `A step at 128x128, microseconds; after ten minutes of zeros h is at most ${silence.h.toExponential(0)}, c ${silence.c.toExponential(0)}:`,
    table([
      ['', 'median', 'p99'],
      ['signal', digits(signal.median), digits(signal.p99)],
      ['tenth minute of silence', digits(silent.median), digits(silent.p99)],
      ['ratio', digits(silent.median / signal.median), digits(silent.p99 / signal.p99)],
    ]),
    'Growth: the exponent of time over T (64x128), and over the number of weights (a step, 32x32 to 1024x1024):',
    table([
      ['over', 'exponent', 'ns for one more'],
      ['T', growth.exponentT.toFixed(3), growth.byT.map(([T, us]) => `${T}: ${digits((us * 1000) / T)}`).join(', ')],
      [
        'weights',
        growth.exponentWeights.toFixed(3),
        growth.byWeights.map(([count, us]) => `${count / 1024}K: ${digits((us * 1000) / count)}`).join(', '),
      ],
    ]),
  ].join('\n\n');
}
