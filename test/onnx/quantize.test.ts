import { afterEach, describe, expect, it } from 'vitest';
import { bytesUsed, Conv1d, Linear, ModelError, type TensorLike } from '../../src/index.ts';
import { loadOnnx, type OnnxFeed, type OnnxOptions, type OnnxResult } from '../../src/onnx.ts';
import { bits } from '../support/bits.ts';
import { type Attribute, type GraphSpec, onnxFile } from '../support/onnx-files.ts';
import { INT8, initializer, largest, runGraph, tensor } from '../support/onnx-quantize.ts';
import { refusal } from '../support/refusals.ts';

// loadOnnx(bytes, { quantize: 8 }): the bits of Linear and Conv1d after quantize(), and float32 within the rounding of activations.

const used = bytesUsed();
afterEach(() => expect(bytesUsed(), 'bytes after dispose()').toBe(used));

/** Runs a node of input x and the constants w and b. */
function runNode(
  op: string,
  attributes: Record<string, Attribute>,
  x: TensorLike,
  w: TensorLike,
  b: TensorLike | undefined,
  options?: OnnxOptions,
): OnnxResult {
  const graph: GraphSpec = {
    nodes: [{ op, inputs: b ? ['x', 'w', 'b'] : ['x', 'w'], attributes }],
    inputs: { x: [...x.dims] },
    initializers: [initializer('w', w), ...(b ? [initializer('b', b)] : [])],
  };
  return runGraph(graph, { x: x as OnnxFeed }, options).y!;
}

function transposed({ data, dims: [rows = 0, columns = 0] }: TensorLike): TensorLike {
  const turned = Float32Array.from({ length: rows * columns }, (_, i) => {
    return data[(i % rows) * columns + Math.floor(i / rows)]!;
  });
  return { data: turned, dims: [columns, rows] };
}

const total = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + Math.abs(value), 0);

/**
 * Expects each of the outputs [rows][N] within what rounding to 14 bits may change: for each weight half a unit of the activations.
 * @param weight [N][K]
 */
function expectNear(actual: TensorLike, float: TensorLike, x: TensorLike, weight: TensorLike): void {
  const [N, K] = weight.dims as [number, number];
  expect(actual.dims).toEqual(float.dims);
  let differs = false;
  for (let row = 0; row < actual.data.length / N; row++) {
    const unit = largest(x.data.subarray(row * K, (row + 1) * K)) / 8191;
    for (let n = 0; n < N; n++) {
      const weights = total(weight.data.subarray(n * K, (n + 1) * K));
      const apart = Math.abs(actual.data[row * N + n]! - float.data[row * N + n]!);
      // and the rounding of float32 sums
      expect(apart).toBeLessThanOrEqual((0.5 * unit + 1e-6) * weights * 1.001 + 1e-6);
      differs ||= apart > 0;
    }
  }
  expect(differs).toBe(true);
}

