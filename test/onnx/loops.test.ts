import { describe, expect, test } from 'vitest';
import { bytesUsed } from '../../src/index.ts';
import { loadOnnx, ModelError, type OnnxFeed } from '../../src/onnx.ts';
import { readFixture, readJson } from '../support/fixtures.ts';
import {
  type Attribute,
  type GraphSpec,
  graphProto,
  type NodeSpec,
  onnxFile,
  tensorProto,
} from '../support/onnx-files.ts';
import { refused } from '../support/onnx-refusals.ts';
import { soon } from '../support/work.ts';

// Loop and Scan (test/fixtures/onnx-loops): each iteration is planned.

interface Tensor {
  readonly type: 'float32' | 'int64' | 'bool';
  readonly dims: number[];
  readonly data: number[];
}
const cases: { name: string; inputs: Record<string, Tensor>; outputs: Record<string, Tensor> }[] =
  await readJson('onnx-loops/cases.json');

function feed({ type, dims, data }: Tensor): OnnxFeed {
  if (type === 'int64') return { dims, data: BigInt64Array.from(data, BigInt) };
  return { dims, data: type === 'bool' ? Uint8Array.from(data) : Float32Array.from(data) };
}

describe('answers of ONNX Runtime', () => {
  for (const name of new Set(cases.map((one) => one.name))) {
    test(name, async () => {
      const session = loadOnnx(await readFixture(`onnx-loops/${name}.onnx`));
      // each twice, with plans that are there already
      for (const { inputs, outputs } of [...cases, ...cases].filter((one) => one.name === name)) {
        const results = session.run(Object.fromEntries(Object.entries(inputs).map(([key, one]) => [key, feed(one)])));
        for (const [key, { type, dims, data }] of Object.entries(outputs)) {
          const what = `${key} of ${JSON.stringify(inputs)}`;
          expect([results[key]!.type, results[key]!.dims], what).toEqual([type, dims]);
          for (const [k, x] of data.entries()) expect(Number(results[key]!.data[k]), what).toBeCloseTo(x, 4);
        }
      }
      const before = bytesUsed();
      session.dispose();
      expect(bytesUsed()).toBeLessThan(before);
    });
  }
});

test('the LSTM of a body is reported, with its weights packed once', async () => {
  const session = loadOnnx(await readFixture('onnx-loops/scan_of_lstm.onnx'));
  expect(session.lstms.map(({ stateDict }) => stateDict!.get('weight_hh_l0')!.dims)).toEqual([[16, 4]]);
  session.dispose();
});

const count = (n: bigint | number) => tensorProto('n', [], BigInt64Array.of(BigInt(n)));
const yes = tensorProto('yes', [], Uint8Array.of(1));
const same: NodeSpec = { op: 'Identity', inputs: ['go'], outputs: ['more'] };

/** A Loop of x by `nodes`, which make `b` of `a`, the number `i` and whatever is outside. */
function loop(
  nodes: NodeSpec[],
  n: bigint | number,
  more: Partial<GraphSpec> = {},
  inputs = ['n', 'yes', 'x'],
): Uint8Array {
  const body = graphProto({
    nodes: [same, ...nodes],
    inputs: { i: [], go: [], a: undefined },
    types: { i: 7, go: 9, more: 9 },
    outputs: { more: [], b: undefined },
    ...more,
  });
  return onnxFile({
    nodes: [{ op: 'Loop', name: 'loop', inputs, outputs: ['y'], attributes: { body: { graph: body } } }],
    inputs: { x: [2] },
    initializers: [count(n), yes],
  });
}

const twice: NodeSpec = { op: 'Add', inputs: ['a', 'a'], outputs: ['b'] };
const x: OnnxFeed = { data: Float32Array.of(1, 2), dims: [2] };

function run(file: Uint8Array): number[] {
  const session = loadOnnx(file);
  try {
    return [...(session.run({ x }).y!.data as Float32Array)];
  } finally {
    session.dispose();
  }
}

test('a condition that is not given at first is not looked at', () => {
  const never: NodeSpec = { op: 'Not', inputs: ['go'], outputs: ['more'] };
  expect(run(loop([twice], 3))).toEqual([8, 16]);
  expect(run(loop([twice], 3, { nodes: [never, twice] }))).toEqual([2, 4]);
  expect(run(loop([twice], 3, { nodes: [never, twice] }, ['n', '', 'x']))).toEqual([8, 16]);
});

