// Finds speech in a recording or a live pipe: Silero VAD, from its ONNX file, 32 ms at a time.
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  check,
  count,
  InputError,
  largestDifference,
  readInput,
  repository,
  row,
  runProgram,
  tiny,
  writeOutput,
} from '../program.mjs';
import { Analysis } from './analysis.mjs';
import { Detector } from './detector.mjs';
import { readModel } from './model.mjs';
import { plot } from './plot.mjs';

const USAGE = `usage: node examples/voice-activity/main.mjs [FILE.wav | -]

Prints the segments of speech in FILE.wav, of any sample rate and number of channels, and the probability of speech over time.
With "-": reads WAV from stdin as it comes, and prints each event at once, as in
  arecord -q -f S16_LE -r 16000 -t wav | node examples/voice-activity/main.mjs -
Without arguments: listens to a recording whose answer is published, checks it and draws it.

  --model NAME     v6 (the default), v5, or the path of such a file
  --int8           8-bit weights (16 bits in two of four convolutions), for which the recording is brought to 16 kHz
  --save FILE      writes the weights that a page needs to a safetensors file; with --int8 a third of the size
  --weights FILE   listens with such a file in place of the ONNX model
  --svg FILE       draws loudness, probability and segments
  --json           prints everything as JSON; of stdin an object a line, one for each event and one for the whole
  --rate HZ        stdin has no WAV header: 16-bit integers, little-endian, one channel, at this sample rate
  --expect FILE    JSON of --json: exit code 1 unless segments are the same and probabilities within 1e-4
  --bench          measures speed, start and bytes beside onnxruntime instead

Exit codes: 0; 1 if a check fails; 2 if the arguments, or what they name, cannot be used.`;

const OPTIONS = {
  model: { type: 'string', default: 'v6' },
  int8: { type: 'boolean', default: false },
  svg: { type: 'string' },
  json: { type: 'boolean', default: false },
  save: { type: 'string' },
  weights: { type: 'string' },
  rate: { type: 'string' },
  expect: { type: 'string' },
  bench: { type: 'boolean' },
};

/** By how much a probability may differ; with 8 bits the segments count. */
const TOLERANCE = 1e-4;
const INT8_TOLERANCE = 0.1;

const isSmall = ({ int8, weights }) => int8 || weights !== undefined;

/** The rate at which the model hears a recording: the ONNX file has a network for 8 kHz too. */
const rateFor = (rate, options) => (rate === 8000 && !isSmall(options) ? 8000 : 16_000);

async function openDetector(rate, options) {
  return isSmall(options)
    ? (await import('./files.mjs')).openSmall(options)
    : new Detector(readModel(options.model), rate);
}

/** @returns {Promise<boolean>} whether the result is as expected */
async function listenToFile(path, options) {
  const { readWav } = await import('../sound/wav.mjs');
  const { mixDown } = await import('../sound/wav-stream.mjs');
  const { channels, sampleRate } = readWav(path);
  const rate = rateFor(sampleRate, options);
  const mono = mixDown(channels);
  const samples =
    rate === sampleRate ? mono : await (await import('../sound/resample.mjs')).resample(mono, sampleRate, rate);
  const expected = options.expect === undefined ? undefined : readExpected(options.expect);

  const detector = await openDetector(rate, options);
  // The first second goes through once for nothing, so that the time is that of compiled code, as in a long session.
  new Analysis(detector).push(samples.subarray(0, rate));
  detector.reset();
  const analysis = new Analysis(detector);
  const start = performance.now();
  analysis.push(samples);
  analysis.end();
  const milliseconds = performance.now() - start;
  const result = report(basename(path), analysis, detector, options.model);
  detector.dispose();
  if (options.svg !== undefined) await draw(options.svg, result, analysis);
  if (options.json) {
    console.log(JSON.stringify(result));
  } else {
    const channelsName = ['mono', 'stereo'][channels.length - 1] ?? `${channels.length} channels`;
    const { seconds } = result;
    const speed = count(Math.round((1000 * seconds) / milliseconds));
    console.log('Voice activity');
    row(
      'model',
      `Silero VAD ${options.weights ?? options.model}${options.int8 ? ', 8-bit weights' : ''}, at ${count(rate)} Hz`,
    );
    row('input', `${basename(path)}: ${seconds.toFixed(1)} s, ${count(sampleRate)} Hz, ${channelsName}`);
    if (options.svg !== undefined) row('result', relative('', options.svg));
    row('time', `${milliseconds.toFixed(0)} ms: ${speed} times faster than real time`);
    const lines = chart(result).join('\n');
    console.log(options.isBrief ? lines : `\n${lines}\n\n${table(result.segments).join('\n')}`);
  }
  return expected === undefined || compare(result, expected, options);
}

/** Reads stdin until it ends, and prints events as they happen. @returns {Promise<boolean>} */
async function listenLive(options) {
  const { SoundStream } = await import('../sound/wav-stream.mjs');
  const sound = new SoundStream('stdin', options.rate === undefined ? undefined : readRate(options.rate));
  let heard;
  for await (const bytes of process.stdin) {
    const samples = sound.push(bytes);
    if (samples.length === 0) continue;
    heard ??= await open(sound.rate, options);
    await show(heard.analysis.push(heard.resampler?.push(samples) ?? samples), heard.detector.rate, options);
  }
  sound.end();
  if (!heard) throw new InputError('stdin: it has no samples');
  const { analysis, detector, resampler } = heard;
  if (resampler) await show(analysis.push(resampler.end()), detector.rate, options);
  await show(analysis.end(), detector.rate, options);
  const result = report('stdin', analysis, detector, options.model);
  detector.dispose();
  if (options.svg !== undefined) await draw(options.svg, result, analysis);
  const { segments, seconds } = result;
  if (options.json) console.log(JSON.stringify({ event: 'end of input', ...result }));
  else console.log(`${segments.length} ${segments.length === 1 ? 'segment' : 'segments'} in ${seconds.toFixed(1)} s`);
  return options.expect === undefined || compare(result, readExpected(options.expect), options);
}

