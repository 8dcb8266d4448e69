import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { changes, Pair, RATE } from '../../src/panels/noise/pair.ts';

const DATA = new URL('../../../examples/denoise/data/', import.meta.url);

test('a sound that is half as loud everywhere is 6 dB quieter in its noise and in its voice', () => {
  const noisy = Float32Array.from({ length: RATE }, (_, n) => Math.sin(n) * (n < RATE / 2 ? 0.01 : 0.5));
  const { noise, voice } = changes(
    noisy,
    noisy.map((sample) => sample / 2),
  );
  expect(noise).toBeCloseTo(-6.02, 2);
  expect(voice).toBeCloseTo(-6.02, 2);
});

test('noise that is gone and voice that is kept are told apart', () => {
  const voice = Float32Array.from({ length: RATE }, (_, n) => (n < RATE / 2 ? 0 : 0.5 * Math.sin(n / 3)));
  const noisy = voice.map((sample, n) => sample + 0.01 * Math.sin(n * 2.3));
  const found = changes(
    noisy,
    voice.map((sample, n) => sample + 0.001 * Math.sin(n * 2.3)),
  );
  expect(found.noise).toBeCloseTo(-20, 1);
  expect(Math.abs(found.voice)).toBeLessThan(0.1);
  expect(changes(new Float32Array(RATE), new Float32Array(RATE))).toEqual({ noise: 0, voice: 0 });
  expect(changes(noisy, new Float32Array(RATE)).noise).toBe(-100);
});

test('of the built-in recording DTLN takes noise and keeps voice', () => {
  const wav = readFileSync(new URL('austen-white-hum.wav', DATA));
  const noisy = Float32Array.from(
    new Int16Array(wav.buffer, wav.byteOffset + 44, (wav.length - 44) / 2),
    (s) => s / 32_768,
  );
  const late = readFileSync(new URL('austen-white-hum.f32', DATA));
  const cleaned = new Float32Array(late.buffer, late.byteOffset, late.length / 4).subarray(384, 384 + noisy.length);
  const { noise, voice } = changes(noisy, cleaned);
  expect(noise).toBeLessThan(-10);
  expect(voice).toBeGreaterThan(-1.5);
});

test('parts that come one after another make the pair, and what has no room is left out', () => {
  const pair = new Pair(1000);
  const part = (value: number) => ({
    noisy: new Float32Array(640).fill(value),
    cleaned: new Float32Array(640).fill(value / 2),
    kept: new Uint8Array(256).fill(9),
    taken: new Uint8Array(256).fill(8),
    blocks: 5,
    milliseconds: 1,
  });
  pair.add(part(0.5));
  expect([pair.length, pair.isFull, pair.picture('kept').columns]).toEqual([640, false, 1]);
  pair.add(part(0.25));
  expect([pair.length, pair.isFull, pair.blocks]).toEqual([1000, true, 10]);
  expect([pair.noisy[639], pair.noisy[640], pair.cleaned[999]]).toEqual([0.5, 0.25, 0.125]);
  expect(pair.levels(0.01).noisy).toBeCloseTo(20 * Math.log10(0.5), 1);
  expect(pair.peaks.noisy.between(0, 1)).toEqual([0, 0.5]);
});
