import { expect, it } from 'vitest';
import { loadOnnx, ModelError, parseOnnx } from '../../src/onnx.ts';
import { InferenceSession, Tensor } from '../../src/ort.ts';
import { readFixture, readJson } from '../support/fixtures.ts';
import { message, modelFile } from '../support/onnx-files.ts';
import { soon } from '../support/work.ts';

// Weights in files beside the model, as torch.onnx.export of torch 2.9 and later writes them.

const model = await readFixture('onnx-external/model.onnx');
const data = await readFixture('onnx-external/model.onnx.data');
const whole = await readFixture('onnx-external/whole.onnx');
const { X, Y } = await readJson('onnx-external/expected.json');
const feeds = { X: { data: Float32Array.from(X), dims: [5, 1, 3] } };
const expected = loadOnnx(whole).run(feeds).Y!.data;

const refusal = (call: () => unknown): ModelError => {
  try {
    soon(call);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('expected a ModelError');
};

/** A model of initializers whose data are where `entries` say. */
const external = (...tensors: [dims: number[], entries: Record<string, string>][]) => {
  const graph = message((w) => {
    for (const [i, [dims, entries]] of tensors.entries()) {
      const tensor = message((t) => {
        for (const size of dims) t.tag(1, 0).int64(size);
        t.tag(2, 0).int64(1);
        t.tag(8, 2).string(`t${i}`);
        for (const [key, value] of Object.entries(entries)) {
          t.tag(13, 2).bytes(message((e) => e.tag(1, 2).string(key).tag(2, 2).string(value)));
        }
        t.tag(14, 0).int64(1);
      });
      w.tag(5, 2).bytes(tensor);
    }
  });
  return modelFile(graph, 17);
};

it.each([
  ['an object', { 'model.onnx.data': data }],
  ['a Map', new Map([['model.onnx.data', data]])],
  ['an ArrayBuffer', { 'model.onnx.data': data.slice().buffer }],
  ['a name with ./', { './model.onnx.data': data }],
])('loadOnnx takes them in %s', (_, externalData) => {
  const { Y: y } = loadOnnx(model, { externalData }).run(feeds);
  expect(y!.data).toEqual(expected);
  for (const [i, value] of Y.entries()) expect(y!.data[i]).toBeCloseTo(value, 6);
});

it('InferenceSession.create takes them as onnxruntime-web does', async () => {
  const externalData = [{ path: './model.onnx.data', data }];
  const session = await InferenceSession.create(model, { externalData });
  const { Y: y } = await session.run({ X: new Tensor('float32', feeds.X.data, [5, 1, 3]) });
  expect(y!.data).toEqual(expected);
  const create = (given: unknown) => InferenceSession.create(model, { externalData: given as typeof externalData });
  await expect(create(['model.onnx.data'])).rejects.toThrow(/the address "model.onnx.data": fetch it first/);
  await expect(create([{ path: 'a', data: 'model.onnx.data' }])).rejects.toThrow(/the address/);
  await expect(create([{ path: 1, data }])).rejects.toThrow(TypeError);
  await expect(create([{ path: 'a', data: [1] }])).rejects.toThrow(TypeError);
  await expect(create([null])).rejects.toThrow(TypeError);
  await expect(create({ path: 'a', data })).rejects.toThrow(TypeError);
});

it('parseOnnx takes them, and copies a tensor when it is read', () => {
  const { graph } = parseOnnx(model, { externalData: { 'model.onnx.data': data } });
  const inside = parseOnnx(whole).graph;
  for (const [name, tensor] of graph.initializers) expect(tensor.data).toEqual(inside.initializers.get(name)!.data);
});

it('without them the error names the tensor, the file and what to do', () => {
  const error = refusal(() => loadOnnx(model));
  expect(error.code).toBe('external-data');
  expect(error.message).toBe(
    'onnx: graph.initializer[0]: the data of tensor "W" are in another file, "model.onnx.data": give its bytes by that name in the option externalData, or export with external_data=False',
  );
  expect(refusal(() => parseOnnx(model)).code).toBe('external-data');
  const other = refusal(() => loadOnnx(model, { externalData: { 'other.data': data } }));
  expect(other.message).toMatch(/externalData, which has only "other.data", or export/);
  expect(refusal(() => loadOnnx(model, { externalData: { 'model.onnx.data': data.subarray(8) } })).code).toBe(
    'truncated',
  );
});

it.each<[string, string, Record<string, string>]>([
  ['external-data', 'no name', {}],
  ['external-data', 'a path outside', { location: '../d' }],
  ['external-data', 'a name of Object.prototype', { location: '__proto__' }],
  ['out-of-range', 'a negative offset', { location: 'd', offset: '-4' }],
  ['out-of-range', 'an offset in words', { location: 'd', offset: '0x10' }],
  ['out-of-range', 'an offset beyond 2^53', { location: 'd', offset: '9999999999999999' }],
  ['truncated', 'an offset beyond the file', { location: 'd', offset: '12' }],
  ['wrong-length', 'another length', { location: 'd', length: '4' }],
  ['out-of-range', 'no length', { location: 'd', length: '' }],
])('refuses as %s: %s', (code, _, entries) => {
  const files = { externalData: { d: new Uint8Array(16) } };
  expect(refusal(() => parseOnnx(external([[2], entries]), files)).code).toBe(code);
});

it('reads parts of one file, also the same, without offset or length', () => {
  const d = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  const file = external([[2], { location: 'd' }], [[2], { location: './d', offset: '4' }], [[2], { location: 'd' }]);
  const { initializers } = parseOnnx(file, { externalData: { d } }).graph;
  expect([...initializers.values()].map((tensor) => [...(tensor.data as Float32Array)])).toEqual([
    [1, 2],
    [2, 3],
    [1, 2],
  ]);
});

it('a small model cannot ask for many copies of a large file', () => {
  const d = new Uint8Array(2 ** 24);
  const file = external(
    ...Array.from({ length: 200 }, () => [[2 ** 22], { location: 'd' }] as [number[], Record<string, string>]),
  );
  expect(refusal(() => parseOnnx(file, { externalData: { d } })).code).toBe('too-large');
});

it('refuses other arguments', () => {
  for (const externalData of [null, 1, 'd', { d: 'text' }, { d: [1] }, [data, 'd']]) {
    expect(() => loadOnnx(model, { externalData: externalData as never })).toThrow(TypeError);
    expect(() => parseOnnx(model, { externalData: externalData as never })).toThrow(TypeError);
  }
  expect(() => parseOnnx(model, { kernels: 1 } as never)).toThrow(/unknown option "kernels"/);
});
