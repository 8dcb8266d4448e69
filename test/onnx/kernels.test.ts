import { describe, expect, inject, test } from 'vitest';
import { loadOnnx } from '../../src/onnx.ts';
import { onnxDigest } from '../support/onnx-digest.ts';
import { onnxFile, tensorProto } from '../support/onnx-files.ts';
import { uniforms } from '../support/random.ts';

const floats = (...values: number[]) => Float32Array.from(values);

test('products have the bits of the kernel in every shape, whether the matrix is constant or fed', () => {
  const next = uniforms(5);
  const numbers = (count: number) => Float32Array.from({ length: count }, () => next() - 0.5);
  for (const [M, K, N] of [
    [1, 1, 1],
    [3, 5, 7],
    [2, 300, 17],
    [5, 4099, 33],
    [70, 9, 130],
    [1, 5000, 1],
    [2, 0, 3],
    [0, 2, 3],
  ] as const) {
    const a = { data: numbers(M * K), dims: [M, K] };
    const b = { data: numbers(K * N), dims: [K, N] };
    const results = [true, false].map((constant) => {
      const session = loadOnnx(
        onnxFile({
          nodes: [{ op: 'MatMul', inputs: ['a', 'b'] }],
          inputs: { a: ['m', 'k'], ...(!constant && { b: ['k', 'n'] }) },
          initializers: constant ? [tensorProto('b', b.dims, b.data)] : [],
        }),
      );
      const { y } = session.run(constant ? { a } : { a, b });
      session.dispose();
      return y!;
    });
    expect(results[0]).toEqual(results[1]);
    const { data, dims } = results[0]!;
    expect(dims).toEqual([M, N]);
    for (let i = 0; i < M; i++) {
      for (let j = 0; j < N; j++) {
        let sum = 0;
        for (let k = 0; k < K; k++) sum += a.data[i * K + k]! * b.data[k * N + j]!;
        expect(Math.abs((data[i * N + j] as number) - sum)).toBeLessThanOrEqual(1e-6 * Math.sqrt(K + 1));
      }
    }
  }
});

test('convolutions of every shape give what plain loops give', () => {
  const next = uniforms(6);
  const numbers = (count: number) => Float32Array.from({ length: count }, () => next() - 0.5);
  for (const [C, M, kernel, stride, dilation, before, after, group, length] of [
    [1, 1, 1, 1, 1, 0, 0, 1, 4],
    [3, 5, 3, 2, 1, 1, 1, 1, 9],
    [4, 6, 2, 1, 3, 0, 2, 2, 11],
    [6, 6, 3, 1, 1, 2, 0, 6, 7],
    [200, 200, 3, 1, 1, 1, 1, 200, 5],
    [7, 7, 3, 2, 2, 3, 1, 7, 12],
    [17, 33, 5, 3, 2, 4, 4, 1, 40],
  ] as const) {
    const x = { data: numbers(2 * C * length), dims: [2, C, length] };
    const w = { data: numbers((M * C * kernel) / group), dims: [M, C / group, kernel] };
    const bias = { data: numbers(M), dims: [M] };
    const results = [true, false].map((constant) => {
      const session = loadOnnx(
        onnxFile({
          nodes: [
            {
              op: 'Conv',
              inputs: ['x', 'w', 'b'],
              attributes: { strides: [stride], dilations: [dilation], pads: [before, after], group },
            },
          ],
          inputs: { x: ['n', 'c', 'l'], b: [M], ...(!constant && { w: w.dims }) },
          initializers: constant ? [tensorProto('w', w.dims, w.data)] : [],
        }),
      );
      const { y } = session.run({ x, b: bias, ...(!constant && { w }) });
      session.dispose();
      return y!;
    });
    expect(results[0]).toEqual(results[1]);
    const positions = Math.floor((length + before + after - (kernel - 1) * dilation - 1) / stride) + 1;
    expect(results[0]!.dims).toEqual([2, M, positions]);
    let at = 0;
    for (let n = 0; n < 2; n++) {
      for (let m = 0; m < M; m++) {
        for (let p = 0; p < positions; p++) {
          let sum = bias.data[m]!;
          const first = Math.floor(m / (M / group)) * (C / group);
          for (let c = 0; c < C / group; c++) {
            for (let k = 0; k < kernel; k++) {
              const i = p * stride - before + k * dilation;
              if (i >= 0 && i < length)
                sum += w.data[(m * (C / group) + c) * kernel + k]! * x.data[(n * C + first + c) * length + i]!;
            }
          }
          expect(Math.abs((results[0]!.data[at++] as number) - sum)).toBeLessThanOrEqual(2e-6);
        }
      }
    }
  }
});

