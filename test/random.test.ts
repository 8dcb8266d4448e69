import { describe, expect, test } from 'vitest';
import { nextSeed, Random } from '../src/random.ts';

const u32 = (x: bigint) => BigInt.asUintN(32, x);

/**
 * mulberry32 as its author wrote it in C, on BigInt: slow, and nothing shared with src/random.ts.
 * https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
 */
function* mulberry32(state: bigint): Generator<bigint, never> {
  for (;;) {
    state = u32(state + 0x6d2b79f5n);
    let z = u32((state ^ (state >> 15n)) * (state | 1n));
    z ^= u32(z + u32((z ^ (z >> 7n)) * (z | 61n)));
    yield z ^ (z >> 14n);
  }
}

function take<T>(count: number, values: Iterator<T>): T[] {
  return Array.from({ length: count }, () => values.next().value as T);
}

/** The low half of the seed, mixed with the high half times a constant, is the first state. */
function reference(seed: number): Generator<bigint, never> {
  const low = u32(BigInt(seed));
  const high = BigInt(seed) >> 32n;
  return mulberry32(low ^ u32(high * 0x9e3779b1n));
}

function uniforms(seed: number, count: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.uniform());
}

function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((a, b) => a + b) / values.length;
  return { mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length };
}

const SEEDS = [0, 1, 42, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 123_456_789_012_345, 2 ** 53 - 1];

test('the reference gives the known first outputs of seed 0', () => {
  const known = [0.26642920868471265, 0.0003297457005828619, 0.2232720274478197];
  expect(take(3, mulberry32(0n)).map((word) => Number(word) / 2 ** 32)).toEqual(known);
});

describe('uniform', () => {
  test.each(SEEDS)('is the upper 24 bits of mulberry32, seed %d', (seed) => {
    const expected = take(1000, reference(seed)).map((word) => Number(word >> 8n) / 2 ** 24);
    expect(uniforms(seed, 1000)).toEqual(expected);
  });

  test('both halves of a seed count', () => {
    expect(new Set(SEEDS.map((seed) => uniforms(seed, 4).join())).size).toBe(SEEDS.length);
  });

  test('lies in [0, 1), is exact in float32, and has the mean and variance of a uniform', () => {
    const values = uniforms(7, 100_000);
    expect(values.every((x) => x >= 0 && x < 1 && Math.fround(x) === x)).toBe(true);
    const { mean, variance } = moments(values);
    // four standard errors
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / values.length));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / values.length));
  });
});

describe('normal', () => {
  test('is twelve uniforms less 6', () => {
    const random = new Random(3);
    const expected = uniforms(3, 12 * 50);
    for (let i = 0; i < 50; i++) {
      expect(random.normal()).toBe(expected.slice(12 * i, 12 * i + 12).reduce((a, b) => a + b, -6));
    }
  });

  test('has mean 0 and variance 1', () => {
    const random = new Random(11);
    const values = Array.from({ length: 50_000 }, () => random.normal());
    const { mean, variance } = moments(values);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(values.length));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / values.length));
  });
});

test('seed() starts the same values again', () => {
  const random = new Random(5);
  random.uniform();
  random.normal();
  random.seed(2 ** 40 + 5);
  expect(Array.from({ length: 100 }, () => random.uniform())).toEqual(uniforms(2 ** 40 + 5, 100));
});

test('modules without a seed get one each', () => {
  const seed = nextSeed();
  expect(nextSeed()).toBe(seed + 1);
});