describe('products', () => {
  it.each([
    { rows: 1, K: 257, N: 128 },
    { rows: 3, K: 5, N: 37 },
    // more rows than go through the kernel at once, to the result itself and by way of a buffer
    { rows: 700, K: 128, N: 16 },
    { rows: 700, K: 128, N: 20 },
    // two blocks of depth
    { rows: 2, K: 2100, N: 33 },
  ])('MatMul is Linear after quantize(): %o', ({ rows, K, N }) => {
    const [x, weight] = [tensor(1, rows, K), tensor(2, N, K)];
    const linear = Linear.fromStateDict({ weight });
    const small = linear.quantize();
    const y = runNode('MatMul', {}, x, transposed(weight), undefined, INT8);
    expect(bits(y as TensorLike)).toEqual(bits(small.forward(x)));
    const stands = small.stateDict().get('weight')!;
    expectNear(y as TensorLike, runNode('MatMul', {}, x, transposed(stands), undefined) as TensorLike, x, stands);
    for (const module of [linear, small]) module.dispose();
  });

  it.each([0, 1])('Gemm with transB %i is Linear after quantize(), with a bias', (transB) => {
    const [x, weight, bias] = [tensor(3, 4, 50), tensor(4, 30, 50), tensor(5, 30)];
    const linear = Linear.fromStateDict({ weight, bias });
    const small = linear.quantize();
    const y = runNode('Gemm', { transB }, x, transB ? weight : transposed(weight), bias, INT8);
    expect(bits(y as TensorLike)).toEqual(bits(small.forward(x)));
    const stands = small.stateDict().get('weight')!;
    const float = runNode('Gemm', { transB }, x, transB ? stands : transposed(stands), bias);
    expectNear(y as TensorLike, float as TensorLike, x, stands);
    for (const module of [linear, small]) module.dispose();
  });

  it('MatMul of a stack multiplies each row', () => {
    const [x, weight] = [tensor(6, 2, 3, 40), tensor(7, 18, 40)];
    const y = runNode('MatMul', {}, x, transposed(weight), undefined, INT8);
    const linear = Linear.fromStateDict({ weight });
    const small = linear.quantize();
    expect(y.dims).toEqual([2, 3, 18]);
    expect(bits(y as TensorLike)).toEqual(bits(small.forward(x)));
    for (const module of [linear, small]) module.dispose();
  });

  it.each([
    { C: 1, M: 258, kernel: 256, stride: 128, L: 640 },
    { C: 24, M: 32, kernel: 3, padding: 1, L: 30 },
    { C: 5, M: 7, kernel: 4, dilation: 3, L: 40, batch: 2 },
    { C: 12, M: 20, kernel: 3, groups: 4, padding: 2, stride: 2, L: 21, batch: 3 },
    { C: 40, M: 16, kernel: 1, L: 9, bias: false },
  ])('Conv is Conv1d after quantize(): %o', (sizes) => {
    const { C, M, kernel, L, stride = 1, padding = 0, dilation = 1, groups = 1, batch = 1, bias = true } = sizes;
    const conv = new Conv1d(C, M, kernel, { stride, padding, dilation, groups, bias, seed: 8 });
    const small = conv.quantize();
    const x = tensor(9, batch, C, L);
    const attributes = { strides: [stride], pads: [padding, padding], dilations: [dilation], group: groups };
    const of = (dict: ReadonlyMap<string, TensorLike>, options?: OnnxOptions) =>
      runNode('Conv', attributes, x, dict.get('weight')!, dict.get('bias'), options);
    const y = of(conv.stateDict(), INT8);
    const expected = small.forward(x);
    expect(y.dims).toEqual(expected.dims);
    expect(bits(y as TensorLike)).toEqual(bits(expected));
    const float = of(small.stateDict());
    // weights are below 1 / sqrt(K), activations below 1
    const bound = Math.sqrt((C / groups) * kernel) * (0.5 / 8191 + 1e-6);
    const apart = largest((y.data as Float32Array).map((value, i) => value - Number(float.data[i]!)));
    expect(apart).toBeLessThanOrEqual(bound);
    expect(apart).toBeGreaterThan(0);
    for (const module of [conv, small]) module.dispose();
  });
});

describe('memory', () => {
  /** Bytes of linear memory of a model. */
  function bytesOf(graph: GraphSpec, options?: OnnxOptions): number {
    const before = bytesUsed();
    const session = loadOnnx(onnxFile(graph), options);
    const bytes = bytesUsed() - before;
    session.dispose();
    return bytes;
  }
  const lstm = (count: number): GraphSpec => ({
    nodes: Array.from({ length: count }, (_, i) => ({
      op: 'LSTM',
      inputs: ['x', 'w', 'r'],
      outputs: ['', `h${i}`],
      attributes: { hidden_size: 256 },
    })),
    inputs: { x: [1, 1, 256] },
    outputs: { h0: undefined },
    initializers: [initializer('w', tensor(20, 1, 1024, 256)), initializer('r', tensor(21, 1, 1024, 256))],
  });
  const product = (op: string, w: TensorLike): GraphSpec => ({
    nodes: [{ op, inputs: ['x', 'w'] }],
    inputs: { x: ['batch', w.dims[1]!, 'length'].slice(0, w.dims.length) },
    initializers: [initializer('w', w)],
  });

  it.each<[string, GraphSpec]>([
    ['MatMul', product('MatMul', tensor(22, 512, 512))],
    ['Gemm', product('Gemm', tensor(22, 512, 512))],
    ['Conv', product('Conv', tensor(22, 512, 256, 2))],
    ['LSTM', lstm(1)],
  ])('of %s is about a quarter', (_, graph) => {
    const [float, small] = [bytesOf(graph), bytesOf(graph, INT8)];
    expect(small / float).toBeGreaterThan(0.25);
    expect(small / float).toBeLessThan(0.28);
  });

  it('of weights that nodes share is that of one', () => {
    expect(bytesOf(lstm(5), INT8)).toBe(bytesOf(lstm(1), INT8));
  });
});

