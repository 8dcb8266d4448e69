import { describe, test } from 'vitest';
import { Overlay, Windows } from '../../src/cells/windows.ts';
import { buffer, run } from '../support/canaries.ts';
import { numbers, random, same, sweep, upTo } from '../support/sweep.ts';
import { kernels, SPECIAL, struct } from '../support/walks.ts';

type Sizes = Omit<Windows, 'x' | 'w' | 'bias' | 'out' | 'write'>;

interface Tap {
  /** The place in an image, or -1 outside of it */
  readonly at: number;
  readonly isCounted: boolean;
  /** The number of the tap in its window */
  readonly tap: number;
}

/** The taps of each window, in order. */
function windowsOf(sizes: Sizes): Tap[][] {
  const { height, width, rows, columns, top, left } = sizes;
  return upTo(rows - 1, 0).flatMap((r) =>
    upTo(columns - 1, 0).map((c) =>
      upTo(sizes.kernelRows - 1, 0).flatMap((k) =>
        upTo(sizes.kernelColumns - 1, 0).map((j) => {
          const y = r * sizes.strideRows + k * sizes.dilationRows - top;
          const x = c * sizes.strideColumns + j * sizes.dilationColumns - left;
          const isRow = y >= -sizes.countedTop && y < height + sizes.countedBottom;
          const isColumn = x >= -sizes.countedLeft && x < width + sizes.countedRight;
          const isInside = y >= 0 && y < height && x >= 0 && x < width;
          const tap = k * sizes.kernelColumns + j;
          return { at: isInside ? y * width + x : -1, isCounted: isRow && isColumn, tap };
        }),
      ),
    ),
  );
}

function expected(sizes: Sizes, compute: (taps: Tap[], channel: number, image: number) => number): number[] {
  return upTo(sizes.batch - 1, 0).flatMap((image) =>
    windowsOf(sizes).flatMap((taps) => upTo(sizes.channels - 1, 0).map((c) => compute(taps, c, image))),
  );
}

function checkPool(mean: boolean, sizes: Sizes, x: readonly number[]): void {
  const { batch, channels, height, width, rows, columns } = sizes;
  const area = height * width;
  const right = expected(sizes, (taps, c, image) => {
    const inside = taps.filter(({ at }) => at >= 0).map(({ at }) => x[(image * area + at) * channels + c]!);
    const counted = taps.filter(({ isCounted }) => isCounted).length;
    if (mean) return Math.fround(inside.reduce((a, b) => a + b, 0) / counted);
    return Math.max(Number.NEGATIVE_INFINITY, ...inside);
  });
  const buffers = { x: buffer('in', batch * area, channels, x), out: buffer('out', batch * rows * columns, channels) };
  const { out } = run(buffers, (at) => {
    kernels.pool_f32(Number(mean), Object.assign(new Windows(), sizes, at).write(struct));
  });
  same(out, right, 'out');
}

function sizesOf(axes: { size: number; kernel: number; stride: number; dilation: number; before: number }): Sizes {
  const { size, kernel, stride, dilation, before } = axes;
  const { write: _, ...sizes } = new Windows();
  // rows differ from columns, so that neither passes for the other
  return Object.assign(sizes, {
    ...{ height: size + 2, width: size, kernelRows: kernel, kernelColumns: 1 + (kernel % 3) },
    ...{ strideRows: stride, strideColumns: 1 + (stride % 2), dilationRows: dilation, dilationColumns: 3 - dilation },
    ...{ top: before, left: before ? 1 : 0 },
  });
}

const AXES = { size: [0, 1, 2, 5], kernel: [1, 2, 3], stride: [1, 2], dilation: [1, 2], before: [0, 2] };

