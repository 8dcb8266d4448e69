import { describe, expect, test } from 'vitest';
import { View } from '../../src/cells/walks.ts';
import { bits } from '../support/bits.ts';
import { type Buffer, buffer, run } from '../support/canaries.ts';
import { sweep, upTo } from '../support/sweep.ts';
import { kernels, permutations, placesOf, stepsOf, struct } from '../support/walks.ts';

/** Every fifth word is a NaN, each with a payload of its own, signalling ones too. */
const word = (i: number) => (i % 5 === 2 ? 0x7f800001 + i : i + 1);

/** Copies `dims` from one view to another; places are in words. */
function check(
  dims: readonly number[],
  [srcStart, srcSteps]: readonly [number, readonly number[]],
  [dstStart, dstSteps]: readonly [number, readonly number[]],
): void {
  const from = placesOf(dims, srcSteps, srcStart);
  const to = placesOf(dims, dstSteps, dstStart);
  const extent = (places: readonly number[]) => places.reduce((most, place) => Math.max(most, place + 1), 0);
  const source = upTo(extent(from), 1).map(word);
  const target = upTo(extent(to), 1).map(() => 7);
  const src: Buffer = { ...buffer('in', 1, source.length), words: () => source };
  const dst: Buffer = { ...buffer('out', 1, target.length), words: () => target };
  const out = run({ src, dst }, (at) => {
    const view = new View(dims, srcSteps, dstSteps);
    view.src = at.src + 4 * srcStart;
    view.dst = at.dst + 4 * dstStart;
    kernels.copy_view(view.write(struct));
  }).dst;
  const expected = target.slice();
  to.forEach((place, i) => {
    expected[place] = source[from[i]!]!;
  });
  expect(bits(out)).toEqual(expected);
}

describe('copy_view', () => {
  const shapes = [
    [],
    [0],
    [1],
    ...upTo(9, 2).map((n) => [n]),
    [127],
    [128],
    [131],
    [0, 3],
    [3, 0],
    ...[1, 3, 4, 5, 8, 9].flatMap((n) => [3, 4, 5, 8, 9].map((m) => [n, m])),
    [2, 130],
    [2, 3, 4],
    [5, 2, 3],
    [4, 1, 5],
    [6, 4, 7],
    [2, 3, 4, 5],
    [2, 3, 2, 5, 2],
  ];

  test('every order of axes, with and without gaps: every word, and none beside them', () => {
    sweep({ dims: shapes, srcGap: [0, 3], dstGap: [0, 2] }, ({ dims, srcGap, dstGap }) => {
      for (const order of permutations([...dims.keys()])) {
        const steps = stepsOf(
          order.map((axis) => dims[axis]!),
          srcGap,
        );
        const srcSteps = dims.map((_, axis) => steps[order.indexOf(axis)]!);
        check(dims, [0, srcSteps], [0, stepsOf(dims, dstGap)]);
        check(dims, [0, stepsOf(dims, srcGap)], [0, srcSteps]);
      }
    });
  });

  test('steps backwards, of 0, and wider than the axis', () => {
    const kinds = ['back', 'stretched', 'wide', 'plain'] as const;
    sweep(
      { dims: [[5], [3, 6], [6, 3], [2, 4, 5], [4, 1, 9]], kinds: kinds.flatMap((a) => kinds.map((b) => [a, b])) },
      ({ dims, kinds }) => {
        const steps = stepsOf(dims);
        let start = 0;
        const srcSteps = steps.map((step, axis) => {
          const kind = kinds[dims.length - 1 - axis] ?? 'plain';
          if (kind === 'stretched') return 0;
          if (kind === 'wide') return 3 * step;
          if (kind === 'back') start += (dims[axis]! - 1) * step;
          return kind === 'back' ? -step : step;
        });
        check(dims, [start, srcSteps], [0, steps]);
        // windows: neighbours overlap in the source
        check(dims, [0, dims.map(() => 1)], [0, steps]);
      },
    );
  });

  test('a view backwards into a view backwards', () => {
    check([7], [6, [-1]], [12, [-2]]);
    check([3, 4], [11, [-4, -1]], [2, [-1, 3]]);
  });
});

describe('View', () => {
  test('merges axes that move on evenly, so that contiguous tensors are one run', () => {
    const dims = [2, 3, 1, 4];
    expect(new View(dims, stepsOf(dims), stepsOf(dims))).toMatchObject({ bytes: 16, isOneRun: true });
    expect(new View(dims, [12, 4, 99, 1], [15, 5, 7, 1])).toMatchObject({ bytes: 28, isOneRun: false });
    expect(new View([], [], [])).toMatchObject({ bytes: 16, isOneRun: true });
  });
});
