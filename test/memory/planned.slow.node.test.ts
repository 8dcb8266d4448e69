import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bytesUsed } from '../../src/index.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { loadOnnx, type OnnxFeed, type OnnxResult } from '../../src/onnx.ts';
import { bytesPerCall } from '../support/garbage.ts';
import { graphProto, type NodeSpec, onnxFile, tensorProto } from '../support/onnx-files.ts';

// A run of an ONNX model whose outputs are written to tensors of the caller's makes no garbage.

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));
const floats = (...dims: number[]): OnnxFeed => {
  const count = dims.reduce((a, b) => a * b, 1);
  return { data: Float32Array.from({ length: count }, (_, i) => Math.sin(i)), dims };
};
const int64 = (dims: number[], ...values: number[]): OnnxFeed => ({ data: BigInt64Array.from(values, BigInt), dims });

/** Runs a model again and again into its first results, with one set of feeds after the other. */
function into(file: Uint8Array, ...variants: Record<string, OnnxFeed>[]): () => void {
  const session = loadOnnx(file);
  const calls = variants.map((feeds) => [feeds, { out: session.run(feeds) as Record<string, OnnxResult> }] as const);
  let turn = 0;
  return () => {
    const [feeds, options] = calls[turn++ % calls.length]!;
    session.run(feeds, options);
  };
}

/** Runs a stream again and again into its first results. */
function stream(file: Uint8Array, states: Record<string, string>, feeds: Record<string, OnnxFeed>): () => void {
  const own = loadOnnx(file).stream(states);
  const options = { out: own.run(feeds) as Record<string, OnnxResult> };
  return () => {
    own.run(feeds, options);
  };
}

/** A model of one input x, unless others are named. */
const model = (nodes: NodeSpec[], initializers: Uint8Array[] = [], inputs: Record<string, (number | string)[]> = {}) =>
  onnxFile({
    nodes,
    initializers,
    inputs: { x: ['n', 4], ...inputs },
    types: { index: 7, sr: 7, yes: 9, top: 7, many: 7 },
    outputs: { [nodes.at(-1)!.outputs?.[0] ?? 'y']: undefined },
  });
const constant = (name: string, ...dims: number[]) => tensorProto(name, dims, floats(...dims).data);
const list = (name: string, ...values: number[]) =>
  tensorProto(name, [values.length], BigInt64Array.from(values, BigInt));

const chain = model(
  [
    { op: 'Relu', inputs: ['x'], outputs: ['a'] },
    { op: 'Add', inputs: ['a', 'x'], outputs: ['b'] },
    { op: 'Mul', inputs: ['b', 'c'], outputs: ['d'] },
    { op: 'Tanh', inputs: ['d'], outputs: ['e'] },
    { op: 'Clip', inputs: ['e'], outputs: ['f'] },
    { op: 'Softmax', inputs: ['f'], outputs: ['y'] },
  ],
  [constant('c', 4)],
);

const shapes = model(
  [
    { op: 'Slice', inputs: ['x', 'one', 'end', 'one', 'two'], outputs: ['a'] },
    { op: 'Transpose', inputs: ['a'], outputs: ['b'], attributes: { perm: [1, 0] } },
    { op: 'Concat', inputs: ['b', 'b'], outputs: ['c'], attributes: { axis: 0 } },
    { op: 'Pad', inputs: ['c', 'pads'], outputs: ['d'], attributes: { mode: 'edge' } },
    { op: 'ReduceSum', inputs: ['d', 'one'], outputs: ['e'] },
    { op: 'Tile', inputs: ['e', 'pair'], outputs: ['f'] },
    { op: 'Expand', inputs: ['f', 'wide'], outputs: ['g'] },
    { op: 'Gather', inputs: ['g', 'two'], outputs: ['y'], attributes: { axis: 2 } },
  ],
  [list('one', 1), list('end', 9), list('two', 2), list('pads', 1, 1, 1, 0), list('pair', 1, 3), list('wide', 2, 1, 1)],
);

const lstm = model(
  [
    {
      op: 'LSTM',
      inputs: ['x', 'W', 'R', 'B'],
      outputs: ['h', '', 'c'],
      attributes: { hidden_size: 5, direction: 'reverse' },
    },
    { op: 'Squeeze', inputs: ['h', 'one'], outputs: ['s'] },
    { op: 'MatMul', inputs: ['s', 'M'], outputs: ['m'] },
    { op: 'Sigmoid', inputs: ['m'], outputs: ['y'] },
  ],
  [constant('W', 1, 20, 4), constant('R', 1, 20, 5), constant('B', 1, 40), list('one', 1), constant('M', 5, 3)],
  {
    x: ['T', 'B', 4],
  },
);

const gru = model(
  [
    {
      op: 'GRU',
      inputs: ['x', 'W', 'R', 'B'],
      outputs: ['h'],
      attributes: { hidden_size: 5, direction: 'reverse', linear_before_reset: 1 },
    },
    { op: 'Squeeze', inputs: ['h', 'one'], outputs: ['s'] },
    {
      op: 'RNN',
      inputs: ['s', 'V', 'S'],
      outputs: ['y', 'last'],
      attributes: { hidden_size: 3, direction: 'bidirectional', activations: ['Relu', 'Relu'] },
    },
  ],
  [
    ...[constant('W', 1, 15, 4), constant('R', 1, 15, 5), constant('B', 1, 30), list('one', 1)],
    ...[constant('V', 2, 3, 5), constant('S', 2, 3, 3)],
  ],
  { x: ['T', 'B', 4] },
);

