import { describe, expect, test } from 'vitest';
import { nextSeed, Random } from '../src/random.ts';

// The algorithms as their authors wrote them, on BigInt: slow, and nothing shared with src/random.ts.

const u32 = (x: bigint) => BigInt.asUintN(32, x);
const rotateLeft = (x: bigint, k: bigint) => u32((x << k) | (x >> (32n - k)));

/** https://prng.di.unimi.it/xoshiro128starstar.c */
function* xoshiro128starstar(state: readonly bigint[]): Generator<bigint, never> {
  let [a, b, c, d] = state as [bigint, bigint, bigint, bigint];
  for (;;) {
    yield u32(rotateLeft(u32(b * 5n), 7n) * 9n);
    const t = u32(b << 9n);
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotateLeft(d, 11n);
  }
}

/** splitmix32: a Weyl sequence through a 32-bit finaliser. */
function* splitmix32(state: bigint): Generator<bigint, never> {
  for (;;) {
    state = u32(state + 0x9e3779b9n);
    let z = state;
    z = u32((z ^ (z >> 16n)) * 0x21f0aaadn);
    z = u32((z ^ (z >> 15n)) * 0x735a2d97n);
    yield z ^ (z >> 15n);
  }
}

function take<T>(count: number, values: Iterator<T>): T[] {
  return Array.from({ length: count }, () => values.next().value as T);
}

function reference(seed: number): Generator<bigint, never> {
  const low = u32(BigInt(seed));
  const high = BigInt(seed) >> 32n;
  return xoshiro128starstar(take(4, splitmix32(low ^ u32(high * 0x9e3779b1n))));
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

test('the reference gives the published first outputs from the state 1, 2, 3, 4', () => {
  const published = [
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ];
  expect(take(published.length, xoshiro128starstar([1n, 2n, 3n, 4n])).map(Number)).toEqual(published);
});

describe('uniform', () => {
  test.each(SEEDS)('is the upper 24 bits of xoshiro128**, seed %d', (seed) => {
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
