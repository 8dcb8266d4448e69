// What tests of examples/voice-activity share: recordings, published answers, and comparing with them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { root } from './examples.ts';

export const MAIN = 'voice-activity/main.mjs';
export const MIXED = join(root, 'test/fixtures/vad/mixed.wav');
export const NAMES = ['go-forward', 'librivox-austen', 'prompt-it', 'mixed'];
export const data = (name: string) => join(root, 'examples/voice-activity/data', name);
export const recording = (name: string) => (name === 'mixed' ? MIXED : data(`${name}.wav`));
export const published = (name: string, model: string) =>
  JSON.parse(readFileSync(data(`${name}.${model}.json`), 'utf8'));
export const samplesOf = (path: string) => new Int16Array(new Uint8Array(readFileSync(path).subarray(44)).buffer);

export const positions = (segments: any[]) => segments.map(({ start, end }) => [start, end]);

export function expectNear(actual: number[], expected: number[], tolerance: number) {
  expect(actual).toHaveLength(expected.length);
  // a NaN stays the worst
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(actual[i]! - value)), 0);
  expect(worst).toBeLessThanOrEqual(tolerance);
}

export function expectState(actual: Record<string, number[]>, expected: Record<string, number[]>) {
  for (const part of ['h', 'c'] as const) {
    expect(actual[part]).toHaveLength(128);
    for (const [i, value] of expected[part]!.entries()) {
      expect(Math.abs(actual[part]![i]! - value)).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)));
    }
  }
}
