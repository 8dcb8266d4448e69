import { describe, expect, test } from 'vitest';
import { bytesUsed } from '../../src/index.ts';
import { loadOnnx, type OnnxFeed, type OnnxSession } from '../../src/onnx.ts';
import { type Attribute, DATA_TYPES, graphProto, type NodeSpec, onnxFile, tensorProto } from '../support/onnx-files.ts';

// What depends on data splits a plan: the run reads it, and goes on with what is planned for it.

const vector = (...values: number[]): OnnxFeed => ({ data: Float32Array.from(values), dims: [values.length] });
const list = (name: string, ...values: number[]) =>
  tensorProto(name, [values.length], BigInt64Array.from(values, BigInt));
const branch = (nodes: NodeSpec[], output: string): Attribute => ({
  graph: graphProto({ nodes, outputs: Object.fromEntries([[output, undefined]]) }),
});
const choose = (condition: string, output: string, yes: Attribute, no: Attribute): NodeSpec => ({
  op: 'If',
  inputs: [condition],
  outputs: [output],
  attributes: { then_branch: yes, else_branch: no },
});

const CONSTANTS = [list('zero', 0), list('one', 1), list('minus', -1), tensorProto('half', [], Float32Array.of(0.5))];

/** The file of nodes with an input x [n], and inputs a, b, c [1] of floats. */
const file = (nodes: NodeSpec[], outputs = ['y'], types: Record<string, number> = {}) =>
  onnxFile({
    nodes,
    inputs: { x: ['n'], a: [1], b: [1], c: [1] },
    outputs: Object.fromEntries(outputs.map((name) => [name, undefined])),
    types,
    initializers: CONSTANTS,
  });

/** Nodes that make a bool of a float: whether it is above 0.5. */
const above = (from: string, to: string): NodeSpec[] => [
  { op: 'Greater', inputs: [from, 'half'], outputs: [`${to}_`] },
  { op: 'Squeeze', inputs: [`${to}_`], outputs: [to] },
];
/** A node that makes an int64 of a float. */
const whole = (from: string, to: string): NodeSpec => ({
  op: 'Cast',
  inputs: [from],
  outputs: [to],
  attributes: { to: 7 },
});

type Run = readonly [x: number[], a: number, b?: number, c?: number];

const feedsOf = ([x, a, b = 0, c = 0]: Run) => ({ x: vector(...x), a: vector(a), b: vector(b), c: vector(c) });

/** Checks runs of one session against plain JavaScript and against a session of their own. */
function check(bytes: Uint8Array, runs: readonly Run[], expected: (...run: Run) => number[]): void {
  const before = bytesUsed();
  const session = loadOnnx(bytes);
  for (const run of runs) {
    const { y } = session.run(feedsOf(run));
    expect(Array.from(y!.data, Number)).toEqual(expected(...run));
    const fresh = loadOnnx(bytes);
    expect(fresh.run(feedsOf(run)).y).toEqual(y);
    fresh.dispose();
  }
  session.dispose();
  expect(bytesUsed()).toBe(before);
}

const X = [1, -2, 3, -4, 5, -6];
const add = (output: string, a = 'x', b = 'x'): NodeSpec => ({ op: 'Add', inputs: [a, b], outputs: [output] });
const neg = (output: string, a = 'x'): NodeSpec => ({ op: 'Neg', inputs: [a], outputs: [output] });
const mul = (output: string, a = 'x', b = 'x'): NodeSpec => ({ op: 'Mul', inputs: [a, b], outputs: [output] });

