import { describe, test } from 'vitest';
import { Pool } from '../../src/cells/walks.ts';
import { buffer, run } from '../support/canaries.ts';
import { numbers, random, same, sweep, upTo } from '../support/sweep.ts';
import { kernels, SPECIAL, struct } from '../support/walks.ts';

type Sizes = Omit<Pool, 'x' | 'out' | 'positions' | 'write'>;

function check(mean: boolean, sizes: Sizes, positions: number, x: readonly number[]): void {
  const { rows, length, kernel, stride, dilation, before, countedBefore, countedBehind } = sizes;
  const expected: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (let p = 0; p < positions; p++) {
      const places = upTo(kernel - 1, 0).map((k) => p * stride + k * dilation - before);
      const values = places.filter((i) => i >= 0 && i < length).map((i) => x[r * length + i]!);
      const counted = places.filter((i) => i >= -countedBefore && i < length + countedBehind);
      expected.push(
        mean
          ? Math.fround(values.reduce((a, b) => a + b, 0) / counted.length)
          : Math.max(Number.NEGATIVE_INFINITY, ...values),
      );
    }
  }
  const buffers = { x: buffer('in', rows, length, x), out: buffer('out', rows, positions) };
  const { out } = run(buffers, (at) => {
    kernels.pool_f32(Number(mean), Object.assign(new Pool(), sizes, at, { positions }).write(struct));
  });
  same(out, expected, 'out');
}

describe('pool_f32', () => {
  const axes = { mean: [false, true], length: [...upTo(7, 0), 20], kernel: upTo(4), stride: upTo(3), dilation: [1, 3] };

  test('every length, kernel, stride, dilation and padding, counted and not', () => {
    sweep(
      {
        ...axes,
        pads: [
          [0, 0],
          [1, 2],
          [4, 0],
        ],
        counted: [false, true],
      },
      ({ mean, pads, counted, ...sizes }) => {
        const [before, after] = pads as [number, number];
        const { length, kernel, stride, dilation } = sizes;
        const positions = Math.floor((length + before + after - (kernel - 1) * dilation - 1) / stride) + 1;
        if (positions < 0) return;
        const [countedBefore, countedBehind] = counted ? [before, after] : [0, 0];
        const x = numbers(2 * length, 4).map((x) => Math.fround(x * 2 ** Math.floor(40 * random())));
        // one position more, as if the number of positions were rounded up
        for (const more of [0, 1])
          check(mean, { rows: 2, before, countedBefore, countedBehind, ...sizes }, positions + more, x);
      },
    );
  });

  test('special values, no rows', () => {
    sweep({ mean: [false, true], rows: [0, 1, 3], round: upTo(40) }, ({ mean, rows }) => {
      const x = numbers(rows * 9).map(() => Math.fround(SPECIAL[Math.floor(random() * SPECIAL.length)]!));
      const sizes = { length: 9, kernel: 3, stride: 2, dilation: 1, before: 1, countedBefore: 1, countedBehind: 1 };
      check(mean, { rows, ...sizes }, 5, x);
    });
  });
});
