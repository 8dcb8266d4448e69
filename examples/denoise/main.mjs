// Takes the noise out of a recording: DTLN, from its published files, 8 ms at a time.
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { basename, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { denoise } from '../dtln/denoise.mjs';
import { loadDtln, MODELS } from '../dtln/files.mjs';
import { RATE } from '../dtln/network.mjs';
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
import { resample } from '../sound/resample.mjs';
import { readWav, writeWav } from '../sound/wav.mjs';
import { noiseInPauses, segmentalSnr, signalToError } from './measure.mjs';
import { openProgress } from './progress.mjs';

const USAGE = `usage: node examples/denoise/main.mjs [NOISY.wav [OUT.wav]]

Takes the noise out of NOISY.wav, of any sample rate and number of channels, and writes 32-bit floats of the same length, rate and
channels to OUT.wav, by default output/NOISY-denoised.wav beside this program. The model works at 16 kHz, so that nothing above
8 kHz is left.
Without arguments: denoises a recording whose output is published, checks the answer and draws it.

  --clean FILE     the same recording without noise: prints the segmental SNR before and after
  --svg FILE       draws the spectrograms of both
  --int8           8-bit weights
  --weights PATH   a folder with model_1.onnx and model_2.onnx, Keras's model.h5, or a safetensors file that --save wrote
  --save FILE      writes the weights to a safetensors file; with --int8 a quarter of the size
  --expect FILE    float32 samples of the output as it comes, 384 samples late: exit code 1 unless it is the same
  --bench          measures speed and bytes beside onnxruntime instead

Exit codes: 0; 1 if a check fails; 2 if the arguments, or what they name, cannot be used.`;

const OPTIONS = {
  clean: { type: 'string' },
  svg: { type: 'string' },
  int8: { type: 'boolean' },
  weights: { type: 'string' },
  save: { type: 'string' },
  expect: { type: 'string' },
  bench: { type: 'boolean' },
};

/** What the output may differ by: the largest difference of a sample, and the least signal to error in dB. */
const LIMITS = { float: { worst: 1e-4, ratio: 90 }, int8: { worst: Number.POSITIVE_INFINITY, ratio: 30 } };
/** What counts as no sound at all, in dB of full scale. */
const SILENCE = -200;
/** Each channel is a stream of its own. */
const MOST_CHANNELS = 64;
/** Recordings in seconds from which on progress is shown. */
const LONG = 20;

/**
 * @param {string} inputPath
 * @param {string} outputPath
 * @param {{ clean?: string, svg?: string, int8?: boolean, weights?: string, expect?: string }} options
 * @returns {Promise<boolean>} whether the output is as expected
 */
async function denoiseFile(inputPath, outputPath, { clean: cleanPath, svg, int8, weights, expect }) {
  const input = readWav(inputPath);
  if (input.channels.length > MOST_CHANNELS) {
    throw new InputError(`${inputPath}: expected at most ${MOST_CHANNELS} channels, got ${input.channels.length}`);
  }
  if (realpathSync(inputPath) === realPath(outputPath)) {
    throw new InputError(`${outputPath}: it is the recording itself, which would be lost: give another name`);
  }
  const clean = cleanPath === undefined ? undefined : await mono(cleanPath);
  const expected = expect === undefined ? undefined : readFloats(expect);
  const network = loadDtln(weights, int8);
  const { sampleRate, channels } = input;
  const seconds = channels[0].length / sampleRate;
  const noisy = await Promise.all(channels.map((samples) => resample(samples, sampleRate, RATE)));

  // The first second goes through once for nothing, so that the time is that of compiled code, as in a long session.
  denoise(network, noisy[0].subarray(0, RATE));
  const bar = openProgress(seconds * channels.length > LONG ? noisy[0].length * noisy.length : 0);
  const start = performance.now();
  const results = noisy.map((samples, i) => denoise(network, samples, (done) => bar.update(i * samples.length + done)));
  const milliseconds = performance.now() - start;
  bar.end();
  network.dispose();

  const outputs = await Promise.all(results.map(({ output }) => resample(output, RATE, sampleRate)));
  writeWav(
    outputPath,
    outputs.map((samples) => samples.subarray(0, channels[0].length)),
    sampleRate,
  );
  const [{ output, late }] = results;
  if (svg !== undefined) await draw(svg, noisy[0], output);

  const speed = (1000 * seconds * channels.length) / milliseconds;
  console.log('Noise suppression');
  row('model', `DTLN: LSTM(257, 128, 2 layers), LSTM(256, 128, 2 layers)${int8 ? ', 8-bit weights' : ''}`);
  row('input', `${basename(inputPath)}: ${seconds.toFixed(1)} s, ${count(sampleRate)} Hz, ${name(channels.length)}`);
  row(
    'result',
    [outputPath, svg]
      .filter(Boolean)
      .map((path) => relative('', path))
      .join(', '),
  );
  const lines = noise(noisy[0], output, clean);
  if (lines.length) row('noise', ...lines);
  row('time', `${milliseconds.toFixed(0)} ms: ${count(Math.round(speed))} times faster than real time`);
  return expected === undefined || checkOutput(late, expected, LIMITS[int8 ? 'int8' : 'float']);
}

/** The file that a path leads to, or the path where there is none yet. */
function realPath(path) {
  return existsSync(path) ? realpathSync(path) : path;
}

function noise(noisy, output, clean) {
  const [was, is] = noiseInPauses(noisy, output).map((level) => Math.max(level, SILENCE));
  const lines = [];
  // NaN: a recording that is shorter than 32 ms, or silent, has no pauses
  if (was > SILENCE) {
    lines.push(`${was.toFixed(1)} -> ${is.toFixed(1)} dB of full scale in pauses: ${(was - is).toFixed(1)} dB less`);
  }
  const [before, after] = clean ? [noisy, output].map((samples) => segmentalSnr(samples, clean)) : [];
  // NaN: nothing to compare in a clean recording shorter than 16 ms, or silent
  if (before > Number.NEGATIVE_INFINITY) {
    const sign = after < before ? '' : '+';
    lines.push(
      `segmental SNR ${before.toFixed(1)} -> ${after.toFixed(1)} dB (${sign}${(after - before).toFixed(1)}) against the clean recording`,
    );
  }
  return lines;
}

function checkOutput(late, expected, { worst, ratio }) {
  const apart = largestDifference(late, expected);
  const found = signalToError(late, expected);
  const allowed = Number.isFinite(worst) ? `allowed ${worst.toExponential()}, ` : '';
  return check(
    apart <= worst && found >= ratio,
    `within ${tiny(apart)} of onnxruntime's output, ${found.toFixed(0)} dB apart (${allowed}at least ${ratio} dB)`,
  );
}

function readFloats(path) {
  const bytes = readInput(path);
  if (bytes.length % 4) throw new InputError(`${path}: expected float32 samples, got ${bytes.length} bytes`);
  return Float32Array.from({ length: bytes.length / 4 }, (_, n) => bytes.readFloatLE(4 * n));
}

/** The first channel of a WAV file, at the model's rate. */
async function mono(path) {
  const { channels, sampleRate } = readWav(path);
  return resample(channels[0], sampleRate, RATE);
}

async function draw(path, noisy, output) {
  const { spectrograms } = await import('./picture.mjs');
  writeOutput(
    path,
    spectrograms(
      [
        ['noisy', noisy],
        ['denoised', output],
      ],
      RATE,
    ),
  );
}

function name(channels) {
  return ['mono', 'stereo'][channels - 1] ?? `${channels} channels`;
}

function outputFor(inputPath, ending) {
  const folder = fileURLToPath(new URL('output', import.meta.url));
  mkdirSync(folder, { recursive: true });
  return join(folder, basename(inputPath, extname(inputPath)) + ending);
}

/** Denoises a recording whose output is published. @returns {Promise<boolean>} whether the check is right */
export function demonstrate(options = {}) {
  const data = (name) => fileURLToPath(new URL(`data/${name}`, import.meta.url));
  return denoiseFile(data('austen-white-hum.wav'), outputFor('austen.wav', '-denoised.wav'), {
    clean: fileURLToPath(repository('examples/voice-activity/data/librivox-austen.wav')),
    expect: data('austen-white-hum.f32'),
    svg: outputFor('austen.wav', '.svg'),
    ...options,
  });
}

runProgram({
  url: import.meta.url,
  usage: USAGE,
  options: OPTIONS,
  maxArguments: 2,
  async main([input, output], options) {
    if (options.bench) return (await import('./bench.mjs')).bench();
    if (options.save !== undefined) {
      const { serializeSafetensors } = await import('lstm-wasm/safetensors');
      const network = loadDtln(options.weights ?? MODELS);
      writeOutput(
        options.save,
        serializeSafetensors(options.int8 ? network.quantizedStateDict() : network.stateDict()),
      );
      if (input === undefined) return true;
    }
    if (input === undefined) return demonstrate(options);
    return denoiseFile(input, output ?? outputFor(input, '-denoised.wav'), options);
  },
});