describe('splits', () => {
  test('an If on a computed condition, back and forth, for two shapes', () => {
    const nodes = [...above('a', 'yes'), choose('yes', 'y', branch([add('t')], 't'), branch([neg('e')], 'e'))];
    const runs: Run[] = [1, 0, 0, 1, 0, 1, 1].flatMap((a) => [[X, a] as const, [[7, 8], 1 - a] as const]);
    check(file(nodes), runs, (x, a) => x.map((value) => (a > 0.5 ? 2 * value : -value)));
  });

  test('the values of outer graphs that branches read, and those used after the If', () => {
    const nodes = [
      mul('square'),
      ...above('a', 'yes'),
      choose('yes', 'z', branch([add('t', 'square', 'x')], 't'), branch([], 'square')),
      add('sum', 'z', 'square'),
      mul('y', 'sum', 'x'),
    ];
    const runs: Run[] = [
      [X, 1],
      [X, 0],
      [[2], 0],
      [X, 1],
    ];
    check(file(nodes), runs, (x, a) => x.map((v) => ((a > 0.5 ? v * v + v : v * v) + v * v) * v));
  });

  test('Ifs in Ifs, whose conditions are computed in branches', () => {
    const inner = (to: string, on: string): NodeSpec[] => [
      ...above(on, `${to}_c`),
      choose(
        `${to}_c`,
        to,
        branch([add(`${to}_t`)], `${to}_t`),
        branch([neg(`${to}_e`), mul(`${to}_f`, `${to}_e`)], `${to}_f`),
      ),
    ];
    const nodes = [
      ...above('a', 'yes'),
      choose('yes', 'y', branch(inner('p', 'b'), 'p'), branch(inner('q', 'c'), 'q')),
    ];
    const runs = Array.from({ length: 24 }, (_, i): Run => [X, i & 1, (i >> 1) & 1, ((i * 5) >> 2) & 1]);
    check(file(nodes), runs, (x, a, b = 0, c = 0) => x.map((v) => ((a ? b : c) ? 2 * v : -v * v)));
  });

  test('bounds of a Slice, more than eight of them', () => {
    const nodes = [
      whole('a', 'end'),
      { op: 'Slice', inputs: ['x', 'zero', 'end'], outputs: ['s'] },
      add('y', 's', 's'),
    ];
    const x = Array.from({ length: 20 }, (_, i) => i);
    const runs = Array.from({ length: 60 }, (_, i): Run => [x, (i * 7) % 15]);
    check(file(nodes), [...runs, [x, 0], [[], 3]], (x, a) => x.slice(0, a).map((v) => 2 * v));
  });

  test('the shape of a Reshape, and dims that follow from it', () => {
    const nodes: NodeSpec[] = [
      whole('a', 'rows'),
      { op: 'Concat', inputs: ['rows', 'minus'], outputs: ['shape'], attributes: { axis: 0 } },
      { op: 'Reshape', inputs: ['x', 'shape'], outputs: ['r'] },
      { op: 'ReduceSum', inputs: ['r', 'zero'], outputs: ['y'], attributes: { keepdims: 0 } },
    ];
    const runs: Run[] = [2, 3, 1, 6, 2, 3].map((a) => [X, a]);
    check(file(nodes), runs, (x, a) => {
      const width = x.length / a;
      return Array.from({ length: width }, (_, j) => x.reduce((sum, v, i) => sum + (i % width === j ? v : 0), 0));
    });
  });

  test('a split in a branch, and several in a row', () => {
    const slice = (from: string, to: string, n: string): NodeSpec[] => [
      whole(n, `${to}_n`),
      { op: 'Slice', inputs: [from, 'zero', `${to}_n`], outputs: [to] },
    ];
    const nodes = [
      ...above('a', 'yes'),
      choose('yes', 'z', branch([...slice('x', 't', 'b'), add('u', 't', 't')], 'u'), branch([neg('e')], 'e')),
      mul('w', 'z', 'z'),
      ...slice('w', 's', 'c'),
      add('y', 's', 's'),
    ];
    const runs = Array.from({ length: 60 }, (_, i): Run => [X, i & 1, 1 + ((i * 3) % 6), 1 + ((i * 5) % 4)]);
    check(file(nodes), runs, (x, a, b, c) => {
      const z = a ? x.slice(0, b).map((v) => 2 * v) : x.map((v) => -v);
      return z.slice(0, c).map((v) => 2 * v * v);
    });
  });

  test('a value that two nodes need is read once, and its views too', () => {
    const nodes: NodeSpec[] = [
      whole('a', 'n'),
      { op: 'Unsqueeze', inputs: ['n', 'zero'], outputs: ['nn'] },
      { op: 'Squeeze', inputs: ['nn', 'zero'], outputs: ['m'] },
      { op: 'Slice', inputs: ['x', 'zero', 'm'], outputs: ['s'] },
      { op: 'Slice', inputs: ['x', 'n', 'end'], outputs: ['t'] },
      { op: 'Concat', inputs: ['t', 's'], outputs: ['y'], attributes: { axis: 0 } },
    ];
    const bytes = onnxFile({
      nodes,
      inputs: { x: ['n'], a: [1], b: [1], c: [1] },
      initializers: [...CONSTANTS, list('end', 99)],
    });
    const runs: Run[] = [0, 1, 5, 6, 3, 1].map((a) => [X, a]);
    check(bytes, runs, (x, a) => [...x.slice(a), ...x.slice(0, a)]);
  });

  test('integers to the power of floats that a Conv has turned', () => {
    const nodes: NodeSpec[] = [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['e'] },
      { op: 'Pow', inputs: ['n', 'e'], outputs: ['y'] },
    ];
    const session = loadOnnx(
      onnxFile({
        nodes,
        inputs: { x: [1, 1, 3], n: [1] },
        types: { n: DATA_TYPES.int32, y: DATA_TYPES.int32 },
        initializers: [tensorProto('w', [2, 1, 1], Float32Array.of(1, 2))],
      }),
    );
    for (const values of [
      [1, 2, 3],
      [0, 4, 1],
      [1, 2, 3],
    ]) {
      const x = { data: Float32Array.from(values), dims: [1, 1, 3] };
      const { y } = session.run({ x, n: { data: Int32Array.of(3), dims: [1] } });
      expect(y!.dims).toEqual([1, 2, 3]);
      expect([...y!.data]).toEqual([...values.map((v) => 3 ** v), ...values.map((v) => 9 ** v)]);
    }
    session.dispose();
  });
});

