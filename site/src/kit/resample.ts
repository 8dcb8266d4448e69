import { Resampler } from '../../../src/worklet/resampler.ts';

/** Samples that go in at once. */
const BLOCK = 1024;

/** Brings sound that comes in parts to another rate, by the resampler of lstm-wasm's AudioWorklet. */
export function resampling(from: number, to: number): (samples: Float32Array) => Float32Array {
  if (from === to) return (samples) => samples;
  const resampler = new Resampler(Math.round(from), to, BLOCK);
  return (samples) => {
    const out = new Float32Array(Math.ceil(((samples.length + BLOCK) * to) / from) + BLOCK);
    let filled = 0;
    for (let at = 0; at < samples.length; at += BLOCK) {
      const block = samples.subarray(at, at + BLOCK);
      resampler.push(block, block.length);
      filled += resampler.pull(out.subarray(filled), out.length - filled);
    }
    return out.slice(0, filled);
  };
}

/** Cuts sound that comes in parts of any length into parts that are multiples of `block`. */
export function inBlocks(block: number): (samples: Float32Array) => Float32Array {
  let rest = new Float32Array(0);
  return (samples) => {
    const sound = new Float32Array(rest.length + samples.length);
    sound.set(rest);
    sound.set(samples, rest.length);
    const whole = sound.length - (sound.length % block);
    rest = sound.slice(whole);
    return sound.slice(0, whole);
  };
}
