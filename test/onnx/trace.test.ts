import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesUsed, LSTM } from '../../src/index.ts';
import { type LayerTrace, loadOnnx, type OnnxFeed, type OnnxSession } from '../../src/onnx.ts';
import { bits } from '../support/bits.ts';
import { readFixture, readJson } from '../support/fixtures.ts';
import { expectSame, SEED } from '../support/laws.ts';
import { graphProto, type NodeSpec, onnxFile, tensorProto } from '../support/onnx-files.ts';
import { type Choice, graphFile, randomGraph } from '../support/random-graphs.ts';
import { randomTensor } from '../support/tensors.ts';

// OnnxSession.trace() on whole models; test/onnx-lstm.test.ts traces every attribute of the operator.

const NAMES = ['i', 'f', 'g', 'o', 'c', 'h'] as const;
const [I, H] = [3, 5];

/** Weights of a node with these names. */
const weights = (w: string, r: string, seed = 1, inputs = I) => [
  tensorProto(w, [1, 4 * H, inputs], randomTensor([1, 4 * H, inputs], seed).data),
  tensorProto(r, [1, 4 * H, H], randomTensor([1, 4 * H, H], seed + 1).data),
];
const lstm = (name: string, inputs: string[], outputs: string[]): NodeSpec => ({
  op: 'LSTM',
  name,
  inputs,
  outputs,
  attributes: { hidden_size: H },
});

function expectSameTrace(got: LayerTrace, wanted: LayerTrace): void {
  expect(Object.keys(got)).toEqual(Object.keys(wanted));
  for (const name of NAMES) expectSame(name, got.forward[name], wanted.forward[name]);
  if (wanted.reverse) for (const name of NAMES) expectSame(name, got.reverse![name], wanted.reverse[name]);
}

/** Checks that trace() gives what run() gives, before and after it, and leaves no memory behind. */
function traced(session: OnnxSession, feeds: Record<string, OnnxFeed>) {
  const before = session.run(feeds);
  const bytes = bytesUsed();
  const trace = session.trace(feeds);
  expect(bytesUsed()).toBe(bytes);
  expect(trace.outputs).toEqual(before);
  expect(session.run(feeds)).toEqual(before);
  expect(Object.getPrototypeOf(trace.nodes)).toBe(null);
  return trace;
}

test('a random model: the results of run(), and the h of every node that it needs', () => {
  const choice = fc.tuple(...Array.from({ length: 6 }, () => fc.nat(1000))) as fc.Arbitrary<Choice>;
  let nodes = 0;
  fc.assert(
    fc.property(fc.array(choice, { minLength: 4, maxLength: 10 }), fc.nat(4), (choices, place) => {
      // place 21 of the makers is the LSTM
      const graph = randomGraph(choices.map((one, n) => (n % 4 === place ? [21, ...one.slice(1)] : one)));
      const last = graph.values.length - 1;
      const all = graph.values.map((_, at) => at).slice(graph.feeds);
      if (all.length === 0) return;
      const session = loadOnnx(graphFile(graph, all));
      for (const variant of [0, 1, 0]) {
        const feeds = Object.fromEntries(
          graph.values.slice(0, graph.feeds).map(({ name, results }) => [name, results[variant]!]),
        );
        const trace = traced(session, feeds);
        expect(Object.keys(trace.nodes)).toEqual(session.lstms.map(({ name }) => name));
        for (const [name, { forward, reverse }] of Object.entries(trace.nodes)) {
          nodes++;
          const { data, dims } = trace.outputs[name]!;
          const [T, D, B, units] = dims as [number, number, number, number];
          expect(reverse === undefined).toBe(D === 1);
          const y = Float32Array.from({ length: T * D * B * units }, (_, i) => {
            const [t, d] = [Math.floor(i / (D * B * units)), Math.floor(i / (B * units)) % D];
            return (d ? reverse! : forward).h.data[t * B * units + (i % (B * units))]!;
          });
          expect(bits(y)).toEqual(bits(data as Float32Array));
        }
        const one = session.trace(feeds, { outputs: [graph.values[last]!.name] });
        for (const [name, values] of Object.entries(one.nodes)) expectSameTrace(values, trace.nodes[name]!);
      }
      session.dispose();
    }),
    { numRuns: 30, seed: SEED },
  );
  expect(nodes).toBeGreaterThan(100);
});

test('a node of PyTorch has the bits of LSTM.trace()', () => {
  const file = onnxFile({
    nodes: [lstm('rnn', ['x', 'w', 'r', '', '', 'h0', 'c0'], ['y', '', 'c'])],
    inputs: { x: ['T', 'B', I], h0: [1, 'B', H], c0: [1, 'B', H] },
    outputs: { y: undefined, c: undefined },
    initializers: weights('w', 'r'),
  });
  for (const quantize of [undefined, 8] as const) {
    const session = loadOnnx(file, { quantize });
    const float = LSTM.fromStateDict(session.lstms[0]!.stateDict!);
    const model = quantize ? float.quantize() : float;
    for (const [T, B] of [
      [6, 2],
      [1, 1],
      [3, 5],
    ] as const) {
      const state = { h0: randomTensor([1, B, H], 4), c0: randomTensor([1, B, H], 5) };
      const x = randomTensor([T, B, I], 3);
      const { nodes } = traced(session, { x, ...state });
      expectSameTrace(nodes.rnn!, model.trace(x, state).layers[0]!);
    }
    for (const one of [session, float, model]) one.dispose();
  }
});

