// Many streams of one model: a batch of those that are ready, against each stepping alone.

import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { bytesUsed } from 'lstm-wasm';
import { LAUNCH_OPTIONS, launch, NODE, processor } from './launch.mjs';
import { interleave } from './measure.mjs';
import { load } from './ours.mjs';
import { progress } from './progress.mjs';
import { digits, heading, record, save, table } from './report.mjs';
import { inputOf, weightsOf } from './shapes.mjs';
import { Unavailable } from './unavailable.mjs';

const SIZES = [64, 128, 256, 512];
const READY = 32;
/** Streams that are open; a call takes the next 32 of them, so that states come from beyond the first cache. */
const OPEN = 256;
const FRAME_MS = 32;
const CAPACITY = 10_000;

const { values: options } = parseArgs({ options: LAUNCH_OPTIONS });
launch(options);

const report = {
  runtime: NODE,
  cpu: processor(),
  date: new Date().toISOString(),
  quick: options.quick,
  batches: [],
  memory: [],
  skipped: [],
};
for (const form of ['f32', 'int8']) {
  try {
    for (const size of SIZES) {
      progress(`${form} ${size}x${size}`);
      report.batches.push({ form, size, ...(await measureBatch(size, form)) });
    }
    progress(`${form}: memory`);
    report.memory.push({ form, size: 128, ...measureMemory(128, form) });
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    report.skipped.push(`${form}, not measured: ${error.message}`);
  }
}
progress('');

const markdown = describe(report);
console.log(`${markdown}\n\nsaved as ${save('streams', report, markdown)}.json, .md`);
if (options.record) record('streams', report, markdown);

function model(size, form) {
  const lstm = load(weightsOf({ I: size, H: size, L: 1, D: 1 }), form === 'int8');
  if (!lstm.streams) throw new Unavailable('this build has no streams()');
  return lstm;
}

/** Microseconds a stream: in a batch, and alone. */
async function measureBatch(size, form) {
  const lstm = model(size, form);
  const streams = lstm.streams({ capacity: OPEN });
  const ids = Array.from({ length: OPEN }, () => streams.open());
  const single = ids.map(() => lstm.stream());
  const inputs = inputOf({ I: size, T: 1, B: READY });
  const frames = Array.from({ length: READY }, (_, k) => inputs.subarray(k * size, (k + 1) * size));
  const outputs = new Float32Array(READY * size);
  const batches = [];
  for (let from = 0; from < OPEN; from += READY) batches.push(Int32Array.from(ids.slice(from, from + READY)));

  let turn = 0;
  const together = () => {
    streams.step(batches[turn++ % batches.length], inputs, outputs);
  };
  let next = 0;
  const alone = () => {
    const stream = single[next++ % OPEN];
    stream.input.set(frames[next % READY]);
    stream.step();
  };
  checkBits(streams, single, batches[0], inputs, frames);
  const ms = options.quick ? 15 : 60;
  const times = await interleave({ together, alone }, { rounds: options.quick ? 5 : 15, ms });
  lstm.dispose();
  const batchUs = times.together / READY;
  return {
    batchUs,
    aloneUs: times.alone,
    ratio: batchUs / times.alone,
    realTime: Math.floor((FRAME_MS * 1000) / batchUs),
  };
}

/** The first batch must have the bits of the streams stepped alone. */
function checkBits(streams, single, batch, inputs, frames) {
  const outputs = new Float32Array(batch.length * single[0].output.length);
  for (let step = 0; step < 3; step++) {
    streams.step(batch, inputs, outputs);
    batch.forEach((_, k) => {
      single[k].input.set(frames[k]);
      single[k].step();
      single[k].output.forEach((value, j, { length }) => {
        if (!Object.is(value, outputs[k * length + j])) throw new Error(`stream ${k}: other bits than alone`);
      });
    });
  }
}

/** Bytes a stream costs, in linear memory and in JavaScript, at full capacity; and what it may cost at most. */
function measureMemory(size, form) {
  const lstm = model(size, form);
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  const javascript = () => {
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = { linear: bytesUsed(), javascript: javascript() };
  const streams = lstm.streams({ capacity: CAPACITY });
  for (let i = 0; i < CAPACITY; i++) streams.open();
  const linear = (bytesUsed() - before.linear) / CAPACITY;
  const result = { linear, linearMost: 4 * 2 * size + 64, javascript: (javascript() - before.javascript) / CAPACITY };
  streams.dispose();
  lstm.dispose();
  return result;
}

function describe({ batches, memory, skipped }) {
  const parts = [heading('Many streams of one model', report)];
  if (batches.length > 0) {
    parts.push(
      `${READY} ready streams of ${OPEN} open ones in one call, against one call each; microseconds a stream, and how many streams of ${FRAME_MS} ms frames one core carries:`,
      table([
        ['model', 'in a batch', 'alone', 'ratio', 'real-time streams'],
        ...batches.map(({ form, size, batchUs, aloneUs, ratio, realTime }) => [
          `${form} ${size}x${size}`,
          digits(batchUs),
          digits(aloneUs),
          ratio.toFixed(2),
          realTime,
        ]),
      ]),
      `Bytes a stream at capacity ${CAPACITY}, all of them open:`,
      table([
        ['model', 'linear memory', 'allowed', 'JavaScript'],
        ...memory.map(({ form, size, linear, linearMost, javascript }) => [
          `${form} ${size}x${size}`,
          digits(linear),
          linearMost,
          digits(javascript),
        ]),
      ]),
    );
  }
  return [...parts, ...skipped.map((line) => `- ${line}.`)].join('\n\n');
}
