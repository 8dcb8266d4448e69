import { describe, test } from 'vitest';
import { LayerNorm } from '../../src/cells/walks.ts';
import { buffer, run } from '../support/canaries.ts';
import { numbers, random, same, sweep, upTo } from '../support/sweep.ts';
import { kernels, SPECIAL, struct } from '../support/walks.ts';

const EPSILON = Math.fround(1e-5);
const floats = (count: number, size = 1) => numbers(count, size).map(Math.fround);
const special = (values: readonly number[]) =>
  values.map((x) => (random() < 0.3 ? Math.fround(SPECIAL[Math.floor(random() * SPECIAL.length)]!) : x));

function layerNorm(
  x: readonly number[],
  scale: readonly number[],
  bias: readonly number[] | undefined,
  rows: number,
  n: number,
) {
  const out: number[] = [];
  const means: number[] = [];
  const inverses: number[] = [];
  for (let r = 0; r < rows; r++) {
    const row = x.slice(r * n, (r + 1) * n);
    const mean = row.reduce((a, b) => a + b, 0) / n;
    const inverse = 1 / Math.sqrt(row.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / n + EPSILON);
    means.push(n ? Math.fround(mean) : 0);
    inverses.push(n ? Math.fround(inverse) : 0);
    row.forEach((x, i) => {
      const s = scale[scale.length === n ? i : r * n + i]!;
      const b = bias ? bias[bias.length === n ? i : r * n + i]! : 0;
      out.push(Math.fround((x - mean) * inverse * s + b));
    });
  }
  return { out, means, inverses };
}

describe('layer_norm_f32', () => {
  function check(
    x: readonly number[],
    scale: readonly number[],
    bias: readonly number[] | undefined,
    rows: number,
    n: number,
  ): void {
    const expected = layerNorm(x, scale, bias, rows, n);
    const fields = {
      rows,
      n,
      scaleStride: scale.length > n ? 4 * n : 0,
      biasStride: bias && bias.length > n ? 4 * n : 0,
    };
    const parameters = {
      scale: buffer('in', 1, scale.length, scale),
      bias: buffer('in', 1, bias?.length ?? 0, bias ?? []),
    };
    const statistics = { means: buffer('out', 1, rows), inverses: buffer('out', 1, rows) };
    const call = ({ bias: at, ...pointers }: Partial<LayerNorm>) => {
      const norm = Object.assign(new LayerNorm(), fields, pointers, { bias: bias ? at : 0 });
      kernels.layer_norm_f32(norm.write(struct), EPSILON);
    };
    const result = run(
      { x: buffer('in', rows, n, x), out: buffer('out', rows, n), ...parameters, ...statistics },
      call,
    );
    for (const name of ['out', 'means', 'inverses'] as const) same(result[name], expected[name], name);
    // in place, and without the statistics
    const inPlace = run({ x: buffer('out', rows, n, x), ...parameters }, ({ x, scale, bias }) =>
      call({ x, out: x, scale, bias }),
    );
    same(inPlace.x, expected.out, 'in place');
  }

  test('every shape, with one scale and bias or one a row, with and without a bias', () => {
    const perRow = [false, true];
    sweep(
      { rows: upTo(9, 0), n: [...upTo(9, 0), 33], scales: perRow, bias: ['none', 'one', 'rows'] as const },
      (shape) => {
        const { rows, n, scales, bias } = shape;
        const count = (many: boolean) => (many ? rows * n : n);
        check(
          floats(rows * n, 10).map((x) => Math.fround(x * 2 ** Math.floor(20 * random()))),
          floats(count(scales), 2),
          bias === 'none' ? undefined : floats(count(bias === 'rows')),
          rows,
          n,
        );
      },
    );
  });

  test('special values, equal values and negative zeros', () => {
    sweep({ rows: [1, 2, 5], n: [1, 4, 7], bias: [false, true], round: upTo(10) }, ({ rows, n, bias }) => {
      check(special(floats(rows * n)), special(floats(n)), bias ? special(floats(n)) : undefined, rows, n);
      check(
        numbers(rows * n).map(() => 3),
        floats(n),
        bias ? numbers(n).map(() => -0) : undefined,
        rows,
        n,
      );
    });
  });
});

describe('channel_affine_f32', () => {
  function check(
    x: readonly number[],
    outer: number,
    channels: number,
    inner: number,
    parameters: readonly (readonly number[])[],
  ): void {
    const [scale, offsets, means, variances] = parameters as [number[], number[], number[], number[]];
    const expected = x.map((x, i) => {
      const c = Math.floor(i / inner) % channels;
      return Math.fround((x - means[c]!) * (scale[c]! / Math.sqrt(variances[c]! + EPSILON)) + offsets[c]!);
    });
    const buffers = {
      scale: buffer('in', 1, channels, scale),
      variances: buffer('in', 1, channels, variances),
      means: buffer('in', 1, channels, means),
      offsets: buffer('in', 1, channels, offsets),
      factors: buffer('scratch', 1, 2 * channels),
    };
    const call = (at: Readonly<Record<keyof typeof buffers | 'x' | 'out', number>>) => {
      kernels.channel_factors(at.scale, at.variances, EPSILON, at.factors, channels);
      kernels.channel_affine_f32(at.x, at.factors, at.means, at.offsets, at.out, outer, channels, inner);
    };
    const source = buffer('in', 1, x.length, x);
    same(run({ ...buffers, x: source, out: buffer('out', 1, x.length) }, call).out, expected, 'out');
    same(
      run({ ...buffers, x: { ...source, role: 'out' } }, (at) => call({ ...at, out: at.x })).x,
      expected,
      'in place',
    );
  }

  test('every shape', () => {
    sweep({ outer: upTo(3, 0), channels: upTo(5, 0), inner: upTo(9, 0) }, ({ outer, channels, inner }) => {
      const variances = floats(channels).map(Math.abs);
      const parameters = [floats(channels), floats(channels), floats(channels), variances];
      check(floats(outer * channels * inner, 5), outer, channels, inner, parameters);
    });
  });

  test('special values', () => {
    sweep({ inner: [1, 4, 6], round: upTo(30) }, ({ inner }) => {
      check(
        special(floats(3 * inner)),
        1,
        3,
        inner,
        [1, 2, 3, 4].map(() => special(floats(3))),
      );
    });
  });
});