test('a Scan: each turn by its number', async () => {
  const session = loadOnnx(await readFixture('onnx-loops/scan_of_lstm.onnx'));
  const x = randomTensor([7, 1, 5], 6);
  const { nodes, outputs } = traced(session, { x });
  const [{ name, stateDict }] = session.lstms as [(typeof session.lstms)[number]];
  expect(Object.keys(nodes)).toEqual(Array.from({ length: 7 }, (_, t) => `${name}[${t}]`));
  const whole = LSTM.fromStateDict(stateDict!).trace(x).layers[0]!.forward;
  for (const value of NAMES) {
    const turns = Object.values(nodes).flatMap(({ forward }) => [...forward[value].data]);
    expect(bits(Float32Array.from(turns))).toEqual(bits(whole[value]));
  }
  expect(bits(outputs.y!.data as Float32Array)).toEqual(bits(whole.h));
  session.dispose();
});

test('a Loop in a Loop with an If: the turns of both, and the branch that is taken', () => {
  const branch = (name: string, w: string, r: string) =>
    graphProto({ nodes: [lstm(name, ['x', w, r], [`${name}_y`])], outputs: { [`${name}_y`]: undefined } });
  const again: NodeSpec = { op: 'Identity', inputs: ['go'], outputs: ['more'] };
  const inner = graphProto({
    nodes: [
      { ...again, inputs: ['go2'], outputs: ['more2'] },
      { op: 'Less', inputs: ['j', 'one'], outputs: ['first'] },
      {
        op: 'If',
        inputs: ['first'],
        outputs: ['b2'],
        attributes: {
          then_branch: { graph: branch('yes', 'w', 'r') },
          else_branch: { graph: branch('no', 'w2', 'r2') },
        },
      },
    ],
    inputs: { j: [], go2: [], a2: undefined },
    types: { j: 7, go2: 9, more2: 9 },
    outputs: { more2: [], b2: undefined },
  });
  const outer = graphProto({
    nodes: [
      again,
      { op: 'Loop', inputs: ['two', 'true', 'a'], outputs: ['b'], attributes: { body: { graph: inner } } },
    ],
    inputs: { i: [], go: [], a: undefined },
    types: { i: 7, go: 9, more: 9 },
    outputs: { more: [], b: undefined },
  });
  const session = loadOnnx(
    onnxFile({
      nodes: [{ op: 'Loop', inputs: ['two', 'true', 'x'], outputs: ['y'], attributes: { body: { graph: outer } } }],
      inputs: { x: [2, 1, I] },
      outputs: { y: undefined },
      initializers: [
        tensorProto('two', [], BigInt64Array.of(2n)),
        tensorProto('one', [], BigInt64Array.of(1n)),
        tensorProto('true', [], Uint8Array.of(1)),
        ...weights('w', 'r'),
        ...weights('w2', 'r2', 5),
      ],
    }),
  );
  const { nodes } = traced(session, { x: randomTensor([2, 1, I], 7) });
  expect(Object.keys(nodes)).toEqual(['yes[0][0]', 'no[0][1]', 'yes[1][0]', 'no[1][1]']);
  expectSameTrace(nodes['yes[0][0]']!, nodes['yes[1][0]']!);
  expect(bits(nodes['no[0][1]']!.forward.h)).not.toEqual(bits(nodes['yes[0][0]']!.forward.h));
  session.dispose();
});

test('names: the first output of a node without one, numbers where one comes again, and names of objects', () => {
  const file = onnxFile({
    nodes: [
      lstm('', ['x', 'w', 'r'], ['', 'state']),
      lstm('__proto__', ['x', 'w', 'r'], ['y0']),
      lstm('twice', ['x', 'w', 'r'], ['y1']),
      lstm('twice', ['x', 'w2', 'r2'], ['y2']),
      lstm('constructor', ['x', 'w', 'r'], ['y3']),
    ],
    inputs: { x: [2, 1, I] },
    outputs: Object.fromEntries(['state', 'y0', 'y1', 'y2', 'y3'].map((name) => [name, undefined])),
    initializers: [...weights('w', 'r'), ...weights('w2', 'r2', 5)],
  });
  const session = loadOnnx(file);
  const { nodes, outputs } = traced(session, { x: randomTensor([2, 1, I], 7) });
  const [, proto] = Object.values(nodes);
  expect(Object.keys(nodes)).toEqual(['state', '__proto__', 'twice', 'twice (2)', 'constructor']);
  expect(bits(nodes['twice (2)']!.forward.h)).toEqual(bits(outputs.y2!.data as Float32Array));
  expect(bits(proto!.forward.h)).toEqual(bits(outputs.y0!.data as Float32Array));
  session.dispose();
});

