import { expect, it } from 'vitest';
import { bytesUsed, LSTM, type TensorLike } from '../../src/index.ts';
import { loadOnnx, type OnnxFeed, type OnnxOptions } from '../../src/onnx.ts';
import { dictBits } from '../support/bits.ts';
import { readFixture } from '../support/fixtures.ts';
import { INT8, largest } from '../support/onnx-quantize.ts';

// DTLN with 8-bit weights: its second model writes its LSTMs out in MatMuls, and begins and ends with a Conv.

const FRAME = 512;
const BLOCKS = 100;

/** What the second model makes of a recording, its states carried. */
function denoise(file: Uint8Array, samples: Float32Array, options?: OnnxOptions) {
  const before = bytesUsed();
  const session = loadOnnx(file, options);
  const bytes = bytesUsed() - before;
  let states: OnnxFeed = { data: new Float32Array(FRAME), dims: [1, 2, 128, 2] };
  const frames = Array.from({ length: BLOCKS }, (_, block) => {
    const frame = { data: samples.slice(128 * block, 128 * block + FRAME), dims: [1, 1, FRAME] };
    const results = session.run({ input_4: frame, input_5: states });
    states = results.tf_op_layer_stack_5!;
    return results.conv1d_3! as TensorLike;
  });
  session.dispose();
  expect(bytesUsed()).toBe(before);
  return { bytes, frames: frames.flatMap(({ data }) => [...data]) };
}

it('DTLN is near itself in float32, in about a quarter of the memory', async () => {
  const wav = await readFixture('dtln/austen-white-hum.wav');
  const samples = Float32Array.from(new Int16Array(wav.slice(44).buffer), (value) => value / 32768);
  const file = await readFixture('dtln/model_2.onnx');
  const [float, small] = [undefined, INT8].map((options) => denoise(file, samples, options));
  expect(small!.bytes / float!.bytes).toBeLessThan(0.28);
  const apart = largest(float!.frames.map((x, i) => x - small!.frames[i]!));
  expect(largest(float!.frames)).toBeGreaterThan(0.1);
  expect(apart).toBeGreaterThan(1e-4);
  expect(apart).toBeLessThan(0.02);
});

it('LSTM nodes of DTLN have the weights of quantize()', async () => {
  const file = await readFixture('dtln/model_1.onnx');
  const [float, small] = [loadOnnx(file), loadOnnx(file, INT8)];
  expect(small.lstms).toHaveLength(2);
  for (const [i, { stateDict }] of small.lstms.entries()) {
    const lstm = LSTM.fromStateDict(float.lstms[i]!.stateDict!);
    const quantized = lstm.quantize();
    expect(dictBits(stateDict!)).toEqual(dictBits(quantized.stateDict()));
    for (const module of [lstm, quantized]) module.dispose();
  }
  for (const session of [float, small]) session.dispose();
});
