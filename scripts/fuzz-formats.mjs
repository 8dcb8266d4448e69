// What `npm run fuzz` and test/fuzz do with a mutant of a format, read by the built package.
import * as core from 'lstm-wasm';
import * as audio from 'lstm-wasm/audio';
import * as keras from 'lstm-wasm/keras';
import * as onnx from 'lstm-wasm/onnx';
import * as pytorch from 'lstm-wasm/pytorch';
import * as safetensors from 'lstm-wasm/safetensors';
import { makeFormats } from './formats.mjs';
import { makeRandom, pick } from './mutants.mjs';

export const FORMATS = makeFormats({ core, audio, keras, onnx, pytorch, safetensors });
const { bytesUsed } = core;

/**
 * Makes mutant number `index` of a format and reads it.
 * @returns the outcome: 'loaded', the code of the ModelError, and a `problem` if it is any other error, took too long or
 *   left something in linear memory
 */
export function tryMutant(name, index, ModelError) {
  const { seeds, mutate, first } = FORMATS[name];
  const random = makeRandom(index * 7919 + name.length);
  const file = mutate(pick(random, seeds()), random);
  const used = bytesUsed();
  let attempt = readMutant(name, file, ModelError);
  // perhaps a neighbour had the processor: once more, in the time of this process alone
  const own = () => process.cpuUsage().user / 1000;
  if (attempt.milliseconds > 1000) attempt = readMutant(name, file, ModelError, own);
  let { problem } = attempt;
  if (attempt.milliseconds > 1000) problem ??= `took ${Math.round(attempt.milliseconds)} ms`;
  if (bytesUsed() > used) problem ??= `left ${bytesUsed() - used} bytes in linear memory`;
  return { file, ...attempt, problem, past: !first.includes(attempt.outcome) };
}

/** Loads a file and runs what it gives. */
export function readMutant(name, file, ModelError, clock = () => performance.now()) {
  const { load, run } = FORMATS[name];
  const start = clock();
  let outcome = 'loaded';
  let problem;
  try {
    const loaded = load(file);
    try {
      run(loaded);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
    }
  } catch (error) {
    if (error instanceof ModelError) outcome = error.code;
    else problem = `${error.stack ?? error}`;
  }
  return { outcome, problem, milliseconds: clock() - start };
}
