import { expect, it } from 'vitest';
import { loadOnnx } from '../src/onnx.ts';
import { InferenceSession, Tensor } from '../src/ort.ts';
import { onnxFile } from './support/onnx-files.ts';
import { INT8, initializer, tensor } from './support/onnx-quantize.ts';

const x = tensor(1, 2, 30);
const file = onnxFile({
  nodes: [{ op: 'MatMul', inputs: ['x', 'w'] }],
  inputs: { x: [2, 30] },
  initializers: [initializer('w', tensor(2, 30, 40))],
});

it('InferenceSession.create takes quantize as loadOnnx does', async () => {
  const sessions = [undefined, INT8].map((options) => loadOnnx(file, options));
  const [float, small] = sessions.map((session) => session.run({ x: x as never }).y!.data);
  const session = await InferenceSession.create(file, { quantize: 8 });
  const { y } = await session.run({ x: new Tensor('float32', x.data as Float32Array, [2, 30]) });
  expect(y!.data).toEqual(small);
  expect(y!.data).not.toEqual(float);
  await session.release();
  for (const each of sessions) each.dispose();
});

it('refuses other numbers of bits', async () => {
  const create = InferenceSession.create(file, { quantize: 16 as 8 });
  await expect(create).rejects.toThrow(new RangeError('loadOnnx: "quantize" expected 8, got 16'));
});
