import { describe, expect, test } from 'vitest';
import { crnn, keywords, picture } from '../scripts/image-models.mjs';
import { loadOnnx, ModelError, type OnnxResult } from '../src/onnx.ts';
import { readJson } from './support/fixtures.ts';
import { type Attribute, onnxFile, tensorProto } from './support/onnx-files.ts';

// Conv, ConvTranspose, pooling and BatchNormalization of one and two spatial axes, against ONNX Runtime (test/fixtures/onnx-windows).

interface Tensor {
  readonly dims: number[];
  readonly data: number[];
}
interface Case {
  readonly op: string;
  readonly opset: number;
  readonly attributes: Record<string, Attribute>;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
}

const cases: Case[] = await readJson('onnx-windows/cases.json');
const models: { name: 'crnn' | 'keywords'; dims: number[]; output: Tensor }[] =
  await readJson('onnx-windows/models.json');

interface Options {
  /** How many inputs are fed; the others are constants */
  readonly fed?: number;
  /** Whether the elements of the first input lie with channels last: it comes out of a Conv with one weight of 1 for each channel */
  readonly isTurned?: boolean;
  readonly quantize?: 8;
}

function run(
  { op, opset, attributes, inputs }: Omit<Case, 'output'>,
  { fed = 1, isTurned = false, quantize }: Options = {},
): OnnxResult {
  const feeds = inputs.slice(0, fed).map(({ dims, data }) => ({ dims, data: Float32Array.from(data) }));
  const constants = inputs.map(({ dims, data }, i) => tensorProto(`in${i}`, dims, Float32Array.from(data)));
  const names = inputs.map((_, i) => `in${i}`);
  const nodes = [{ op, inputs: isTurned ? ['turned', ...names.slice(1)] : names, outputs: ['y'], attributes }];
  const initializers = constants.slice(fed);
  if (isTurned) {
    const [, C, ...area] = inputs[0]!.dims as [number, number, ...number[]];
    const weights = Float32Array.from({ length: C * C }, (_, i) => Number(i % (C + 1) === 0));
    initializers.push(tensorProto('w', [C, C, ...area.map(() => 1)], weights));
    nodes.unshift({ op: 'Conv', inputs: ['in0', 'w'], outputs: ['turned'], attributes: {} });
  }
  const file = onnxFile(
    {
      nodes,
      inputs: { ...Object.fromEntries(names.slice(0, fed).map((name) => [name, undefined])), unused: [1] },
      outputs: { y: undefined },
      initializers,
    },
    opset,
  );
  const session = loadOnnx(file, quantize && { quantize });
  try {
    const fill = { unused: { dims: [1], data: new Float32Array(1) } };
    return session.run({ ...fill, ...Object.fromEntries(feeds.map((feed, i) => [`in${i}`, feed])) }).y!;
  } finally {
    session.dispose();
  }
}

function expectNear({ dims, data }: OnnxResult, expected: Tensor, tolerance: number, what: string): void {
  expect(dims, what).toEqual(expected.dims);
  expected.data.forEach((value, i) => {
    if (!(Math.abs((data[i] as number) - value) <= tolerance)) expect(data[i], what).toBe(value);
  });
}

const bits = ({ data }: OnnxResult) => [...new Uint32Array(data.buffer, data.byteOffset, data.length)];

describe('answers of ONNX Runtime', () => {
  for (const op of new Set(cases.map((one) => one.op))) {
    test(op, () => {
      for (const one of cases.filter((other) => other.op === op)) {
        const what = JSON.stringify(one);
        const largest = Math.max(1, ...one.output.data.map(Math.abs));
        const result = run(one);
        expectNear(result, one.output, 1e-6 * largest, what);
        // with weights that are fed, with all computed at load, and with channels last
        for (const options of [{ fed: one.inputs.length }, { fed: 0 }, { isTurned: true }]) {
          expect(bits(run(one, options)), what).toEqual(bits(result));
        }
      }
    });
  }

  for (const { name, dims, output } of models.filter((one) => ['crnn', 'keywords'].includes(one.name))) {
    test(`${name} of ${dims.join(' x ')}`, () => {
      const feeds = { x: { dims, data: picture(dims, dims[0]) } };
      const file = name === 'crnn' ? crnn() : keywords();
      const session = loadOnnx(file);
      expectNear(Object.values(session.run(feeds))[0]!, output, name === 'crnn' ? 2e-5 : 2e-6, name);
      session.dispose();
      const quantized = loadOnnx(file, { quantize: 8 });
      expectNear(Object.values(quantized.run(feeds))[0]!, output, name === 'crnn' ? 0.1 : 0.005, name);
      quantized.dispose();
    });
  }
});

