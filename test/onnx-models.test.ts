import { expect, test } from 'vitest';
import { bytesUsed } from '../src/index.ts';
import { loadOnnx, type OnnxResult } from '../src/onnx.ts';
import { readFixture } from './support/fixtures.ts';

// DTLN, 8 ms at a time, as its authors run it: spectrum, mask by model_1, the frame through model_2, overlap-add. The answers
// of ONNX Runtime are in test/fixtures/dtln.

const FRAME = 512;
const SHIFT = 128;
const BINS = 257;
const cosines = Float64Array.from({ length: FRAME }, (_, i) => Math.cos((2 * Math.PI * i) / FRAME));
const sines = Float64Array.from({ length: FRAME }, (_, i) => Math.sin((2 * Math.PI * i) / FRAME));

function spectrum(frame: Float32Array): { real: Float64Array; imaginary: Float64Array } {
  const real = new Float64Array(BINS);
  const imaginary = new Float64Array(BINS);
  for (let k = 0; k < BINS; k++) {
    for (let n = 0; n < FRAME; n++) {
      real[k]! += frame[n]! * cosines[(k * n) % FRAME]!;
      imaginary[k]! -= frame[n]! * sines[(k * n) % FRAME]!;
    }
  }
  return { real, imaginary };
}

function signal(real: Float64Array, imaginary: Float64Array): Float32Array {
  const frame = new Float32Array(FRAME);
  for (let n = 0; n < FRAME; n++) {
    let sum = real[0]! + (n % 2 ? -1 : 1) * real[BINS - 1]!;
    for (let k = 1; k < BINS - 1; k++) {
      sum += 2 * (real[k]! * cosines[(k * n) % FRAME]! - imaginary[k]! * sines[(k * n) % FRAME]!);
    }
    frame[n] = sum / FRAME;
  }
  return frame;
}

test('DTLN frame by frame gives what ONNX Runtime gives, and its memory does not grow', async () => {
  const wav = await readFixture('dtln/austen-white-hum.wav');
  const samples = Float32Array.from(new Int16Array(wav.slice(44).buffer), (value) => value / 32768);
  const expected = new Float32Array((await readFixture('dtln/austen-white-hum.f32')).slice().buffer);
  expect(samples).toHaveLength(expected.length);
  const before = bytesUsed();
  const one = loadOnnx(await readFixture('dtln/model_1.onnx'));
  const two = loadOnnx(await readFixture('dtln/model_2.onnx'));
  expect(one.lstms.map(({ name, why }) => [name, why])).toEqual([
    ['lstm_4', undefined],
    ['lstm_5', undefined],
  ]);
  expect(two.lstms).toEqual([]);
  const frame = new Float32Array(FRAME);
  const sum = new Float32Array(FRAME);
  const zeros = () => ({ data: new Float32Array(FRAME), dims: [1, 2, 128, 2] });
  let states: Pick<OnnxResult, 'data' | 'dims'>[] = [zeros(), zeros()];
  let worst = 0;
  let used = 0;
  for (let block = 0; block < samples.length / SHIFT; block++) {
    frame.copyWithin(0, SHIFT);
    frame.set(samples.subarray(block * SHIFT, (block + 1) * SHIFT), FRAME - SHIFT);
    const { real, imaginary } = spectrum(frame);
    const magnitude = Float32Array.from(real, (x, k) => Math.hypot(x, imaginary[k]!));
    const a = one.run({ input_2: { data: magnitude, dims: [1, 1, BINS] }, input_3: states[0]! });
    const mask = a.activation_2!.data as Float32Array;
    const masked = signal(
      real.map((x, k) => x * mask[k]!),
      imaginary.map((x, k) => x * mask[k]!),
    );
    const b = two.run({ input_4: { data: masked, dims: [1, 1, FRAME] }, input_5: states[1]! });
    states = [a.tf_op_layer_stack_2!, b.tf_op_layer_stack_5!];
    sum.copyWithin(0, SHIFT);
    sum.fill(0, FRAME - SHIFT);
    const decoded = b.conv1d_3!.data as Float32Array;
    for (let n = 0; n < FRAME; n++) sum[n]! += decoded[n]!;
    for (let n = 0; n < SHIFT; n++) {
      const difference = Math.abs(sum[n]! - expected[block * SHIFT + n]!);
      worst = Math.max(worst, difference);
    }
    if (block === 1) used = bytesUsed();
  }
  expect(worst).toBeLessThanOrEqual(1e-5);
  expect(bytesUsed()).toBe(used);
  expect(used - before).toBeGreaterThan(3_900_000);
  one.dispose();
  two.dispose();
  expect(bytesUsed()).toBe(before);
});
