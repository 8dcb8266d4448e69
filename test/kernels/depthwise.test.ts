import { describe, test } from 'vitest';
import { Depthwise } from '../../src/cells/walks.ts';
import { buffer, run } from '../support/canaries.ts';
import { numbers, random, same, sweep, upTo } from '../support/sweep.ts';
import { kernels, SPECIAL, struct } from '../support/walks.ts';

type Sizes = Pick<Depthwise, 'batch' | 'channels' | 'length' | 'kernel' | 'stride' | 'dilation' | 'before'>;

const floats = (count: number) => numbers(count, 4).map((x) => Math.fround(x * 2 ** Math.floor(40 * random())));
const special = (values: readonly number[]) =>
  values.map((x) => (random() < 0.2 ? Math.fround(SPECIAL[Math.floor(random() * SPECIAL.length)]!) : x));

function check(sizes: Sizes, after: number, make: (count: number) => readonly number[], withBias: boolean): void {
  const { batch, channels, length, kernel, stride, dilation, before } = sizes;
  const positions = Math.floor((length + before + after - (kernel - 1) * dilation - 1) / stride) + 1;
  if (positions < 0) return;
  const x = make(batch * channels * length);
  const w = make(channels * kernel);
  const bias = withBias ? make(channels) : undefined;
  const expected: number[] = [];
  for (let row = 0; row < batch * channels; row++) {
    for (let p = 0; p < positions; p++) {
      let sum = bias?.[row % channels] ?? 0;
      for (let k = 0; k < kernel; k++) {
        const i = p * stride + k * dilation - before;
        sum += w[(row % channels) * kernel + k]! * (i >= 0 && i < length ? x[row * length + i]! : 0);
      }
      expected.push(Math.fround(sum));
    }
  }
  const buffers = {
    x: buffer('in', batch * channels, length, x),
    w: buffer('in', channels, kernel, w),
    bias: buffer('in', 1, bias?.length ?? 0, bias ?? []),
    out: buffer('out', batch * channels, positions),
  };
  const { out } = run(buffers, (at) => {
    const conv = Object.assign(new Depthwise(), sizes, at, { positions, bias: bias ? at.bias : 0 });
    kernels.depthwise_f32(conv.write(struct));
  });
  same(out, expected, 'out');
}

describe('depthwise_f32', () => {
  test('every length, kernel, stride, dilation and padding: the bits of one sum in float64', () => {
    const axes = { length: [...upTo(11, 0), 40], kernel: [1, 2, 3, 5], stride: upTo(3), dilation: upTo(3) };
    sweep(
      {
        ...axes,
        pads: [
          [0, 0],
          [1, 1],
          [2, 0],
          [0, 5],
          [9, 9],
        ],
      },
      ({ pads: [before, after], ...sizes }) => {
        check({ batch: 1, channels: 2, ...sizes, before: before! }, after!, floats, sizes.length % 2 === 0);
      },
    );
  });

  test('batches and channels, none too', () => {
    sweep({ batch: upTo(3, 0), channels: upTo(3, 0), length: [1, 6, 9] }, ({ batch, channels, length }) => {
      check({ batch, channels, length, kernel: 3, stride: 1, dilation: 1, before: 1 }, 1, floats, true);
    });
  });

  test('special values; an infinite weight on padding', () => {
    sweep({ length: [3, 8, 13], stride: [1, 2], before: [0, 2], bias: [false, true], round: upTo(10) }, (shape) => {
      const { length, stride, before, bias } = shape;
      const sizes = { batch: 1, channels: 2, length, kernel: 3, stride, dilation: 1, before };
      check(sizes, 2, (count) => special(floats(count)), bias);
      // sums of zeros of both signs
      check(sizes, 2, (count) => numbers(count).map((x) => (x < 0 ? -0 : 0)), bias);
    });
  });

  test('places beyond 2^31', () => {
    const far = 2 ** 31 - 1;
    sweep({ stride: [1, far], bias: [false, true] }, ({ stride, bias }) => {
      const sizes = { batch: 1, channels: 1, length: 4, kernel: 3, dilation: far, before: far };
      check({ ...sizes, stride }, far, floats, bias);
    });
  });
});
