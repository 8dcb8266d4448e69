// A bass amplifier, trained by Neural Amp Modeler, played block by block over a recording of a guitar.
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadNam, loadRTNeural } from 'lstm-wasm/audio';
import { check, count, InputError, largestDifference, row, runProgram, timed, tiny } from '../program.mjs';
import { readWav, writeWav } from '../sound/wav.mjs';

const USAGE = `usage: node examples/guitar-amp/main.mjs [INPUT.wav [OUTPUT.wav]]

Plays INPUT.wav (48 kHz; of several channels the first) through a model of an amplifier and writes 32-bit floats to
OUTPUT.wav, by default output/INPUT-amp.wav beside this program.
Without arguments: plays a recording whose output is published, checks the answer, runs a second model, and reports.`;

const TOLERANCE = 1e-6;

/** Samples at a time, as an AudioWorklet gets them. Any other number gives the same output. */
const BLOCK = 128;

const dataPath = (name) => fileURLToPath(new URL(`data/${name}`, import.meta.url));
const readText = (name) => readFileSync(dataPath(name), 'utf8');

/**
 * Plays a WAV file through the amplifier, writes the result and reports.
 * @param {string} inputPath
 * @param {string} [outputPath]
 * @param {Float32Array} [expected] the published output, if there is one
 * @returns {boolean} whether the output is as expected
 */
function amplify(inputPath, outputPath = defaultOutput(inputPath), expected = undefined) {
  const nam = JSON.parse(readText('nam/lstm.nam'));
  const amp = loadNam(nam);
  const { channels, sampleRate, bitDepth } = readWav(inputPath);
  const [samples] = channels;
  if (sampleRate !== amp.sampleRate) {
    throw new InputError(`${inputPath}: expected a sample rate of ${amp.sampleRate} Hz, got ${sampleRate} Hz`);
  }
  const output = new Float32Array(samples.length);
  // The first second goes through once for nothing, so that the time is that of compiled code, as in a long session.
  play(amp, samples.subarray(0, sampleRate), output);
  amp.reset();
  const { milliseconds } = timed(() => play(amp, samples, output));
  amp.dispose();
  writeWav(outputPath, [output], sampleRate);

  const seconds = samples.length / sampleRate;
  const speed = count(Math.round((1000 * seconds) / milliseconds));
  const { gear_make: make, gear_model: name } = nam.metadata;
  const format = `${channels.length === 1 ? 'mono' : `the first of ${channels.length} channels`}, ${bitDepth.replace('f', '')} bits`;
  console.log('Guitar amplifier');
  row(
    'model',
    `${make} ${name}, by Neural Amp Modeler`,
    `LSTM(${nam.config.input_size}, ${nam.config.hidden_size}) -> dot product`,
  );
  row('input', `${basename(inputPath)}: ${count(samples.length)} samples, ${seconds.toFixed(1)} s, ${format}`);
  row('result', relative('', outputPath));
  const ok = expected === undefined || checkDifference(output, expected, "Neural Amp Modeler's own output");
  row('time', `${milliseconds.toFixed(1)} ms, ${BLOCK} samples at a time: ${speed} times faster than real time`);
  return ok;
}

/** Sends samples through the amplifier as a sound card would bring them. */
function play(amp, input, output) {
  for (let n = 0; n < input.length; n += BLOCK) {
    const end = Math.min(n + BLOCK, input.length);
    amp.process(input.subarray(n, end), output.subarray(n, end));
  }
}

function defaultOutput(inputPath) {
  const folder = fileURLToPath(new URL('output', import.meta.url));
  mkdirSync(folder, { recursive: true });
  return join(folder, `${basename(inputPath, extname(inputPath))}-amp.wav`);
}

function demonstrateAmp() {
  const bytes = readFileSync(dataPath('nam/lstm.expected.f32'));
  const expected = Float32Array.from({ length: bytes.length / 4 }, (_, n) => bytes.readFloatLE(4 * n));
  return amplify(dataPath('nam/guitar-48k.wav'), undefined, expected);
}

function demonstrateDeep() {
  const readNumbers = (name) => Float32Array.from(readText(name).trim().split('\n'), Number);
  const model = loadRTNeural(readText('rtneural/lstm_torch.json'));
  const input = readNumbers('rtneural/lstm_torch_x_python.csv');
  const result = new Float32Array(input.length);
  const { milliseconds } = timed(() => model.process(input, result));
  model.dispose();

  console.log('Deep LSTM');
  row('model', "lstm_torch.json of RTNeural's tests, by PyTorch", 'LSTM(1, 8) -> LSTM(8, 8, 3 layers) -> Linear(8, 1)');
  row('input', `${count(input.length)} samples, as one sequence`);
  row('result', `${Array.from(result.subarray(0, 4), (y) => y.toFixed(6)).join(', ')}, ...`);
  const ok = checkDifference(result, readNumbers('rtneural/lstm_torch_y_python.csv'), "PyTorch's output");
  row('time', `${milliseconds.toFixed(1)} ms`);
  return ok;
}

function checkDifference(actual, expected, whose) {
  const worst = largestDifference(actual, expected);
  return check(worst <= TOLERANCE, `within ${tiny(worst)} of ${whose} (allowed ${TOLERANCE.toExponential()})`);
}

/** Runs both models on the published inputs and reports. @returns {boolean} whether every check is right */
export function demonstrate() {
  const amp = demonstrateAmp();
  console.log();
  const deep = demonstrateDeep();
  return amp && deep;
}

runProgram({
  url: import.meta.url,
  usage: USAGE,
  maxArguments: 2,
  main([input, output]) {
    if (input === undefined) return demonstrate();
    return amplify(input, output);
  },
});