describe('limits', () => {
  const endless: [string, Uint8Array][] = [
    ['a huge trip count', loop([twice], 2n ** 62n)],
    ['no trip count', loop([twice], 1, {}, ['', 'yes', 'x'])],
    ['neither count nor condition', loop([twice], 1, {}, ['', '', 'x'])],
    ['a body that only moves', loop([{ op: 'Identity', inputs: ['a'], outputs: ['b'] }], 2n ** 31n)],
    ['a body of constants', loop([{ op: 'Neg', inputs: ['n'], outputs: ['b'] }], 2n ** 40n)],
    ['what doubles', loop([{ op: 'Concat', inputs: ['a', 'a'], outputs: ['b'], attributes: { axis: 0 } }], 60)],
  ];
  const inner = (level: number): Attribute => {
    const [i, go, a, more, b] = ['i', 'go', 'a', 'more', 'b'].map((name) => name + level);
    const nodes: NodeSpec[] = [{ op: 'Identity', inputs: [go!], outputs: [more!] }];
    if (level === 0) nodes.push({ op: 'Add', inputs: [a!, a!], outputs: [b!] });
    else nodes.push({ op: 'Loop', inputs: ['n', 'yes', a!], outputs: [b!], attributes: { body: inner(level - 1) } });
    return {
      graph: graphProto({
        nodes,
        inputs: { [i!]: [], [go!]: [], [a!]: undefined },
        types: { [i!]: 7, [go!]: 9, [more!]: 9 },
        outputs: { [more!]: [], [b!]: undefined },
      }),
    };
  };
  endless.push([
    'loops in loops',
    onnxFile({
      nodes: [{ op: 'Loop', inputs: ['n', 'yes', 'x'], outputs: ['y'], attributes: { body: inner(5) } }],
      inputs: { x: [2] },
      initializers: [count(1000), yes],
    }),
  ]);

  test.each(endless)('%s is refused, and not run', (_, file) => {
    const session = loadOnnx(file);
    const before = bytesUsed();
    let error: unknown;
    soon(() => {
      try {
        session.run({ x });
      } catch (thrown) {
        error = thrown;
      }
    });
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ code: 'too-large' });
    expect(bytesUsed()).toBe(before);
    session.dispose();
  });

  test('a thousand iterations are run', () => {
    const next: NodeSpec = { op: 'Neg', inputs: ['a'], outputs: ['b'] };
    expect(run(loop([next], 1001))).toEqual([-1, -2]);
  });
});

describe('refusals', () => {
  const scan = (attributes: Record<string, Attribute>, outputs = ['y', 'z']) =>
    onnxFile({
      nodes: [
        {
          op: 'Scan',
          inputs: ['x', 'x'],
          outputs,
          attributes: {
            num_scan_inputs: 1,
            body: {
              graph: graphProto({
                nodes: [{ op: 'Neg', inputs: ['s'], outputs: ['p'] }],
                inputs: { s: undefined, u: undefined },
                outputs: { p: undefined, u: undefined },
              }),
            },
            ...attributes,
          },
        },
      ],
      inputs: { x: [2] },
    });

  test.each<[string, Uint8Array, RegExp, string]>([
    ['no body', scan({ body: 1 }), /attribute body expected a graph/, 'missing'],
    [
      'no number of scanned inputs',
      scan({ num_scan_inputs: 0 }),
      /inputs and outputs of the body expected/,
      'malformed',
    ],
    ['more scanned inputs', scan({ num_scan_inputs: 3 }), /inputs and outputs of the body expected/, 'malformed'],
    ['more outputs', scan({}, ['a', 'b', 'y']), /inputs and outputs of the body expected/, 'malformed'],
    ['axes of others', scan({ scan_input_axes: [0, 1] }), /scan_input_axes expected 1 integers/, 'wrong-attribute'],
    [
      'a body of fewer inputs',
      loop([twice], 1, { inputs: { i: [], go: [] } }),
      /inputs and outputs of the body|"a"/,
      'malformed',
    ],
    [
      'an operator in a body',
      loop([{ op: 'No', inputs: ['a'], outputs: ['b'] }], 1),
      /not supported: No/,
      'unsupported',
    ],
  ])('%s', (_, file, message, code) => refused(file, message, code));

  test.each<[string, Uint8Array, RegExp]>([
    ['an axis beyond', scan({ scan_input_axes: [1] }), /axis expected an integer from -1 to 0, got 1/],
    ['a condition that is no bool', loop([twice], 1, {}, ['n', 'n', 'x']), /condition expected bool, got int64/],
    ['a trip count of floats', loop([twice], 1, {}, ['x', 'yes', 'x']), /trip count expected int64/],
    ['a left-out state', loop([twice], 1, {}, ['n', 'yes', '']), /expected input 2, got none/],
  ])('%s, in a run', (_, file, message) => {
    const session = loadOnnx(file);
    expect(() => session.run({ x })).toThrow(ModelError);
    expect(() => session.run({ x })).toThrow(message);
    session.dispose();
  });
});
