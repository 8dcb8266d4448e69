import { expect, it } from 'vitest';
import { loadOnnx, ModelError } from '../../src/onnx.ts';
import { type GraphSpec, onnxFile, tensorProto } from '../support/onnx-files.ts';
import { soon } from '../support/work.ts';

// A size of 0 makes a product of 0 and hides the sizes beside it: each is bounded by itself, and what is made is counted.

const HUGE = 2 ** 31 - 1;
const none = new Float32Array();
const shape = (name: string, ...sizes: number[]) =>
  tensorProto(name, [sizes.length], BigInt64Array.from(sizes, BigInt));
const zeros = (name: string, ...dims: number[]) => {
  return tensorProto(name, dims, new Float32Array(dims.reduce((count, size) => count * size, 1)));
};
const load = (graph: GraphSpec) => soon(() => loadOnnx(onnxFile(graph)));
const codeOf = (call: () => unknown): unknown => {
  try {
    call();
  } catch (error) {
    return error instanceof ModelError ? error.code : error;
  }
  return 'no error';
};

it.each([2, 100_000_000, 2 ** 31, 2 ** 40])('Conv without channels refuses a group of %d', (group) => {
  const graph: GraphSpec = {
    nodes: [{ op: 'Conv', inputs: ['x', 'w'], attributes: { group } }],
    inputs: { x: [1, 0, 5] },
    initializers: [tensorProto('w', [0, 0, 1], none)],
  };
  expect(codeOf(() => load(graph))).toBe('wrong-attribute');
});

it('Conv without channels of input gives its bias, however many groups it has', () => {
  const conv = (M: number): GraphSpec => ({
    nodes: [{ op: 'Conv', inputs: ['x', 'w'], attributes: { group: M } }],
    inputs: { x: [1, 0, 2] },
    initializers: [tensorProto('w', [M, 0, 1], none)],
  });
  const feeds = { x: { data: none, dims: [1, 0, 2] } };
  expect(load(conv(3)).run(feeds).y).toMatchObject({ dims: [1, 3, 2], data: new Float32Array(6) });
  const session = load(conv(HUGE));
  expect(codeOf(() => soon(() => session.run(feeds)))).toBe('too-large');
});

it('LSTM without steps counts its states', () => {
  const weights = [zeros('w', 1, 4, 1), zeros('r', 1, 4, 1)];
  const lstm = { op: 'LSTM', inputs: ['x', 'w', 'r'], outputs: ['', 'y'], attributes: { hidden_size: 1 } };
  const fed = load({ nodes: [lstm], inputs: { x: [0, 'batch', 1] }, initializers: weights });
  const run = (batch: number) => soon(() => fed.run({ x: { data: none, dims: [0, batch, 1] } }));
  expect(run(3).y).toMatchObject({ dims: [1, 3, 1], data: new Float32Array(3) });
  expect(codeOf(() => run(HUGE))).toBe('too-large');
  expect(codeOf(() => run(50_000_000))).toBe('too-large');
  // by constants, at load: too much to fold, so that it is left to the run, which refuses it
  const made = { op: 'ConstantOfShape', inputs: ['s'], outputs: ['x'] };
  const folded = load({ nodes: [made, lstm], inputs: { z: [1] }, initializers: [...weights, shape('s', 0, HUGE, 1)] });
  expect(codeOf(() => folded.run({ z: { data: Float32Array.of(0), dims: [1] } }))).toBe('too-large');
});

it.each([
  ['MatMul', [0, HUGE]],
  ['Gemm', [0, HUGE]],
  ['MatMul', [HUGE, 0]],
  ['Gemm', [HUGE, 0]],
])('%s packs no empty matrix %j', (op, dims) => {
  const nodes = Array.from({ length: 20 }, (_, i) => ({ op, inputs: ['x', 'm'], outputs: [i ? `y${i}` : 'y'] }));
  const session = load({ nodes, inputs: { x: [1, dims[0]!] }, initializers: [tensorProto('m', dims, none)] });
  const feeds = { x: { data: none, dims: [1, dims[0]!] } };
  if (dims[0] === 0) expect(codeOf(() => soon(() => session.run(feeds)))).toBe('too-large');
  else expect(() => session.run(feeds)).toThrow(RangeError);
  session.dispose();
});

