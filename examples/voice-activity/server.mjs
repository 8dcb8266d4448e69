// Many callers on one core: voice activity for hundreds of streams at once, stepped together as their frames arrive.
import { readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { check, count, InputError, row, runProgram } from '../program.mjs';
import { readWav } from '../sound/wav.mjs';
import { readModel } from './model.mjs';
import { FRAME, RATE, VoiceNetwork } from './network.mjs';
import { SpeechSegments } from './segments.mjs';
import { expand, shrink } from './small.mjs';
import { readWeights } from './weights.mjs';

const USAGE = `usage: node examples/voice-activity/server.mjs

Steps the streams of many callers, who join, speak at their own times and leave, on one core: the frames that have come within
8 ms are one batch, its convolutions one product each, its LSTM one step. Says how many callers one core carries in real time, and
checks that each heard exactly what it hears alone.

  --callers N      callers at a time, 400 by default
  --seconds S      of sound from each, 10 by default
  --model NAME     v6 (the default), v5, or the path of such a file
  --int8           8-bit weights (16 bits in two of four convolutions)

Exit codes: 0; 1 if a caller heard something else than alone; 2 if the arguments, or what they name, cannot be used.`;

const OPTIONS = {
  callers: { type: 'string', default: '400' },
  seconds: { type: 'string', default: '10' },
  model: { type: 'string', default: 'v6' },
  int8: { type: 'boolean', default: false },
};

/** Callers' frames begin at four different times within the 32 ms of a frame. */
const PHASES = 4;
/** Of all callers, those that hang up halfway, another one taking their place. */
const LEAVING = 0.25;

/**
 * A caller plays one of the recordings from a place of its own, round and round, for `frames` frames from tick `from` on.
 * @typedef {{ id?: number, samples: Float32Array, offset: number, from: number, frames: number, heard: number[], speech: SpeechSegments }} Caller
 */

/** @returns {Caller[]} */
function makeCallers(size, frames, recordings) {
  const half = Math.ceil(frames / 2);
  const callers = [];
  for (let i = 0; i < size; i++) {
    const leaves = i < LEAVING * size;
    const begin = (from, length, place) => {
      const samples = recordings[(i + callers.length) % recordings.length];
      const offset = (place * 7919) % samples.length;
      const speech = new SpeechSegments(RATE, FRAME);
      callers.push({ samples, offset, from, frames: length, heard: [], speech });
    };
    const phase = i % PHASES;
    begin(phase, leaves ? half : frames, i);
    if (leaves) begin(phase + half * PHASES, frames - half, i + size);
  }
  return callers;
}

/** Writes the frame that a caller says next. @param {Caller} caller */
function speak({ samples, offset, heard }, frame) {
  const start = (offset + heard.length * FRAME) % samples.length;
  const first = samples.subarray(start, start + FRAME);
  frame.set(first);
  if (first.length < FRAME) frame.set(samples.subarray(0, FRAME - first.length), first.length);
}

/**
 * Runs all callers to their ends.
 * @returns {{ microseconds: number, frames: number, slowest: number }} processor time of the steps, and the slowest one's milliseconds
 */
function serve(network, callers) {
  const last = Math.max(...callers.map(({ from, frames }) => from + frames * PHASES));
  const batches = new Float32Array(callers.length * FRAME);
  let microseconds = 0;
  let slowest = 0;
  let frames = 0;
  for (let tick = 0; tick < last; tick++) {
    const ready = callers.filter(({ from, frames, heard }) => {
      return tick >= from && (tick - from) % PHASES === 0 && heard.length < frames;
    });
    if (ready.length === 0) continue;
    for (const [k, caller] of ready.entries()) {
      caller.id ??= network.open();
      speak(caller, batches.subarray(k * FRAME, (k + 1) * FRAME));
    }
    const ids = Int32Array.from(ready, ({ id }) => id);
    const probabilities = new Float32Array(ready.length);
    const start = performance.now();
    const before = process.cpuUsage();
    network.step(ids, batches.subarray(0, ready.length * FRAME), probabilities);
    const { user, system } = process.cpuUsage(before);
    microseconds += user + system;
    slowest = Math.max(slowest, performance.now() - start);
    frames += ready.length;
    for (const [k, caller] of ready.entries()) {
      caller.heard.push(probabilities[k]);
      caller.speech.push(probabilities[k]);
      if (caller.heard.length === caller.frames) network.close(caller.id);
    }
  }
  return { microseconds, frames, slowest };
}

/** Whether a caller hears the same bits in a network of its own stream. @param {Caller} caller */
function hearsTheSame(network, caller) {
  const id = network.open();
  const alone = { ...caller, heard: [] };
  const frame = new Float32Array(FRAME);
  const probability = new Float32Array(1);
  while (alone.heard.length < caller.frames) {
    speak(alone, frame);
    network.step([id], frame, probability);
    alone.heard.push(probability[0]);
  }
  network.close(id);
  return caller.heard.length === caller.frames && alone.heard.every((value, k) => Object.is(value, caller.heard[k]));
}

function readNumber(name, text, largest) {
  const number = Number(text);
  if (!(number > 0 && number <= largest)) throw new InputError(`--${name}: expected 1 to ${largest}, got ${text}`);
  return Math.ceil(number);
}

runProgram({
  url: import.meta.url,
  usage: USAGE,
  options: OPTIONS,
  maxArguments: 0,
  main(_, { callers: callersText, seconds: secondsText, model, int8 }) {
    const size = readNumber('callers', callersText, 10_000);
    const seconds = readNumber('seconds', secondsText, 600);
    const folder = fileURLToPath(new URL('data/', import.meta.url));
    const names = readdirSync(folder).filter((name) => name.endsWith('.wav'));
    const recordings = names.map((name) => readWav(folder + name).channels[0]);
    const read = readWeights(readModel(model));
    const network = new VoiceNetwork(int8 ? expand(shrink(read)) : read);

    const frames = Math.ceil((seconds * RATE) / FRAME);
    // compiled code, as after a minute
    serve(network, makeCallers(Math.min(size, 32), Math.min(frames, 30), recordings));
    const callers = makeCallers(size, frames, recordings);
    const { microseconds, frames: stepped, slowest } = serve(network, callers);
    const right = callers.filter((caller) => hearsTheSame(network, caller)).length;

    const each = microseconds / stepped;
    const speech = callers.reduce((sum, { speech: { segments } }) => sum + segments.length, 0);
    console.log('Many callers');
    row('model', `Silero VAD ${model}${int8 ? ', 8-bit weights' : ''}, from the layers of lstm-wasm`);
    row(
      'callers',
      `${count(size)} at a time, ${count(callers.length)} in all, ${count(seconds)} s of sound from each place`,
    );
    row('result', `${count(speech)} segments of speech in ${count(stepped)} frames`);
    row(
      'time',
      `${each.toFixed(1)} us of processor time a frame of 32 ms, the slowest batch ${slowest.toFixed(1)} ms (${cpus()[0].model.trim()})`,
    );
    row('', `one core carries ${count(Math.floor((1e6 * FRAME) / RATE / each))} callers in real time`);
    return check(
      right === callers.length,
      `${count(right)} of ${count(callers.length)} callers heard the bits that they hear alone`,
    );
  },
});
