import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/worklet/channel.ts';
import { filterFor } from '../../src/worklet/filter.ts';
import { Resampler } from '../../src/worklet/resampler.ts';

const sine = (count: number, hertz: number, rate: number, late = 0) =>
  Float32Array.from({ length: count }, (_, n) => Math.sin((2 * Math.PI * hertz * (n - late)) / rate));
const largest = (samples: Iterable<number>) => [...samples].reduce((most, x) => Math.max(most, Math.abs(x)), 0);
const decibels = (x: number) => 20 * Math.log10(x);

/** What comes out of `x` cut into pieces of so many samples. */
function resample(resampler: Resampler, x: Float32Array, sizes: readonly number[]): number[] {
  const outputs: number[] = [];
  const some = new Float32Array(4096);
  for (let at = 0, k = 0; at < x.length; k++) {
    const piece = x.subarray(at, at + sizes[k % sizes.length]!);
    resampler.push(piece, piece.length);
    outputs.push(...some.subarray(0, resampler.pull(some, some.length)));
    at += piece.length;
  }
  return outputs;
}

const RATES: [from: number, to: number][] = [
  [44_100, 48_000],
  [48_000, 44_100],
  [48_000, 16_000],
  [16_000, 48_000],
  [44_100, 16_000],
  [96_000, 44_100],
  [47_999, 48_000],
  [48_000, 47_999],
];

describe.each(RATES)('%i to %i Hz', (from, to) => {
  const lower = Math.min(from, to);

  test.each([0.01, 0.1, 0.3, 0.41])('keeps a tone of %f of the lower rate', (part) => {
    const x = sine(12_000, part * lower, from);
    const y = resample(new Resampler(from, to, 128), x, [128]);
    const expected = sine(y.length, part * lower, to);
    // where the beginning of the signal is not heard any more
    const skip = Math.ceil(64 * Math.max(1, to / from)) + 64;
    const errors = y.slice(skip).map((value, n) => value - expected[n + skip]!);
    expect(errors.length).toBeGreaterThan(2000);
    expect(decibels(largest(errors))).toBeLessThan(-60);
  });

  test('gives the same outputs however the inputs are cut', () => {
    const x = sine(3000, 1000, from);
    const whole = resample(new Resampler(from, to, 128), x, [128]);
    expect(resample(new Resampler(from, to, 128), x, [1])).toEqual(whole);
    expect(resample(new Resampler(from, to, 128), x, [5, 128, 17, 1])).toEqual(whole);
  });

  test('keeps a constant', () => {
    const y = resample(new Resampler(from, to, 128), new Float32Array(4000).fill(0.5), [128]);
    const settled = y.slice(Math.ceil((y.length * 3) / 4), -1);
    expect(largest(settled.map((value) => value - 0.5))).toBeLessThan(1e-6);
  });
});

test.each([
  [48_000, 16_000, 9500],
  [96_000, 44_100, 26_000],
  [48_000, 44_100, 23_900],
])('from %i to %i Hz a tone of %i Hz, which has no place there, is gone', (from, to, hertz) => {
  const y = resample(new Resampler(from, to, 128), sine(20_000, hertz, from), [128]);
  expect(decibels(largest(y.slice(200)))).toBeLessThan(-74);
});

test('a table is made once, and the largest has half a megabyte of phases', () => {
  expect(filterFor(147, 160)).toBe(filterFor(147, 160));
  expect(filterFor(147, 160)).not.toBe(filterFor(160, 147));
  expect(filterFor(47_999, 48_000).table.length).toBe(513 * 64);
});

describe('there and back', () => {
  const identity = (sampleRate: number) => ({
    sampleRate,
    process: (x: Float32Array, y: Float32Array) => y.set(x),
    reset() {},
    dispose() {},
  });

  test.each([
    [48_000, 44_100],
    [44_100, 48_000],
    [48_000, 16_000],
    [44_100, 16_000],
    [192_000, 8000],
    [8000, 192_000],
    [22_050, 768_000],
    [47_999, 48_000],
    [44_100.4, 96_000.25],
  ])('a context of %f Hz and a model of %f Hz: as late as it says, and never short of a sample', (outer, inner) => {
    for (const size of [1, 7, 128]) {
      const channel = new Channel(identity(inner), outer);
      const count = 6000;
      const hertz = 0.05 * Math.min(outer, inner);
      const x = sine(count, hertz, outer);
      const y = new Float32Array(count).fill(7);
      const piece = new Float32Array(128);
      for (let at = 0; at < count; at += size) {
        const n = Math.min(size, count - at);
        piece.fill(7);
        channel.run(x.subarray(at, at + n), piece, n);
        y.set(piece.subarray(0, n), at);
      }
      expect(Number.isInteger(channel.latency)).toBe(true);
      const expected = sine(count, hertz, outer, channel.latency);
      const skip = 3 * channel.latency;
      expect(count - skip).toBeGreaterThan(500);
      const errors = y.slice(skip).map((value, n) => value - expected[n + skip]!);
      expect(decibels(largest(errors))).toBeLessThan(-60);
    }
  });

  test.each([
    [48_000, 44_100, 70],
    [44_100, 48_000, 65],
    [48_000, 16_000, 192],
  ])('takes at %i Hz, with a model of %i Hz, %i samples', (outer, inner, samples) => {
    expect(new Channel(identity(inner), outer).latency).toBe(samples);
  });
});
