import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Conv1d, type Conv1dOptions, LayerNorm, type TensorLike } from '../src/index.ts';
import { uniforms } from './support/random.ts';

function tensor(dims: readonly number[], seed = 1): TensorLike {
  const next = uniforms(seed);
  return { data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 2 * next() - 1), dims };
}

/** torch.nn.Conv1d as its page defines it, in float64, for (N, C, L). */
function convolve(conv: Conv1d, { data, dims }: TensorLike): { values: number[]; dims: number[] } {
  const { inChannels, outChannels, kernelSize, stride, dilation, groups } = conv;
  const [N, , L] = dims as [number, number, number];
  const reach = dilation * (kernelSize - 1);
  const same = conv.padding === 'same';
  const left = same ? Math.floor(reach / 2) : conv.padding === 'valid' ? 0 : (conv.padding as number);
  const right = same ? reach - left : left;
  const steps = Math.floor((L + left + right - reach - 1) / stride) + 1;
  const weight = conv.stateDict().get('weight')!.data;
  const bias = conv.stateDict().get('bias')?.data;
  const [ins, outs] = [inChannels / groups, outChannels / groups];
  const values: number[] = [];
  for (let n = 0; n < N; n++) {
    for (let o = 0; o < outChannels; o++) {
      for (let t = 0; t < steps; t++) {
        let sum = bias?.[o] ?? 0;
        for (let c = 0; c < ins; c++) {
          for (let k = 0; k < kernelSize; k++) {
            const at = t * stride + k * dilation - left;
            const channel = Math.floor(o / outs) * ins + c;
            if (at >= 0 && at < L) {
              sum += weight[(o * ins + c) * kernelSize + k]! * data[(n * inChannels + channel) * L + at]!;
            }
          }
        }
        values.push(sum);
      }
    }
  }
  return { values, dims: [N, outChannels, steps] };
}

function expectNear(actual: TensorLike, expected: { values: number[]; dims: number[] }, bound: number): void {
  expect(actual.dims).toEqual(expected.dims);
  actual.data.forEach((value, i) => {
    if (!(Math.abs(value - expected.values[i]!) <= bound)) throw new Error(`[${i}]: ${value}, ${expected.values[i]}`);
  });
}