describe('stays float32', () => {
  it.each<[string, Record<string, Attribute>, TensorLike, TensorLike]>([
    ['Conv', { group: 8 }, tensor(30, 1, 8, 20), tensor(31, 8, 1, 3)],
    // a matrix that is not packed
    ['MatMul', {}, tensor(30, 1, 1000), tensor(31, 1000, 1)],
  ])('%s %o', (op, attributes, x, w) => {
    const [float, small] = [undefined, INT8].map((options) => runNode(op, attributes, x, w, undefined, options));
    expect(bits(small as TensorLike)).toEqual(bits(float as TensorLike));
  });

  it('weights that are fed', () => {
    const graph: GraphSpec = { nodes: [{ op: 'MatMul', inputs: ['x', 'w'] }], inputs: { x: [2, 30], w: [30, 40] } };
    const feeds = { x: tensor(32, 2, 30), w: tensor(33, 30, 40) } as Record<string, OnnxFeed>;
    const [float, small] = [undefined, INT8].map((options) => runGraph(graph, feeds, options));
    expect(bits(small!.y as TensorLike)).toEqual(bits(float!.y as TensorLike));
  });

  it('what is computed at load, beside another node of the same matrix', () => {
    const graph: GraphSpec = {
      nodes: [
        { op: 'MatMul', inputs: ['k', 'w'], outputs: ['known'] },
        { op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] },
      ],
      inputs: { x: [1, 30] },
      outputs: { known: undefined, y: undefined },
      initializers: [initializer('k', tensor(34, 1, 30)), initializer('w', tensor(35, 30, 40))],
    };
    const feeds = { x: tensor(34, 1, 30) as OnnxFeed };
    const [float, small] = [undefined, INT8].map((options) => runGraph(graph, feeds, options));
    expect(bits(small!.known as TensorLike)).toEqual(bits(float!.known as TensorLike));
    expect(bits(small!.y as TensorLike)).not.toEqual(bits(float!.y as TensorLike));
  });
});

describe('refuses', () => {
  it.each<[string, Record<string, Attribute>, string, number[][]]>([
    ['MatMul', {}, 'B', [[30, 40]]],
    ['Gemm', { transB: 1 }, 'B', [[40, 30]]],
    ['Conv', {}, 'W', [[16, 3, 5]]],
    [
      'LSTM',
      { hidden_size: 4 },
      'W',
      [
        [1, 16, 30],
        [1, 16, 4],
      ],
    ],
    [
      'LSTM',
      { hidden_size: 4 },
      'R',
      [
        [1, 16, 30],
        [1, 16, 4],
      ],
    ],
  ])('a weight of %s %o that is not finite: %s', (op, attributes, what, dims) => {
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      const weights = dims.map((each, i) => tensor(40 + i, ...each));
      weights[what === 'R' ? 1 : 0]!.data[7] = value;
      const names = weights.map((_, i) => `w${i}`);
      const file = onnxFile({
        nodes: [{ op, name: 'it', inputs: ['x', ...names], attributes }],
        inputs: { x: ['batch', 'length', 'features'] },
        initializers: weights.map((weight, i) => initializer(names[i]!, weight)),
      });
      const error = refusal(() => loadOnnx(file, INT8));
      expect(error).toBeInstanceOf(ModelError);
      expect(error.message).toBe(`onnx: node "it" (${op}): ${what} expected finite weights to quantize, got ${value}`);
      expect(error).toMatchObject({ code: 'not-finite', path: `node "it" (${op})`, found: value });
      loadOnnx(file).dispose();
    }
  });

  it.each([16, 4, 8.5, Number.NaN])('%d bits', (quantize) => {
    const load = () =>
      loadOnnx(onnxFile({ nodes: [{ op: 'Relu', inputs: ['x'] }], inputs: { x: [1] } }), {
        quantize: quantize as 8,
      });
    expect(load).toThrow(RangeError);
    expect(load).toThrow(`loadOnnx: "quantize" expected 8, got ${quantize}`);
  });

  it.each(['8', true, null, 8n])('%o, which is no number', (quantize) => {
    const load = () =>
      loadOnnx(onnxFile({ nodes: [{ op: 'Relu', inputs: ['x'] }], inputs: { x: [1] } }), {
        quantize: quantize as never,
      });
    expect(load).toThrow(TypeError);
    expect(load).toThrow('loadOnnx: "quantize" expected 8, got');
  });

  it('nothing that is left out', () => {
    const x = tensor(50, 1, 30);
    const w = tensor(51, 30, 40);
    const [float, same] = [undefined, { quantize: undefined }].map((each) =>
      runNode('MatMul', {}, x, w, undefined, each),
    );
    expect(bits(same as TensorLike)).toEqual(bits(float as TensorLike));
  });
});