describe('what ONNX Runtime has otherwise', () => {
  const node = (op: string, attributes: Record<string, Attribute>, dims: number[], ...data: number[]) =>
    run({ op, opset: 22, attributes, inputs: [{ dims, data }] });

  test('the largest number beside NaN is NaN, and of infinities alone -Infinity', () => {
    const two = { kernel_shape: [1, 2] };
    const { data } = node('MaxPool', two, [1, 1, 2, 4], 1, NaN, 2, 3, -Infinity, -Infinity, Infinity, 0);
    expect([...data]).toEqual([NaN, NaN, 3, -Infinity, Infinity, Infinity]);
    expect(Object.is(node('MaxPool', two, [1, 1, 1, 2], -0, 0).data[0], 0)).toBe(true);
    expect(Object.is(node('MaxPool', two, [1, 1, 1, 2], -0, -0).data[0], -0)).toBe(true);
  });

  test('SAME counts dilations: the result has the length of the input', () => {
    const attributes = { kernel_shape: [3], dilations: [2], auto_pad: 'SAME_UPPER' };
    const { data } = node('MaxPool', attributes, [1, 1, 6], 1, 2, 3, 6, 5, 4);
    expect([...data]).toEqual([3, 6, 5, 6, 5, 6]);
  });

  test('SAME of a kernel below its stride', () => {
    const { data } = node(
      'MaxPool',
      { kernel_shape: [1], strides: [2], auto_pad: 'SAME_LOWER' },
      [1, 1, 4],
      1,
      2,
      3,
      4,
    );
    expect([...data]).toEqual([1, 3]);
    const inputs = [
      { dims: [1, 1, 2], data: [3, 5] },
      { dims: [1, 1, 1], data: [2] },
    ];
    const attributes = { strides: [3], auto_pad: 'SAME_UPPER' };
    const spread = run({ op: 'ConvTranspose', opset: 11, attributes, inputs });
    expect([spread.dims, ...spread.data]).toEqual([[1, 1, 6], 6, 0, 0, 10, 0, 0]);
  });

  test('a mean is summed in float64', () => {
    const { data } = node('AveragePool', { kernel_shape: [3] }, [1, 1, 3], 3e38, 3e38, -3e38);
    expect([...data]).toEqual([Math.fround(Math.fround(3e38) / 3)]);
  });
});

test('a turned value beside one of more dims, whose axis 1 is another', () => {
  const weights = tensorProto('w', [2, 2, 1], Float32Array.of(1, 0, 0, 1));
  const file = onnxFile(
    {
      nodes: [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'] },
        { op: 'Add', inputs: ['c', 'b'], outputs: ['y'] },
      ],
      inputs: { x: undefined },
      outputs: { y: undefined },
      initializers: [weights, tensorProto('b', [2, 1, 1, 1], Float32Array.of(0, 100))],
    },
    13,
  );
  const session = loadOnnx(file);
  const y = session.run({ x: { dims: [1, 2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } }).y!;
  expect([y.dims, ...y.data]).toEqual([[2, 1, 2, 3], 1, 2, 3, 4, 5, 6, 101, 102, 103, 104, 105, 106]);
  session.dispose();
});

describe('refusals', () => {
  const x = { dims: [1, 2, 5, 5], data: Array<number>(50).fill(1) };
  const w = { dims: [2, 2, 3, 3], data: Array<number>(36).fill(1) };
  test.each<[string, Record<string, Attribute>, readonly Tensor[], RegExp]>([
    ['MaxPool', {}, [x], /MaxPool\).*kernel_shape/],
    ['MaxPool', { kernel_shape: [2, 2, 2] }, [x], /supported: MaxPool with 3 axes/],
    ['Conv', { kernel_shape: [1, 1, 1] }, [x, w], /supported: Conv with 3 axes/],
    ['MaxPool', { kernel_shape: [2, 2], pads: [2, 0, 0, 0] }, [x], /attribute pads expected less than kernel_shape/],
    ['MaxPool', { kernel_shape: [2, 2], pads: [1] }, [x], /attribute pads expected four sizes, got/],
    ['AveragePool', { kernel_shape: [2, 2], strides: [0, 1] }, [x], /attribute strides expected two sizes, got/],
    ['AveragePool', { kernel_shape: [2] }, [x], /X expected \[batch, channels, length\], got \[1, 2, 5, 5\]/],
    ['AveragePool', { kernel_shape: [7, 2] }, [x], /X expected at least 7 steps with their pads/],
    ['Conv', { pads: [0, 0, 0] }, [x, w], /attribute pads expected four sizes, got/],
    ['Conv', { dilations: [3, 1] }, [x, w], /X expected at least 7 steps with their pads/],
    ['Conv', { auto_pad: 'SAME' }, [x, w], /auto_pad expected NOTSET, VALID, SAME_UPPER, SAME_LOWER, got "SAME"/],
    ['ConvTranspose', { group: 3 }, [x, w], /group of 2 channels expected a divisor, got 3/],
    ['ConvTranspose', { output_padding: [1] }, [x, w], /attribute output_padding expected two sizes, got/],
    ['ConvTranspose', { pads: [9, 9, 9, 9] }, [x, w], /X expected more than 5 steps for these pads/],
    ['ConvTranspose', { strides: [2 ** 30, 2 ** 30] }, [x, w], /work|elements/],
    ['MaxPool', { kernel_shape: [2 ** 30, 1], pads: [2 ** 29, 0, 2 ** 29, 0] }, [x], /too-large|work in proportion/],
    ['GlobalMaxPool', {}, [{ dims: [1, 2, 0, 5], data: [] }], /X expected elements/],
  ])('%s %j', (op, attributes, inputs, message) => {
    const refused = () => run({ op, opset: 13, attributes, inputs });
    expect(refused).toThrow(ModelError);
    expect(refused).toThrow(message);
  });
});