describe('Conv1d', () => {
  test('an example by hand', () => {
    const conv = new Conv1d(2, 1, 2);
    conv.loadStateDict({
      weight: { data: Float32Array.of(1, 2, 10, 20), dims: [1, 2, 2] },
      bias: { data: Float32Array.of(0.5), dims: [1] },
    });
    const { data, dims } = conv.forward({ data: Float32Array.of(1, 2, 3, 4, 5, 6), dims: [2, 3] });
    expect(dims).toEqual([1, 2]);
    // 1 + 2 * 2 + 10 * 4 + 20 * 5, and a step later
    expect([...data]).toEqual([145.5, 178.5]);
  });

  test('has the definition of PyTorch, for every option', () => {
    const model = fc.record({
      ins: fc.integer({ min: 1, max: 5 }),
      outs: fc.integer({ min: 1, max: 19 }),
      groups: fc.integer({ min: 1, max: 3 }),
      kernelSize: fc.integer({ min: 1, max: 6 }),
      stride: fc.integer({ min: 1, max: 4 }),
      padding: fc.oneof(fc.integer({ min: 0, max: 7 }), fc.constantFrom('same', 'valid')),
      dilation: fc.integer({ min: 1, max: 3 }),
      bias: fc.boolean(),
      N: fc.integer({ min: 0, max: 3 }),
      L: fc.integer({ min: 0, max: 40 }),
      seed: fc.nat(),
    });
    let refused = 0;
    fc.assert(
      fc.property(model, ({ ins, outs, groups, kernelSize, N, L, seed, ...rest }) => {
        const stride = rest.padding === 'same' ? 1 : rest.stride;
        const options = { ...rest, stride, groups, seed } as Conv1dOptions;
        const conv = new Conv1d(ins * groups, outs * groups, kernelSize, options);
        const quantized = conv.quantize();
        const input = tensor([N, ins * groups, L], seed);
        const expected = convolve(conv, input);
        if (expected.dims[2]! < 1) {
          expect(() => conv.forward(input)).toThrow(/Conv1d: "input" expected at least \d+ steps, got/);
          refused++;
        } else {
          expectNear(conv.forward(input), expected, 1e-6);
          expectNear(quantized.forward(input), convolve(quantized, input), 3e-4);
          expect(conv.forward(tensor([ins * groups, L])).dims).toEqual(expected.dims.slice(1));
        }
        quantized.dispose();
        conv.dispose();
      }),
      { seed: 20250101, numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(5);
  });

  test('many steps go in pieces', () => {
    const conv = new Conv1d(40, 33, 5, { padding: 2, seed: 1 });
    const input = tensor([1, 40, 3001]);
    expectNear(conv.forward(input), convolve(conv, input), 2e-6);
  });

  test('state dicts round trip, float and 8-bit', () => {
    const conv = new Conv1d(4, 6, 3, { groups: 2, seed: 1 });
    expect([...conv.stateDict('a.').entries()].map(([key, { dims }]) => [key, dims])).toEqual([
      ['a.weight', [6, 2, 3]],
      ['a.bias', [6]],
    ]);
    const other = new Conv1d(4, 6, 3, { groups: 2, seed: 2 });
    other.loadStateDict(conv.stateDict('a.'), 'a.');
    expect(other.stateDict()).toEqual(conv.stateDict());
    const quantized = new Conv1d(4, 6, 3, { groups: 2, seed: 3 }).quantize();
    quantized.loadStateDict(conv.quantizedStateDict());
    expect(quantized.quantizedStateDict()).toEqual(conv.quantizedStateDict());
    expect(quantized.stateDict().get('bias')).toEqual(conv.stateDict().get('bias'));
  });

  test('initial values lie within 1 / sqrt(inChannels / groups * kernelSize), in the order of the state dict', () => {
    const next = uniforms(5);
    for (const { data } of new Conv1d(4, 6, 3, { groups: 2, seed: 5 }).stateDict().values()) {
      for (const value of data) expect(value).toBeCloseTo((2 * next() - 1) / Math.sqrt(6), 6);
    }
  });

  test.each<[args: unknown[], message: string]>([
    [[0, 1, 1], 'Conv1d: "inChannels" expected an integer from 1 to 2147483647, got 0'],
    [[1, 1, 1.5], 'Conv1d: "kernelSize" expected an integer from 1 to 2147483647, got 1.5'],
    [[4, 6, 1, { groups: 4 }], 'Conv1d: "groups" expected a divisor of 4 and 6 channels, got 4'],
    [[1, 1, 1, { padding: -1 }], 'Conv1d: "padding" expected an integer from 0 to 2147483647, got -1'],
    [[1, 1, 3, { padding: 'same', stride: 2 }], 'Conv1d: "stride" expected 1 with padding "same", got 2'],
    [[1, 1, 1, { padding: 'full' }], 'Conv1d: "padding" expected an integer from 0 to 2147483647, got "full"'],
    [[1, 1, 1, { bias: 1 }], 'Conv1d: "bias" expected a boolean, got 1'],
    [[1, 1, 1, { paddingMode: 'zeros' }], 'Conv1d: unknown option "paddingMode"'],
  ])('refuses %j', (args, message) => {
    expect(() => new (Conv1d as any)(...args)).toThrow(message);
  });

  test('refuses a wrong input', () => {
    const conv = new Conv1d(2, 3, 2);
    for (const dims of [[6], [3, 2], [1, 1, 2, 3]]) {
      expect(() => conv.forward(tensor(dims))).toThrow(/Conv1d: "input" expected \[N, 2, L\] or \[2, L\], got/);
    }
    conv.dispose();
    expect(() => conv.forward(tensor([2, 3]))).toThrow('Conv1d: used after dispose()');
  });
});

describe('LayerNorm', () => {
  const normalize = (norm: LayerNorm, { data, dims }: TensorLike) => {
    const count = norm.normalizedShape.reduce((a, b) => a * b, 1);
    const weight = norm.stateDict().get('weight')?.data;
    const bias = norm.stateDict().get('bias')?.data;
    const values = Array.from(data, (_, i) => {
      const first = i - (i % count);
      const part = [...data.subarray(first, first + count)];
      const mean = part.reduce((a, b) => a + b) / count;
      const variance = part.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count;
      return (
        ((data[i]! - mean) / Math.sqrt(variance + norm.eps)) * (weight?.[i % count] ?? 1) + (bias?.[i % count] ?? 0)
      );
    });
    return { values, dims: [...dims] };
  };

  test.each([
    [5, {}, [3, 2, 5]],
    [[2, 3], { eps: 0.1 }, [4, 2, 3]],
    [7, { bias: false }, [7]],
    [4, { elementwiseAffine: false }, [2, 4]],
    [4, {}, [0, 4]],
  ] as const)('of %j with %j', (shape, options, dims) => {
    const norm = new LayerNorm(shape, options);
    for (const [k, { data }] of [...norm.stateDict().values()].entries()) {
      expect(new Set(data)).toEqual(new Set([1 - k]));
    }
    const keys = options && 'elementwiseAffine' in options ? [] : 'bias' in options ? ['weight'] : ['weight', 'bias'];
    const weights = new Map(keys.map((key, k) => [key, tensor([shape].flat(), k + 7)]));
    norm.loadStateDict(weights);
    expect(norm.stateDict()).toEqual(weights);
    const input = tensor(dims);
    expectNear(norm.forward(input), normalize(norm, input), 1e-6);
    norm.dispose();
    expect(() => norm.forward(input)).toThrow('LayerNorm: used after dispose()');
  });

  test('a large mean does not spoil the variance', () => {
    const norm = new LayerNorm(3);
    const input = { data: Float32Array.of(10_000, 10_001, 10_002), dims: [3] };
    expectNear(norm.forward(input), normalize(norm, input), 1e-6);
  });

  test.each<[args: unknown[], message: string]>([
    [[0], 'LayerNorm: "normalizedShape" expected an integer from 1 to 2147483647, got 0'],
    [[[]], 'LayerNorm: "normalizedShape" expected at least one size, got []'],
    [['3'], 'LayerNorm: "normalizedShape" expected an integer from 1 to 2147483647, got "3"'],
    [[3, { eps: -1 }], 'LayerNorm: "eps" expected a number from 0, got -1'],
    [[3, { eps: '0' }], 'LayerNorm: "eps" expected a number from 0, got "0"'],
    [[3, { affine: true }], 'LayerNorm: unknown option "affine"'],
  ])('refuses %j', (args, message) => {
    expect(() => new (LayerNorm as any)(...args)).toThrow(message);
  });

  test('refuses a wrong input', () => {
    expect(() => new LayerNorm([2, 3]).forward(tensor([3]))).toThrow(
      'LayerNorm: "input" expected [..., 2, 3], got [3]',
    );
  });
});