async function open(sampleRate, options) {
  const rate = rateFor(sampleRate, options);
  const resampler =
    rate === sampleRate ? undefined : await (await import('../sound/resample.mjs')).Resampler.open(sampleRate, rate);
  const detector = await openDetector(rate, options);
  return { resampler, detector, analysis: new Analysis(detector) };
}

/** Prints events; waits while a slow reader has not taken what was printed. */
async function show(events, rate, { json }) {
  for (const { type, at, segment } of events) {
    const start = (segment?.start ?? at) / rate;
    const end = segment && segment.end / rate;
    const name = { start: 'speech begins', end: 'speech ends', dropped: 'too short for speech' }[type];
    const length = segment ? `  after ${(end - start).toFixed(3)} s` : '';
    const line = json
      ? JSON.stringify({ event: type, start, end })
      : `${(end ?? start).toFixed(3).padStart(10)} s  ${name}${length}`;
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
  }
}

/** Positions are in samples at `sampleRate`, the model's, and in seconds. */
function report(file, analysis, detector, model) {
  const { samples, probabilities } = analysis;
  const { rate: sampleRate, frame: frameSamples } = detector;
  const segments = analysis.segments.map(({ start, end }) => {
    return { start, end, startSeconds: start / sampleRate, endSeconds: end / sampleRate };
  });
  const { h, c } = detector.getState();
  const finalState = { h: Array.from(h), c: Array.from(c) };
  const seconds = samples / sampleRate;
  return { file, model, sampleRate, samples, seconds, frameSamples, segments, probabilities, finalState };
}

const inSeconds = (segments) =>
  segments.map(({ startSeconds, endSeconds }) => ({ start: startSeconds, end: endSeconds }));

function chart({ probabilities, segments, seconds }) {
  return plot(probabilities, inSeconds(segments), seconds, Math.min(process.stdout.columns ?? 100, 120));
}

function table(segments) {
  if (segments.length === 0) return ['no speech'];
  const line = (...cells) => `  ${cells.map((cell) => String(cell).padStart(9)).join('  ')}`;
  const time = (seconds) => `${seconds.toFixed(3)} s`;
  const rows = segments.map(({ startSeconds, endSeconds }, i) =>
    line(i + 1, time(startSeconds), time(endSeconds), time(endSeconds - startSeconds)),
  );
  return [line('speech', 'from', 'to', 'length'), ...rows];
}

async function draw(path, { segments, probabilities, seconds, file }, { peaks }) {
  const { picture } = await import('./picture.mjs');
  writeOutput(path, picture({ peaks, probabilities, segments: inSeconds(segments), seconds, title: file }));
}

function readRate(text) {
  const rate = Number(text);
  if (!Number.isInteger(rate) || rate <= 0) throw new InputError(`--rate: expected a number of Hz, got ${text}`);
  return rate;
}

function readExpected(path) {
  try {
    const { segments, probabilities } = JSON.parse(readInput(path).toString());
    return {
      segments: segments.map(({ start, end }) => [start, end]),
      probabilities: Float32Array.from(probabilities),
    };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: expected JSON as --json prints it: ${error.message}`);
  }
}

function compare({ segments, probabilities }, expected, { json, int8, weights }) {
  const tolerance = isSmall({ int8, weights }) ? INT8_TOLERANCE : TOLERANCE;
  const same = JSON.stringify(segments.map(({ start, end }) => [start, end])) === JSON.stringify(expected.segments);
  const worst = largestDifference(probabilities, expected.probabilities);
  const ok = same && worst <= tolerance;
  if (json) return ok;
  const found = `${segments.length} segments ${same ? 'as' : 'other than'} published`;
  return check(
    ok,
    `${found}; probabilities within ${tiny(worst)} of onnxruntime's (allowed ${tolerance.toExponential()})`,
  );
}

/** Listens to a recording whose answer is published. @returns {Promise<boolean>} whether the check is right */
export async function demonstrate(options) {
  const here = (name) => fileURLToPath(new URL(name, import.meta.url));
  const { model = 'v6' } = options;
  const expect = model === 'v5' || model === 'v6' ? here(`data/mixed.${model}.json`) : undefined;
  mkdirSync(here('output'), { recursive: true });
  const recording = fileURLToPath(repository('test/fixtures/vad/mixed.wav'));
  return listenToFile(recording, { model, expect, svg: here('output/mixed.svg'), ...options });
}

runProgram({
  url: import.meta.url,
  usage: USAGE,
  options: OPTIONS,
  maxArguments: 1,
  async main([path], options) {
    if (options.bench) return (await import('./bench.mjs')).bench();
    if (options.rate !== undefined && path !== '-')
      throw new InputError('--rate is for stdin: expected "-" as the file');
    if (options.save !== undefined) {
      (await import('./files.mjs')).saveWeights(options.save, options);
      if (path === undefined) return true;
    }
    if (path === '-') return listenLive(options);
    if (path !== undefined) return listenToFile(path, options);
    return demonstrate(options);
  },
});
