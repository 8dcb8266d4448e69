import { expect, it } from 'vitest';
import { loadOnnx } from '../src/onnx.ts';
import { InferenceSession, Tensor } from '../src/ort.ts';
import { onnxFile } from './support/onnx-files.ts';

const FLOAT16 = 10;
const file = onnxFile({
  nodes: [{ op: 'Neg', inputs: ['x'] }],
  inputs: { x: [2] },
  types: { x: FLOAT16 },
});
/** 1 and -2 in binary16 */
const bits = Uint16Array.of(0x3c00, 0xc000);
const negated = Float32Array.of(-1, 2);

it('an input of float16 takes bits, halves where the engine has them, and float32', async () => {
  const session = loadOnnx(file);
  const give = (feed: object) => session.run({ x: { dims: [2], ...feed } as never }).y;
  expect(give({ data: bits })).toEqual({ data: negated, dims: [2], type: 'float32' });
  expect(give({ data: bits, type: 'float16' })?.data).toEqual(negated);
  expect(give({ data: Float32Array.of(1, -2) })?.data).toEqual(negated);
  expect(() => give({ data: bits, type: 'float32' })).toThrow(TypeError);
  expect(() => give({ data: Int16Array.of(1, 2) })).toThrow(TypeError);
  const Halves = (globalThis as { Float16Array?: { of(...numbers: number[]): unknown } }).Float16Array;
  if (Halves) expect(give({ data: Halves.of(1, -2), type: 'float16' })?.data).toEqual(negated);

  const ort = await InferenceSession.create(file);
  const { y } = await ort.run({ x: new Tensor('float16', bits, [2]) });
  expect(y!.data).toEqual(negated);
});

it('an input of float32 takes no float16', async () => {
  const session = loadOnnx(onnxFile({ nodes: [{ op: 'Neg', inputs: ['x'] }], inputs: { x: [2] } }));
  expect(() => session.run({ x: { data: bits, dims: [2] } })).toThrow(/a Float32Array \(float32\), got a Uint16Array/);
  expect(() => session.run({ x: { data: bits, dims: [2], type: 'float16' } })).toThrow(/float32, got "float16"/);
});

it('a Tensor of float16 takes bits, and no numbers', () => {
  expect(new Tensor('float16', bits)).toMatchObject({ type: 'float16', dims: [2], size: 2 });
  expect(() => new Tensor('float16', [1, 2] as never)).toThrow(/a Uint16Array or a Float16Array for float16/);
  expect(() => new Tensor('float16', Float32Array.of(1) as never)).toThrow(TypeError);
  expect(() => new Tensor(bits as never)).toThrow(TypeError);
});

it('a structured clone of a Tensor keeps its data, and so does what postMessage takes', () => {
  const tensor = new Tensor('float32', Float32Array.of(1, 2), [2]);
  expect({ ...structuredClone(tensor) }).toEqual({
    cpuData: Float32Array.of(1, 2),
    dataLocation: 'cpu',
    type: 'float32',
    dims: [2],
    size: 2,
  });
  expect((tensor as unknown as { cpuData: unknown }).cpuData).toBe(tensor.data);
  tensor.dispose();
  expect(tensor.location).toBe('none');
  expect(structuredClone(tensor)).toMatchObject({ cpuData: undefined, dataLocation: 'none' });
});
