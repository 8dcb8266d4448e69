import { test } from 'vitest';
import { buffer, run } from '../support/canaries.ts';
import { kernels, PANEL } from '../support/kernels.ts';
import { uniforms } from '../support/random.ts';
import { numbers, random, same, sweep, upTo } from '../support/sweep.ts';

test('random_f32: every count and stride, and the state goes on', () => {
  sweep({ n: upTo(9, 0), stride: [1, PANEL], terms: [1, 12] }, ({ n, stride, terms }) => {
    const seed = Math.floor(random() * 2 ** 32);
    const next = uniforms(seed);
    const values = Array.from({ length: n * terms }, next);
    const expected = upTo(n).map((i) =>
      Math.fround(values.slice((i - 1) * terms, i * terms).reduce((a, b) => a + b, -3) * 0.7),
    );
    let state = 0;
    const { x } = run({ x: buffer('out', n, 1, undefined, stride - 1) }, (at) => {
      state = kernels.random_f32(at.x, n, 4 * stride, seed, terms, -3, 0.7);
    });
    same(x, expected, 'x');
    if (uniforms(state)() !== next()) throw new Error('another state than after as many numbers');
  });
});

test('dropout_f32: every count', () => {
  sweep({ n: upTo(9, 0), p: [0, 0.5, 1] }, ({ n, p }) => {
    const values = numbers(n).map(Math.fround);
    const next = uniforms(7);
    const expected = values.map((value) => (next() < p ? 0 : Math.fround(value * 2)));
    let state = 0;
    const { x } = run({ x: buffer('out', 1, n, values) }, (at) => {
      state = kernels.dropout_f32(at.x, n, p, 2, 7);
    });
    same(x, expected, 'x');
    if (uniforms(state)() !== next()) throw new Error('another state than after as many numbers');
  });
});
