import { describe, expect, test } from 'vitest';
import { bytesUsed } from '../../src/index.ts';
import { loadOnnx, ModelError, type OnnxFeed } from '../../src/onnx.ts';
import { readFixture } from '../support/fixtures.ts';
import { graphProto, message, modelFile, onnxFile, tensorProto } from '../support/onnx-files.ts';

// How a model is fed, and what holds of every one.

const floats = (...values: number[]) => Float32Array.from(values);
const vector = (...values: number[]): OnnxFeed => ({ data: floats(...values), dims: [values.length] });

describe('run', () => {
  // a computed key, since a literal one would be the prototype
  const PROTO = '__proto__';
  const add = () =>
    loadOnnx(
      onnxFile({
        nodes: [{ op: 'Add', inputs: ['a', '__proto__'], outputs: ['y'] }],
        inputs: { a: ['n', 2], [PROTO]: [2] },
      }),
    );
  const feeds = (change: Record<string, unknown> = {}) =>
    new Map<string, OnnxFeed>(
      Object.entries({
        a: { data: floats(1, 2, 3, 4), dims: [2, 2] },
        [PROTO]: vector(10, 20),
        ...change,
      }) as never,
    );

  test('lists inputs and outputs, takes feeds in a Map or an object, and allows any name', () => {
    const session = add();
    expect(session.inputs).toEqual([
      { name: 'a', type: 'float32', dims: ['n', 2] },
      { name: '__proto__', type: 'float32', dims: [2] },
    ]);
    expect(session.outputs).toEqual([{ name: 'y', type: 'float32', dims: undefined }]);
    expect(session.lstms).toEqual([]);
    const { y } = session.run(feeds());
    expect(y).toEqual({ data: floats(11, 22, 13, 24), dims: [2, 2], type: 'float32' });
    const object = Object.fromEntries(feeds());
    expect(session.run(object)).toEqual(session.run(feeds()));
    expect(Object.getPrototypeOf(session.run(object))).toBe(null);
    session.dispose();
    session.dispose();
    expect(() => session.run(object)).toThrow('onnx: used after dispose()');
  });

  // browsers hide SharedArrayBuffer from pages that are not isolated, but not this
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['a feed too many', { b: vector(1) }, /unknown feed "b", expected "a", "__proto__"/],
    ['another rank', { a: vector(1, 2) }, /"feed a.dims" expected \[n, 2\], got \[2\]/],
    ['another size', { a: { data: floats(1, 2, 3), dims: [1, 3] } }, /"feed a.dims" expected \[n, 2\], got \[1, 3\]/],
    ['data too short', { a: { data: floats(1, 2, 3), dims: [2, 2] } }, /"feed a.data" expected 4 elements/],
    [
      'an array for a tensor',
      { a: Float32Array.of(1, 2) },
      /"feed a" expected a tensor { data, dims }, got a Float32Array/,
    ],
    ['a wrong array', { a: { data: Int32Array.of(1, 2), dims: [1, 2] } }, /"feed a.data" expected a Float32Array/],
    ['a wrong type', { a: { data: floats(1, 2), dims: [1, 2], type: 'float16' } }, /"feed a.type" expected float32/],
    ['a negative size', { a: { data: floats(), dims: [-1, 2] } }, /"feed a.dims" expected an array of integers/],
    ['no dims', { a: { data: floats() } }, /"feed a.dims" expected an array/],
    ['no tensor', { a: null }, /"feed a" expected a tensor/],
    ['undefined', { a: undefined }, /"feed a" expected a tensor/],
    ['shared memory', { a: { data: new Float32Array(shared, 0, 2), dims: [1, 2] } }, /view of an ArrayBuffer/],
  ])('refuses %s by name', (_, change, expected) => {
    const session = add();
    expect(() => session.run(feeds(change))).toThrow(expected);
    const missing = feeds();
    missing.delete('a');
    expect(() => session.run(missing)).toThrow('run: missing feed "a"');
    expect(() => session.run(undefined as never)).toThrow(TypeError);
    expect(session.run(feeds()).y!.data).toEqual(floats(11, 22, 13, 24));
    session.dispose();
  });

  test('refuses a detached feed', () => {
    const session = add();
    const data = floats(1, 2);
    structuredClone(data, { transfer: [data.buffer] });
    expect(() => session.run(feeds({ a: { data, dims: [1, 2] } }))).toThrow(/expected 2 elements/);
    session.dispose();
  });

  test('names the node whose inputs have shapes that do not fit', () => {
    const session = loadOnnx(
      onnxFile({ nodes: [{ op: 'Add', name: 'sum', inputs: ['a', 'b'] }], inputs: { a: ['n'], b: ['m'] } }),
    );
    const call = () => session.run({ a: vector(1, 2), b: vector(1, 2, 3) });
    expect(call).toThrow(ModelError);
    expect(call).toThrow('onnx: node "sum" (Add): inputs expected dims that stretch to each other, got [2] and [3]');
    session.dispose();
  });

  test('gives results that share nothing with feeds, weights or each other', () => {
    const session = loadOnnx(
      onnxFile({
        nodes: [
          { op: 'Identity', inputs: ['a'], outputs: ['y'] },
          { op: 'Identity', inputs: ['a'], outputs: ['z'] },
          { op: 'Identity', inputs: ['c'], outputs: ['w'] },
        ],
        inputs: { a: [2] },
        outputs: { y: [2], z: [2], w: [2] },
        initializers: [tensorProto('c', [2], floats(5, 6))],
      }),
    );
    const a = vector(1, 2);
    const first = session.run({ a });
    for (const { data } of Object.values(first)) data.fill(9 as never);
    expect(a.data).toEqual(floats(1, 2));
    expect(session.run({ a }).w!.data).toEqual(floats(5, 6));
    session.dispose();
  });

  test('an input with an initializer is a constant and not fed', () => {
    const session = loadOnnx(
      onnxFile({
        nodes: [{ op: 'Mul', inputs: ['a', 'c'] }],
        inputs: { a: [2], c: [2] },
        initializers: [tensorProto('c', [2], floats(5, 6))],
      }),
    );
    expect(session.inputs.map(({ name }) => name)).toEqual(['a']);
    expect(session.run({ a: vector(1, 2) }).y!.data).toEqual(floats(5, 12));
    expect(() => session.run({ a: vector(1, 2), c: vector(1, 2) })).toThrow(/unknown feed "c"/);
    session.dispose();
  });
});