describe('pool_f32', () => {
  test('every size, kernel, stride, dilation and padding, counted and not', () => {
    sweep({ ...AXES, mean: [false, true], counted: [0, 1], channels: [1, 3, 4, 9] }, (one) => {
      const { mean, counted, channels, ...axes } = one;
      const sizes = { ...sizesOf(axes), batch: 2, channels, rows: 3, columns: 2 };
      const pads = { countedTop: counted * sizes.top, countedLeft: counted * sizes.left, countedBottom: counted };
      const count = 2 * sizes.height * sizes.width * channels;
      const x = numbers(count, 4).map((value) => Math.fround(value * 2 ** Math.floor(40 * random())));
      checkPool(mean, { ...sizes, ...pads, countedRight: 2 * counted }, x);
    });
  });

  test('special values, no images', () => {
    sweep({ mean: [false, true], batch: [0, 1, 3], channels: [1, 5], round: upTo(20) }, (one) => {
      const { mean, batch, channels } = one;
      const axes = sizesOf({ size: 3, kernel: 2, stride: 1, dilation: 1, before: 2 });
      const x = numbers(batch * 15 * channels).map(() => Math.fround(SPECIAL[Math.floor(random() * SPECIAL.length)]!));
      checkPool(mean, { ...axes, batch, channels, rows: 4, columns: 3 }, x);
    });
  });
});

test('depthwise_windows_f32: every size, kernel, stride, dilation and padding, with and without bias', () => {
  sweep({ ...AXES, channels: [1, 3, 4, 9], isBiased: [false, true] }, ({ channels, isBiased, ...axes }) => {
    const sizes = { ...sizesOf(axes), batch: 2, channels, rows: 3, columns: 2 };
    const area = sizes.height * sizes.width;
    const taps = sizes.kernelRows * sizes.kernelColumns;
    const x = numbers(2 * area * channels);
    const w = numbers(taps * channels);
    const bias = numbers(channels);
    const right = expected(sizes, (window, c, image) =>
      window.reduce(
        (sum, { at, tap }) => {
          const value = at < 0 ? 0 : x[(image * area + at) * channels + c]!;
          return Math.fround(sum + Math.fround(value * w[tap * channels + c]!));
        },
        isBiased ? bias[c]! : 0,
      ),
    );
    const buffers = {
      x: buffer('in', 2 * area, channels, x),
      w: buffer('in', taps, channels, w),
      bias: buffer('in', 1, channels, bias),
      out: buffer('out', 2 * sizes.rows * sizes.columns, channels),
    };
    const { out } = run(buffers, (at) => {
      const pointers = isBiased ? at : { ...at, bias: 0 };
      kernels.depthwise_windows_f32(Object.assign(new Windows(), sizes, pointers).write(struct));
    });
    same(out, right, 'out');
  });
});

test('overlay_f32: every size, kernel, stride, dilation and place', () => {
  sweep({ ...AXES, n: [1, 3, 4, 9], spare: [0, 2] }, ({ n, spare, ...axes }) => {
    const { height, width, top, left, ...sizes } = sizesOf(axes);
    const channels = n + spare;
    const [rows, columns] = [3, 2];
    const taps = sizes.kernelRows * sizes.kernelColumns;
    const x = numbers(rows * columns * taps * n);
    const right = numbers(height * width * channels);
    const start = [...right];
    windowsOf({ ...new Windows(), ...sizes, height, width, rows, columns, top, left } as Sizes).forEach((window, i) => {
      for (const { at, tap } of window) {
        for (let c = 0; at >= 0 && c < n; c++) {
          const place = at * channels + c;
          right[place] = Math.fround(right[place]! + x[(i * taps + tap) * n + c]!);
        }
      }
    });
    const buffers = {
      x: buffer('in', rows * columns, taps * n, x),
      out: buffer('out', height * width, channels, start),
    };
    const { out } = run(buffers, (at) => {
      const fields = { ...sizes, ...at, n, channels, height, width, rows, columns, top: -top, left: -left };
      kernels.overlay_f32(Object.assign(new Overlay(), fields).write(struct));
    });
    same(out, right, 'out');
  });
});
