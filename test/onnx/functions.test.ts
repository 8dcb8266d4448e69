import { describe, expect, test } from 'vitest';
import { loadOnnx, type OnnxFeed, parseOnnx } from '../../src/onnx.ts';
import { readFixture, readJson } from '../support/fixtures.ts';
import { type FunctionSpec, functionProto, type NodeSpec, onnxFile, tensorProto } from '../support/onnx-files.ts';
import { refused } from '../support/onnx-refusals.ts';

// Functions of a model itself, put in place of their calls (test/fixtures/onnx-functions).

interface Tensor {
  readonly dims: number[];
  readonly data: number[];
}
const cases: { name: string; inputs: Record<string, Tensor>; outputs: Record<string, Tensor> }[] =
  await readJson('onnx-functions/cases.json');

describe('answers of ONNX Runtime', () => {
  for (const [i, { name, inputs, outputs }] of cases.entries()) {
    test(`${name}, case ${i}`, async () => {
      const session = loadOnnx(await readFixture(`onnx-functions/${name}.onnx`));
      const feed = ({ dims, data }: Tensor): OnnxFeed => ({
        dims,
        data: dims.length ? Float32Array.from(data) : Uint8Array.from(data),
      });
      const results = session.run(Object.fromEntries(Object.entries(inputs).map(([key, one]) => [key, feed(one)])));
      for (const [key, { dims, data }] of Object.entries(outputs)) {
        expect(results[key]!.dims).toEqual(dims);
        for (const [k, x] of data.entries()) expect(results[key]!.data[k]).toBeCloseTo(x, 5);
      }
      session.dispose();
    });
  }
});

test('the LSTMs of functions are fast ones, with the names of their calls', async () => {
  const session = loadOnnx(await readFixture('onnx-functions/layers.onnx'));
  expect(session.lstms.map(({ name, stateDict }) => [name, stateDict!.get('weight_ih_l0')!.dims])).toEqual([
    ['h/four', [24, 5]],
    ['k/four', [24, 6]],
  ]);
  session.dispose();
});

test('parseOnnx shows functions as they are', async () => {
  const { functions, graph } = parseOnnx(await readFixture('onnx-functions/nested.onnx'));
  expect(functions.map(({ domain, name }) => `${domain}.${name}`)).toEqual([
    'pkg.own.Scaled',
    'pkg.own.Leak',
    'pkg.other.Mean',
  ]);
  expect(functions[0]).toMatchObject({ inputs: ['a', 'b'], outputs: ['c'] });
  expect(functions[1]!.nodes[0]!.attributes.get('alpha')).toEqual({ reference: 'slope' });
  expect(graph.nodes.map(({ opType }) => opType)).toEqual(['Scaled', 'Scaled', 'Mean']);
});

const call = (op: string, more: Partial<NodeSpec> = {}): NodeSpec => ({ op, domain: 'own', inputs: ['x'], ...more });

function fileOf(functions: readonly FunctionSpec[], nodes: NodeSpec[] = [call('F')], initializers: Uint8Array[] = []) {
  return onnxFile({ nodes, inputs: { x: [2] }, initializers }, 18, functions.map(functionProto));
}

function run(file: Uint8Array): unknown {
  const session = loadOnnx(file);
  try {
    return [...session.run({ x: { data: Float32Array.of(-2, 4), dims: [2] } }).y!.data];
  } finally {
    session.dispose();
  }
}

const neg: NodeSpec = { op: 'Neg', inputs: ['a'], outputs: ['b'] };
const F: FunctionSpec = { name: 'F', domain: 'own', inputs: ['a'], outputs: ['b'], nodes: [neg] };