it('MatMul by a matrix without rows gives zeros', () => {
  const nodes = [{ op: 'MatMul', inputs: ['x', 'm'] }];
  const session = load({ nodes, inputs: { x: [2, 0] }, initializers: [tensorProto('m', [0, 3], none)] });
  const { y } = session.run({ x: { data: none, dims: [2, 0] } });
  expect(y).toMatchObject({ dims: [2, 3], data: new Float32Array(6) });
});

it.each([[[0, 1, 3, 2 ** 26]], [[0, 2 ** 16, 2 ** 20]], [[0, HUGE, HUGE, HUGE]]])(
  'LayerNormalization of nothing, dims %j, makes nothing',
  (dims) => {
    const session = load({
      nodes: [{ op: 'LayerNormalization', inputs: ['x', 's'], attributes: { axis: 1 } }],
      inputs: { x: dims },
      initializers: [zeros('s', 1)],
    });
    expect(soon(() => session.run({ x: { data: none, dims } })).y).toEqual({ type: 'float32', dims, data: none });
  },
);

it.each<[string, GraphSpec]>([
  [
    'Flatten',
    { nodes: [{ op: 'Flatten', inputs: ['x'], attributes: { axis: 3 } }], inputs: { x: [HUGE, HUGE, 2, 0] } },
  ],
  [
    'Reshape',
    {
      nodes: [{ op: 'Reshape', inputs: ['x', 's'], attributes: { allowzero: 1 } }],
      inputs: { x: [HUGE, HUGE, 2, 0] },
      initializers: [shape('s', 0, 2 ** 40)],
    },
  ],
  [
    'Tile',
    {
      nodes: [{ op: 'Tile', inputs: ['x', 's'] }],
      inputs: { x: [HUGE, HUGE, 2, 0] },
      initializers: [shape('s', 2, 1, 1, 1)],
    },
  ],
  [
    'Pad',
    {
      nodes: [{ op: 'Pad', inputs: ['x', 's'] }],
      inputs: { x: [HUGE, HUGE, 2, 0] },
      initializers: [shape('s', 0, 0, 2 ** 40, 0, 0, 0, 0, 0)],
    },
  ],
])('%s gives no size above 2^31 - 1, even beside 0', (_, graph) => {
  const session = load(graph);
  const dims = [HUGE, HUGE, 2, 0];
  expect(codeOf(() => soon(() => session.run({ x: { data: none, dims } })))).toBe('too-large');
});

it('Unsqueeze refuses more axes than a value may have, in proportion to the file', () => {
  const axes = Array.from({ length: 200_000 }, (_, i) => i);
  const graph: GraphSpec = {
    nodes: [{ op: 'Unsqueeze', inputs: ['x', 's'] }],
    inputs: { x: [] },
    initializers: [tensorProto('s', [axes.length], BigInt64Array.from(axes, BigInt))],
  };
  expect(codeOf(() => load(graph).run({ x: { data: Float32Array.of(1), dims: [] } }))).toBe('unsupported');
});

it('a feed has at most 8 sizes of at most 2^31 - 1', () => {
  const session = load({ nodes: [{ op: 'Identity', inputs: ['x'] }], inputs: { x: undefined } });
  const run = (dims: number[]) => () => session.run({ x: { data: none, dims } });
  expect(run([0, 2 ** 31])).toThrow(RangeError);
  expect(run(Array(9).fill(0))).toThrow(/at most 8 sizes of at most 2147483647, got \[0, 0/);
});