const conv = model(
  [
    { op: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['a'], attributes: { pads: [1, 1], strides: [2] } },
    { op: 'Relu', inputs: ['a'], outputs: ['r'] },
    { op: 'Conv', inputs: ['r', 'v'], outputs: ['c'], attributes: { dilations: [2] } },
    { op: 'Conv', inputs: ['c', 'd'], outputs: ['e'], attributes: { group: 3 } },
    { op: 'BatchNormalization', inputs: ['e', 's', 's', 's', 's'], outputs: ['y'] },
  ],
  [
    constant('w', 6, 4, 3),
    constant('b', 6),
    constant('v', 3, 6, 2),
    constant('d', 3, 1, 2),
    tensorProto('s', [3], Float32Array.of(1, 2, 3)),
  ],
  {
    x: ['N', 4, 'L'],
  },
);

const embedding = model([{ op: 'Gather', inputs: ['w', 'index'], outputs: ['y'] }], [constant('w', 10, 12)], {
  x: [1],
  index: ['n'],
});

const computedIndex = model(
  [
    { op: 'ArgMax', inputs: ['x'], outputs: ['top'], attributes: { axis: -1 } },
    { op: 'Gather', inputs: ['w', 'top'], outputs: ['y'] },
  ],
  [constant('w', 4, 12)],
);

const classes = model([{ op: 'ArgMax', inputs: ['x'], outputs: ['top'], attributes: { axis: -1, keepdims: 0 } }]);

const rate = model(
  [
    { op: 'Slice', inputs: ['x', 'zero', 'sr'], outputs: ['a'] },
    { op: 'Neg', inputs: ['a'], outputs: ['y'] },
  ],
  [list('zero', 0)],
  { sr: [1] },
);

// which branch is taken depends on the first column
const split = model(
  [
    { op: 'Slice', inputs: ['x', 'zero', 'one', 'one'], outputs: ['a'] },
    { op: 'Relu', inputs: ['a'], outputs: ['r'] },
    { op: 'Ceil', inputs: ['r'], outputs: ['c'] },
    { op: 'ReduceMax', inputs: ['c'], outputs: ['m'] },
    { op: 'Cast', inputs: ['m'], outputs: ['yes_'], attributes: { to: 9 } },
    { op: 'Squeeze', inputs: ['yes_'], outputs: ['yes'] },
    {
      op: 'If',
      inputs: ['yes'],
      outputs: ['y'],
      attributes: {
        then_branch: {
          graph: graphProto({ nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['t'] }], outputs: { t: undefined } }),
        },
        else_branch: {
          graph: graphProto({ nodes: [{ op: 'Abs', inputs: ['x'], outputs: ['e'] }], outputs: { e: undefined } }),
        },
      },
    },
  ],
  [list('zero', 0), list('one', 1)],
);

describe('no garbage in a run with out', () => {
  const silero = read('node_modules/@ricky0123/vad-web/dist/silero_vad_v5.onnx');
  const frame = (n: number, sr: number) => ({ input: floats(1, n), state: floats(2, 1, 128), sr: int64([], sr) });
  const names = (file: Uint8Array) => loadOnnx(file).inputs.map(({ name, dims }) => [name, dims] as const);
  const dtln = (size: number) =>
    Object.fromEntries(
      names(read(`test/fixtures/dtln/model_${size === 257 ? 1 : 2}.onnx`)).map(([name, dims]) => [
        name,
        floats(...dims!.map((length) => (typeof length === 'number' ? length : 1))),
      ]),
    );
  const other = { data: new Float32Array(20), dims: [5, 4] };
  test.each<[string, () => void]>([
    ['a chain of elementwise operators', into(chain, { x: floats(7, 4) })],
    ['two shapes in turn', into(chain, { x: floats(7, 4) }, { x: floats(3, 4) })],
    ['operators that move elements', into(shapes, { x: floats(7, 4) })],
    ['LSTM and MatMul', into(lstm, { x: floats(7, 2, 4) })],
    ['GRU and RNN', into(gru, { x: floats(7, 2, 4) })],
    ['Conv', into(conv, { x: floats(2, 4, 30) })],
    ['Gather of fed indices', into(embedding, { x: floats(1), index: int64([3], 1, 9, 4) })],
    ['Gather of computed indices', into(computedIndex, { x: floats(5, 4) })],
    ['ArgMax', into(classes, { x: floats(5, 4) })],
    ['a plan for the values of a feed', into(rate, { x: floats(5, 4), sr: int64([1], 3) })],
    [
      'two values of a feed in turn',
      into(rate, { x: floats(5, 4), sr: int64([1], 3) }, { x: floats(5, 4), sr: int64([1], 2) }),
    ],
    ['DTLN, the first model', into(read('test/fixtures/dtln/model_1.onnx'), dtln(257))],
    ['DTLN, the second model', into(read('test/fixtures/dtln/model_2.onnx'), dtln(512))],
    ['a split whose value goes back and forth', into(split, { x: floats(5, 4) }, { x: other })],
    ['a stream', stream(silero, { state: 'stateN' }, { input: floats(1, 512), sr: int64([], 16000) })],
    ['Silero VAD v5', into(silero, frame(512, 16000))],
    ['Silero VAD v5, two rates in turn', into(silero, frame(512, 16000), frame(256, 8000))],
  ])('%s', { timeout: 120_000 }, (_, call) => {
    const memory = () => [wasm().memory.buffer.byteLength, bytesUsed()];
    for (let k = 0; k < 4; k++) call();
    const before = memory();
    expect(bytesPerCall(call)).toBeLessThan(1);
    expect(memory()).toEqual(before);
  });
});