test('one error lists every unsupported operator with its nodes', () => {
  const call = () =>
    loadOnnx(
      onnxFile({
        nodes: [
          { op: 'Unique', name: 'first', inputs: ['x'] },
          { op: 'Relu', inputs: ['x'], outputs: ['r'] },
          { op: 'Unique', inputs: ['x'], outputs: ['second'] },
          { op: 'Relu', domain: 'com.example', name: 'other', inputs: ['x'], outputs: ['o'] },
        ],
        inputs: { x: [1] },
        outputs: { y: undefined, r: undefined, second: undefined, o: undefined },
      }),
    );
  expect(call).toThrow(
    'onnx: graph: operators that are not supported: Unique ("first", "second"); com.example.Relu ("other")',
  );
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ code: 'unsupported', found: ['Unique', 'com.example.Relu'] });
  }
});

test('an operator is unsupported before the operator set that added it', () => {
  const load = (opset: number) =>
    loadOnnx(onnxFile({ nodes: [{ op: 'LayerNormalization', inputs: ['x', 'x'] }], inputs: { x: [2] } }, opset));
  expect(() => load(16)).toThrow(/not supported: LayerNormalization/);
  load(17).dispose();
  for (const opset of [6, 29])
    expect(() => load(opset)).toThrow(`expected an operator set of ONNX from 7 to 28, got ${opset}`);
});

test('a model in float16 is computed in float32 between its Casts', () => {
  const half = message((w) => {
    for (const size of [2, 1]) w.tag(1, 0).int64(size);
    w.tag(2, 0).int64(10);
    w.tag(8, 2).string('w');
    w.tag(9, 2).bytes(Uint8Array.of(0, 0x3c, 0, 0x38));
  });
  const session = loadOnnx(
    onnxFile({
      nodes: [
        { op: 'Cast', inputs: ['x'], outputs: ['h'], attributes: { to: 10 } },
        { op: 'MatMul', inputs: ['h', 'w'], outputs: ['p'] },
        { op: 'Cast', inputs: ['p'], attributes: { to: 1 } },
      ],
      inputs: { x: [1, 2] },
      initializers: [half],
    }),
  );
  const { y } = session.run({ x: { data: floats(1.0005, 2), dims: [1, 2] } });
  expect(y).toEqual({ type: 'float32', dims: [1, 1], data: floats(2.0009765625) });
  session.dispose();
});

test('allows a decoder that makes a long sequence from two numbers', () => {
  const H = 512;
  const session = loadOnnx(
    onnxFile({
      nodes: [
        { op: 'Expand', inputs: ['z', 'dims'], outputs: ['steps'] },
        { op: 'LSTM', inputs: ['steps', 'W', 'R'], attributes: { hidden_size: H } },
      ],
      inputs: { z: [1, 1, 2] },
      initializers: [
        tensorProto('dims', [3], BigInt64Array.of(200n, 1n, 1n)),
        tensorProto('W', [1, 4 * H, 2], new Float32Array(8 * H).fill(0.1)),
        tensorProto('R', [1, 4 * H, H], new Float32Array(4 * H * H)),
      ],
    }),
  );
  expect(session.run({ z: { data: floats(1, 2), dims: [1, 1, 2] } }).y!.dims).toEqual([200, 1, 1, H]);
  session.dispose();
});

test('repeated runs do not grow memory, and dispose gives all of it back', async () => {
  const before = bytesUsed();
  const session = loadOnnx(await readFixture('onnx-ort/torch_tagger_2l_bi.onnx'));
  const x = { data: new Float32Array(3 * 9 * 10), dims: [3, 9, 10] };
  session.run({ x });
  const used = bytesUsed();
  expect(used).toBeGreaterThan(before);
  for (let i = 0; i < 50; i++) session.run({ x });
  expect(bytesUsed()).toBe(used);
  session.dispose();
  expect(bytesUsed()).toBe(before);
});

test('a model that fails to load gives its memory back', () => {
  const before = bytesUsed();
  const file = modelFile(
    graphProto({
      nodes: [
        { op: 'MatMul', inputs: ['x', 'w'], outputs: ['m'] },
        { op: 'Transpose', inputs: ['w'], attributes: { perm: [0, 0] } },
      ],
      inputs: { x: [1, 64] },
      initializers: [tensorProto('w', [64, 64], new Float32Array(4096))],
    }),
    13,
  );
  expect(() => loadOnnx(file)).toThrow(/perm expected the axes/);
  expect(bytesUsed()).toBe(before);
});
