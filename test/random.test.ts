import { afterAll, describe, expect, test } from 'vitest';
import { Linear, LSTM } from '../src/index.ts';
import { allocate, floats, release } from '../src/memory/arena.ts';
import { nextSeed, Random } from '../src/nn/random.ts';
import { mulberry32 } from './support/random.ts';

function take<T>(count: number, next: () => T): T[] {
  return Array.from({ length: count }, next);
}

/** Uniforms in [0, 1): the low half of the seed, mixed with the high half times a constant, is the first state. */
function reference(seed: number): () => number {
  const low = BigInt.asUintN(32, BigInt(seed));
  const high = BigInt(seed) >> 32n;
  const next = mulberry32(Number(low ^ BigInt.asUintN(32, high * 0x9e3779b1n)));
  return () => (next() >>> 8) / 2 ** 24;
}

const SIZE = 100_000;
const block = allocate(4 * SIZE);
afterAll(() => release(block));

/** What `fill` puts into linear memory. */
function filled(count: number, fill: (pointer: number) => void): number[] {
  fill(block);
  return [...floats().subarray(block / 4, block / 4 + count)];
}

/** `count` floats that are uniform in ±1 */
function uniform(random: Random, count: number): number[] {
  return filled(count, (pointer) => random.uniform({ name: '', dims: [count], pointer }, 1));
}

function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((a, b) => a + b) / values.length;
  return { mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length };
}

const SEEDS = [0, 1, 42, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 123_456_789_012_345, 2 ** 53 - 1];

test('the reference gives the known first outputs of seed 0', () => {
  const known = [0.26642920868471265, 0.0003297457005828619, 0.2232720274478197];
  expect(take(3, mulberry32(0)).map((word) => word / 2 ** 32)).toEqual(known);
});

describe('uniform', () => {
  test.each(SEEDS)('is the upper 24 bits of mulberry32, seed %d', (seed) => {
    const next = reference(seed);
    expect(uniform(new Random(seed), 1000)).toEqual(take(1000, () => 2 * next() - 1));
  });

  test('both halves of a seed count', () => {
    expect(new Set(SEEDS.map((seed) => uniform(new Random(seed), 4).join())).size).toBe(SEEDS.length);
  });

  test('has the mean and variance of a uniform', () => {
    const { mean, variance } = moments(uniform(new Random(7), SIZE));
    // four standard errors
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(1 / 3 / SIZE));
    expect(Math.abs(variance - 1 / 3)).toBeLessThan(4 * Math.sqrt(4 / 45 / SIZE));
  });

  test('fills a state dict row by row, parameter by parameter', () => {
    for (const [module, size] of [
      [new LSTM(3, 5, { seed: 9, projSize: 2 }), 5],
      [new Linear(7, 19, { seed: 9 }), 7],
    ] as const) {
      const next = reference(9);
      for (const [name, { data }] of module.stateDict()) {
        const expected = take(data.length, () => Math.fround((2 * next() - 1) / Math.sqrt(size)));
        // the bound times a power of two and the quotient may round apart by the last bit
        data.forEach((value, i) => {
          expect(Math.abs(value - expected[i]!), `${name}[${i}]`).toBeLessThanOrEqual(2 ** -24);
        });
      }
      module.dispose();
    }
  });
});

describe('normal', () => {
  const normal = (seed: number, count: number) => filled(count, (at) => new Random(seed).normal(at, count));

  test('is twelve uniforms less 6', () => {
    const next = reference(3);
    expect(normal(3, 50)).toEqual(take(50, () => Math.fround(take(12, next).reduce((a, b) => a + b, -6))));
  });

  test('has mean 0 and variance 1', () => {
    const { mean, variance } = moments(normal(11, SIZE));
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(SIZE));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / SIZE));
  });
});

test.each([0, 0.25, 1])('dropout with p = %d zeroes where a uniform is below p, and scales the rest', (p) => {
  const next = reference(5);
  const values = filled(100, (pointer) => {
    floats().fill(3, pointer / 4, pointer / 4 + 100);
    new Random(5).dropout(pointer, 100, p);
  });
  expect(values).toEqual(take(100, () => (next() < p ? 0 : Math.fround(3 * Math.fround(1 / (1 - p))))));
});

test('seed() starts the same values again', () => {
  const random = new Random(5);
  uniform(random, 7);
  random.normal(block, 3);
  random.seed(2 ** 40 + 5);
  expect(uniform(random, 100)).toEqual(uniform(new Random(2 ** 40 + 5), 100));
});

test('modules without a seed get one each', () => {
  const seed = nextSeed();
  expect(nextSeed()).toBe(seed + 1);
});