describe('errors after a split', () => {
  const slices = (name: string): NodeSpec[] => [
    whole('a', 'n'),
    { op: 'Reshape', name, inputs: ['x', 'n'], outputs: ['r'] },
    add('y', 'r', 'r'),
  ];
  const outcome = (session: OnnxSession, a: number): unknown => {
    try {
      return Array.from(session.run(feedsOf([X, a])).y!.data, Number);
    } catch (error) {
      return (error as Error).message;
    }
  };

  test('a wrong value fails in its run alone, and holds no memory', () => {
    const session = loadOnnx(file(slices('shaped')));
    const right = X.map((v) => 2 * v);
    expect(outcome(session, 6)).toEqual(right);
    const used = bytesUsed();
    for (const a of [5, 7, -2]) {
      expect(outcome(session, a)).toMatch(/node "shaped" \(Reshape\): shape expected 6 elements/);
      expect(bytesUsed()).toBe(used);
      expect(outcome(session, 6)).toEqual(right);
    }
    session.dispose();
  });

  test('out of other dims than those of a later part changes nothing', () => {
    const session = loadOnnx(file([whole('a', 'end'), { op: 'Slice', inputs: ['x', 'zero', 'end'], outputs: ['y'] }]));
    const y = { data: new Float32Array(3).fill(9), dims: [3] };
    const feeds = (a: number) => feedsOf([X, a]);
    expect(() => session.run(feeds(2), { out: { y } })).toThrow(/"out y.dims" expected \[2\], got \[3\]/);
    expect(y.data).toEqual(new Float32Array(3).fill(9));
    session.run(feeds(3), { out: { y } });
    expect(y.data).toEqual(Float32Array.from(X.slice(0, 3)));
    session.dispose();
  });

  test('a graph that splits again and again is refused or right, soon', () => {
    const count = 3000;
    const nodes = Array.from({ length: count }, (_, i): NodeSpec[] => [
      whole('a', `n${i}`),
      { op: 'Slice', inputs: [i ? `s${i - 1}` : 'x', 'zero', `n${i}`], outputs: [`s${i}`] },
    ]).flat();
    const session = loadOnnx(file([...nodes, add('y', `s${count - 1}`, 'x')]));
    const before = bytesUsed();
    expect(() => session.run(feedsOf([X, 6]))).toThrow(/expected work in proportion/);
    expect(bytesUsed() - before).toBeLessThan(4 << 20);
    session.dispose();
  });
});
