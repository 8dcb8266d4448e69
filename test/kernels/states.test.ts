import { expect, test } from 'vitest';
import { allocate, release } from '../../src/memory/arena.ts';
import { buffer, run } from '../support/canaries.ts';
import { kernels, LANES, PANEL, TILE_ROWS } from '../support/kernels.ts';
import { numbers, same, sweep, upTo } from '../support/sweep.ts';

test('copy_rows: every number of rows and floats, rows apart or not', () => {
  const shapes = { rows: upTo(2 * TILE_ROWS + 1, 0), width: upTo(2 * PANEL + 1, 0), from: [0, 3], to: [0, 1] };
  sweep(shapes, ({ rows, width, from, to }) => {
    const values = numbers(rows * width).map(Math.fround);
    const buffers = { src: buffer('in', rows, width, values, from), dst: buffer('out', rows, width, undefined, to) };
    const { dst } = run(buffers, (at) =>
      kernels.copy_rows(at.dst, 4 * (width + to), at.src, 4 * (width + from), rows, width),
    );
    same(dst, values, 'dst');
  });
});

test('gather_states and scatter_states: there and back, every number of groups, streams and floats', () => {
  const shapes = { groups: [1, 2, 3], n: upTo(4, 0), floats: upTo(2 * LANES + 1), before: [0, 5], after: [0, 3] };
  sweep(shapes, ({ groups, n, floats, before, after }) => {
    // own[s] lies `before` floats after the pointer in the table, which names the places from last to first
    const own = upTo(groups * n * floats).map(Math.fround);
    const stride = before + groups * floats + after;
    const rows: number[] = [];
    for (let g = 0; g < groups; g++) {
      for (let r = 0; r < n; r++) {
        const start = ((n - 1 - r) * groups + g) * floats;
        rows.push(...own.slice(start, start + floats));
      }
    }
    for (const back of [false, true]) {
      const places = { ...buffer(back ? 'out' : 'in', n, groups * floats, back ? undefined : own), stride };
      const buffers = {
        own: places,
        rows: buffer(back ? 'in' : 'out', groups * n, floats, back ? rows : undefined),
        table: {
          ...buffer('in', 1, n),
          words: (at: Readonly<Record<string, number>>) =>
            upTo(n).map((s) => at.own! + 4 * ((n - s) * stride - before)),
        },
      };
      const result = run(buffers, (at) =>
        (back ? kernels.scatter_states : kernels.gather_states)(at.table, 4 * before, at.rows, groups, n, floats),
      );
      same(back ? result.own : result.rows, back ? own : rows, back ? 'own' : 'rows');
    }
  });
});

test('gather_states keeps the bits of a NaN', () => {
  const odd = [0x7fc00000, 0xffc00001, 0x7f800001, 0xff812345, 0x80000000];
  const block = allocate(64);
  const words = new Uint32Array(kernels.memory.buffer, block, 16);
  words.set([...odd, 0, 0, 0, 0, 0, block]);
  kernels.gather_states(block + 40, 0, block + 20, 1, 1, 5);
  expect([...words.subarray(5, 10)]).toEqual(odd);
  release(block);
});
