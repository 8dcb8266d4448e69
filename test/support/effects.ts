import { expect } from 'vitest';
import { type AudioModel, ModelError } from '../../src/audio.ts';
import { bytesUsed } from '../../src/index.ts';
import { uniforms } from './random.ts';

// What tests of lstm-wasm/audio do with a model: play samples, compare them, see a file refused.

const next = uniforms(5);
/** Samples in ±1. */
export const x = Float32Array.from({ length: 400 }, () => 2 * next() - 1);

/** Plays `x`, and disposes of the model. */
export function play(model: AudioModel): Float32Array {
  const output = new Float32Array(x.length);
  model.process(x, output);
  model.dispose();
  return output;
}

/** Expects samples within 1e-6 of those computed in float64. */
export function expectClose(actual: Float32Array, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  expect(actual.reduce((max, y, n) => Math.max(max, Math.abs(y - expected[n]!)), 0)).toBeLessThanOrEqual(1e-6);
}

/** Gives the ModelError of a file that is refused, which has to leave nothing in linear memory. */
export function refusal(load: () => unknown): ModelError {
  const before = bytesUsed();
  try {
    load();
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    expect(bytesUsed()).toBe(before);
    return error;
  }
  throw new Error('accepted');
}