describe('kernels', () => {
  const unary = (op: string, x: Float32Array) => {
    const session = loadOnnx(onnxFile({ nodes: [{ op, inputs: ['x'] }], inputs: { x: ['n'] } }));
    const { y } = session.run({ x: { data: x, dims: [x.length] } });
    session.dispose();
    return y!.data as Float32Array;
  };
  const grid = Float32Array.from({ length: 100_001 }, (_, i) => (i - 50_000) / 450);

  test('exp and log are the nearest float32', () => {
    const exp = unary('Exp', grid);
    const log = unary('Log', exp);
    let wrong = 0;
    for (const [i, x] of grid.entries()) {
      if (exp[i] !== Math.fround(Math.exp(x))) wrong++;
      if (log[i] !== Math.fround(Math.log(exp[i]!))) wrong++;
    }
    // a value within 1e-8 of the middle between two floats may be rounded either way
    expect(wrong).toBeLessThanOrEqual(2);
    expect(unary('Exp', floats(0, -0, Infinity, -Infinity, NaN, 88.8, -104))).toEqual(
      floats(1, 1, Infinity, 0, NaN, Infinity, 0),
    );
    expect(unary('Log', floats(0, -0, 1, Infinity, -1, NaN, 1e-45))).toEqual(
      floats(-Infinity, -Infinity, 0, Infinity, NaN, NaN, Math.log(2 ** -149)),
    );
  });

  test('pow has the special values of IEEE 754', () => {
    const values = [
      0,
      -0,
      1,
      -1,
      2,
      -2,
      3,
      -3,
      0.5,
      -0.5,
      Infinity,
      -Infinity,
      NaN,
      1e-45,
      3e38,
      16777216,
      -16777215,
      2.5,
      -1.5,
    ];
    const session = loadOnnx(
      onnxFile({ nodes: [{ op: 'Pow', inputs: ['x', 'e'] }], inputs: { x: ['n', 1], e: ['m'] } }),
    );
    const x = Float32Array.from(values);
    const { y } = session.run({ x: { data: x, dims: [x.length, 1] }, e: { data: x, dims: [x.length] } });
    session.dispose();
    let at = 0;
    for (const base of x) {
      for (const exponent of x) {
        // JavaScript alone makes NaN of these
        const one = base === 1 || (Math.abs(base) === 1 && Math.abs(exponent) === Infinity);
        const expected = one ? 1 : Math.fround(base ** exponent);
        expect([base, exponent, y!.data[at++]]).toEqual([base, exponent, expected]);
      }
    }
  });

  test('log softmax of large, equal and infinite values', () => {
    expect(unary('LogSoftmax', floats(1000, 1000, -Infinity))[0]).toBeCloseTo(-Math.log(2), 6);
    expect(unary('LogSoftmax', floats(-Infinity, -Infinity))).toEqual(floats(NaN, NaN));
    expect(unary('LogSoftmax', floats(1, NaN))).toEqual(floats(NaN, NaN));
  });
});

test('integers are exact beyond 2^53 and wrap at 64 bits', () => {
  const session = loadOnnx(
    onnxFile({
      nodes: [
        { op: 'Add', inputs: ['a', 'b'], outputs: ['sum'] },
        { op: 'Mul', inputs: ['a', 'b'], outputs: ['product'] },
        { op: 'Div', inputs: ['a', 'b'], outputs: ['quotient'] },
        { op: 'Cast', inputs: ['a'], outputs: ['float'], attributes: { to: 1 } },
      ],
      inputs: { a: ['n'], b: ['n'] },
      types: { a: 7, b: 7, sum: 7, product: 7, quotient: 7 },
      outputs: { sum: undefined, product: undefined, quotient: undefined, float: undefined },
    }),
  );
  // 2^60 + 2^36 + 1 lies above the middle of two float32, its float64 on it
  const a = BigInt64Array.of(2n ** 62n + 1n, -7n, 2n ** 60n + 2n ** 36n + 1n, -(2n ** 63n));
  const b = BigInt64Array.of(2n ** 62n, 2n, 3n, 1n);
  const results = session.run({ a: { data: a, dims: [4] }, b: { data: b, dims: [4] } });
  expect(results.sum!.data).toEqual(BigInt64Array.from(a, (x, i) => x + b[i]!));
  expect(results.product!.data).toEqual(BigInt64Array.from(a, (x, i) => x * b[i]!));
  expect(results.quotient!.data).toEqual(BigInt64Array.from(a, (x, i) => x / b[i]!));
  expect(results.float!.data).toEqual(floats(2 ** 62, -7, 2 ** 60 + 2 ** 37, -(2 ** 63)));
  const zero = { data: BigInt64Array.of(0n, 1n, 1n, 1n), dims: [4] };
  expect(() => session.run({ a: { data: a, dims: [4] }, b: zero })).toThrow(
    /Div\): divisor of integers expected not 0, got 0$/,
  );
  session.dispose();
});

test('gives the same bits on every engine', () => {
  expect(onnxDigest()).toBe(inject('onnxDigest'));
});