describe('calls', () => {
  test('a function may be of another operator set than the model', () => {
    const mean = { op: 'ReduceMean', inputs: ['a'], outputs: ['b'], attributes: { axes: [0], keepdims: 0 } };
    expect(run(fileOf([{ ...F, nodes: [mean], opset: 13 }]))).toEqual([1]);
    refused(fileOf([{ ...F, opset: 6 }]), /expected an operator set of ONNX from 7 to 28, got 6/, 'unsupported');
  });

  test('outputs and inputs may be left out; overloads are functions of their own', () => {
    const two = { ...F, outputs: ['c', 'b'], nodes: [neg, { op: 'Abs', inputs: ['a'], outputs: ['c'] }] };
    expect(run(fileOf([two], [call('F', { outputs: ['', 'y'] })]))).toEqual([2, -4]);
    const clip = { op: 'Clip', inputs: ['a', 'low', 'high'], outputs: ['b'] };
    const bounded = { ...F, inputs: ['a', 'low', 'high'], nodes: [clip] };
    const high = [tensorProto('h', [], Float32Array.of(3))];
    expect(run(fileOf([bounded], [call('F', { inputs: ['x', '', 'h'] })], high))).toEqual([-2, 3]);
    expect(run(fileOf([bounded]))).toEqual([-2, 4]);
    const other = { ...F, overload: 'twice', nodes: [{ ...neg, op: 'Add', inputs: ['a', 'a'] }] };
    expect(run(fileOf([F, other], [call('F', { overload: 'twice' })]))).toEqual([-4, 8]);
  });

  test('a function may give its input back', () => {
    const same = { ...F, outputs: ['a', 'b'] };
    expect(run(fileOf([same], [call('F', { outputs: ['y', 'z'] })]))).toEqual([-2, 4]);
  });

  test('a function takes the place of an operator of its name', () => {
    const own = { ...F, domain: '', name: 'Sqrt', opset: 18 };
    expect(run(fileOf([own], [{ op: 'Sqrt', inputs: ['x'] }]))).toEqual([2, -4]);
  });
});

describe('refusals', () => {
  const calls = (name: string, called: string, times = 1): FunctionSpec => ({
    ...F,
    name,
    nodes: Array.from({ length: times }, (_, i) => ({
      op: called,
      domain: 'own',
      inputs: [i ? `t${i - 1}` : 'a'],
      outputs: [i === times - 1 ? 'b' : `t${i}`],
    })),
  });
  const chain = (count: number, times: number) => [
    ...Array.from({ length: count }, (_, i) => calls(i ? `F${i}` : 'F', `F${i + 1}`, times)),
    { ...F, name: `F${count}` },
  ];

  test.each<[string, readonly FunctionSpec[], NodeSpec[] | undefined, RegExp, string]>([
    ['a call of itself', [calls('F', 'F')], undefined, /calls inside one another expected at most 32/, 'malformed'],
    ['a circle', [calls('F', 'G'), calls('G', 'F')], undefined, /calls inside one another/, 'malformed'],
    ['a circle of many calls', [calls('F', 'F', 50)], undefined, /calls inside|reading needs/, 'malformed'],
    ['calls without end', chain(40, 1), undefined, /calls inside one another expected at most 32/, 'malformed'],
    ['calls by their power', chain(20, 4), undefined, /needs more than 3 times the size of the file/, 'too-large'],
    ['more inputs', [F], [call('F', { inputs: ['x', 'x'] })], /inputs expected at most 1, got 2/, 'malformed'],
    ['more outputs', [F], [call('F', { outputs: ['y', 'z'] })], /outputs expected at most 1, got 2/, 'malformed'],
    ['two of a name', [F, F], undefined, /each function once, got "own\.F" twice/, 'repeated'],
    ['a name of its caller', [{ ...F, nodes: [{ ...neg, inputs: ['x'] }] }], undefined, /got "y\/0\/x"/, 'missing'],
    ['an output that it does not make', [{ ...F, outputs: ['c'] }], undefined, /"y"/, 'missing'],
    [
      'an operator that is not there',
      [{ ...F, nodes: [{ ...neg, op: 'No' }] }],
      undefined,
      /No \("y\/b"\)/,
      'unsupported',
    ],
    ['a function without a name', [{ ...F, name: '' }], undefined, /function\[0\]: expected a name/, 'missing'],
  ])('%s', (_, functions, nodes, message, code) => refused(fileOf(functions, nodes), message, code));
});