test('nodes of functions have the names of their calls before their own', async () => {
  const session = loadOnnx(await readFixture('onnx-functions/layers.onnx'));
  const feeds = Object.fromEntries(
    session.inputs.map(({ name, dims }) => [
      name,
      randomTensor(
        dims!.map((size) => Number(size) || 3),
        8,
      ),
    ]),
  );
  const { nodes } = traced(session, feeds);
  expect(Object.keys(nodes)).toEqual(session.lstms.map(({ name }) => name));
  expect(session.lstms.length).toBe(2);
  session.dispose();
});

test('8-bit weights of a file', async () => {
  const cases: { name: string; inputs: Record<string, { dims: number[]; data: number[] }> }[] =
    await readJson('onnx-quantized/cases.json');
  let found = 0;
  for (const { name, inputs } of cases) {
    const session = loadOnnx(await readFixture(`onnx-quantized/${name}.onnx`));
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([key, { dims, data }]) => [key, { dims, data: Float32Array.from(data) }]),
    );
    const { nodes } = traced(session, feeds);
    expect(Object.keys(nodes)).toEqual(session.lstms.map((one) => one.name));
    found += session.lstms.length;
    session.dispose();
  }
  expect(found).toBeGreaterThan(1);
});

test('nodes that were computed at load, or that no output needs, are not there', () => {
  const session = loadOnnx(
    onnxFile({
      nodes: [
        lstm('fixed', ['k', 'w', 'r'], ['constant']),
        lstm('a', ['x', 'w', 'r'], ['ya']),
        lstm('b', ['x', 'w', 'r'], ['yb']),
      ],
      inputs: { x: [2, 1, I] },
      outputs: { constant: undefined, ya: undefined, yb: undefined },
      initializers: [...weights('w', 'r'), tensorProto('k', [2, 1, I], randomTensor([2, 1, I], 3).data)],
    }),
  );
  const x = randomTensor([2, 1, I], 4);
  expect(Object.keys(traced(session, { x }).nodes)).toEqual(['a', 'b']);
  const out = { yb: { data: new Float32Array(2 * H), dims: [2, 1, 1, H] } };
  const trace = session.trace({ x }, { out });
  expect(trace.outputs).toBe(out);
  expect(Object.keys(trace.nodes)).toEqual(['b']);
  expect(bits(out.yb.data)).toEqual(bits(trace.nodes.b!.forward.h));
  const none = session.trace({ x }, { outputs: ['constant'] });
  expect([Object.keys(none.outputs), Object.keys(none.nodes)]).toEqual([['constant'], []]);
  session.dispose();
});

test('integers on which the model depends: a plan that begins anew tells each node once', () => {
  const session = loadOnnx(
    onnxFile({
      nodes: [
        lstm('first', ['x', 'w', 'r'], ['y']),
        { op: 'Reshape', inputs: ['y', 'shape'], outputs: ['z'] },
        lstm('second', ['z', 'w2', 'r2'], ['out']),
      ],
      inputs: { x: [4, 1, I], shape: [3] },
      types: { shape: 7 },
      outputs: { out: undefined },
      initializers: [...weights('w', 'r'), ...weights('w2', 'r2', 5, H)],
    }),
  );
  const x = randomTensor([4, 1, I], 7);
  const shape = { data: BigInt64Array.of(2n, 2n, BigInt(H)), dims: [3] };
  // without a run before it
  const { nodes } = session.trace({ x, shape });
  expect(Object.keys(nodes)).toEqual(['first', 'second']);
  expect(nodes.second!.forward.i.dims).toEqual([2, 2, H]);
  traced(session, { x, shape });
  session.dispose();
});

test('calls that are refused leave nothing behind', () => {
  const session = loadOnnx(
    onnxFile({
      nodes: [lstm('rnn', ['x', 'w', 'r', '', 'lens'], ['y'])],
      inputs: { x: ['T', 'B', I], lens: ['B'] },
      types: { lens: 6 },
      initializers: weights('w', 'r'),
    }),
  );
  const x = randomTensor([2, 1, I], 4);
  const lens = (length: number) => ({ data: Int32Array.of(length), dims: [1] });
  session.run({ x, lens: lens(2) });
  const bytes = bytesUsed();
  expect(() => session.trace({ x })).toThrow('"lens"');
  expect(() => session.trace({ x, lens: lens(3) })).toThrow(/"rnn" \(LSTM\): sequence_lens expected 0 \.\. 2, got 3/);
  expect(() => session.trace({ x: randomTensor([2, 1, I + 1], 4), lens: lens(2) })).toThrow(
    '"feed x.dims" expected [T, B, 3]',
  );
  expect(() => session.trace({ x, lens: lens(2) }, { outputs: ['q'] })).toThrow('"q"');
  expect(bytesUsed()).toBe(bytes);
  traced(session, { x, lens: lens(1) });
  session.dispose();
  expect(() => session.trace({ x, lens: lens(2) })).toThrow(/used after dispose/);
});
