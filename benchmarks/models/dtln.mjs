import { bytesOf, samplesOf } from './files.mjs';

const FRAME = 512;
const SHIFT = 128;
const BINS = 257;
/** Blocks that are compared, and that are timed round and round. */
const BLOCKS = 150;

const FIXTURES = 'test/fixtures/dtln/';
const LITERT = 'benchmarks/models/fixtures/';
const STATE = [1, 2, 128, 2];

const angle = (i) => (2 * Math.PI * i) / FRAME;
const cosines = Float64Array.from({ length: FRAME }, (_, i) => Math.cos(angle(i)));
const sines = Float64Array.from({ length: FRAME }, (_, i) => Math.sin(angle(i)));

/**
 * DTLN as its authors run it, 8 ms at a time: spectrum, the mask of model_1, the frame through model_2, overlap-add. The result is
 * compared with what onnxruntime-node gave; the two models alone are timed.
 * @returns {Pick<import('./list.mjs').Model, 'bound' | 'parts' | 'rehearse' | 'expected'>}
 */
export function dtln() {
  return {
    bound: 1e-5,
    parts: [
      part(1, { name: 'input_2', dims: [1, 1, BINS] }, 'input_3', 'tf_op_layer_stack_2', 'activation_2'),
      part(2, { name: 'input_4', dims: [1, 1, FRAME] }, 'input_5', 'tf_op_layer_stack_5', 'conv1d_3'),
    ],
    async rehearse([one, two]) {
      const samples = await samplesOf(`${FIXTURES}austen-white-hum.wav`);
      const output = new Float32Array(BLOCKS * SHIFT);
      const frame = new Float32Array(FRAME);
      const sum = new Float32Array(FRAME);
      const calls = [];
      for (let block = 0; block < BLOCKS; block++) {
        const next = (block + 1) * SHIFT;
        frame.copyWithin(0, SHIFT);
        frame.set(samples.subarray(next - SHIFT, next), FRAME - SHIFT);
        const { real, imaginary } = spectrum(frame);
        const magnitudes = Float32Array.from(real, (x, k) => Math.hypot(x, imaginary[k]));
        const [mask] = await one.step(magnitudes);
        const masked = signal(
          real.map((x, k) => x * mask[k]),
          imaginary.map((x, k) => x * mask[k]),
        );
        const [decoded] = await two.step(masked);
        sum.copyWithin(0, SHIFT);
        sum.fill(0, FRAME - SHIFT);
        for (let n = 0; n < FRAME; n++) sum[n] += decoded[n];
        output.set(sum.subarray(0, SHIFT), block * SHIFT);
        calls.push([magnitudes, masked]);
      }
      return { output, calls };
    },
    async expected() {
      const { buffer } = (await bytesOf(`${FIXTURES}austen-white-hum.f32`)).slice();
      return new Float32Array(buffer, 0, BLOCKS * SHIFT);
    },
  };
}

function part(number, input, state, from, output) {
  return {
    onnx: () => bytesOf(`${FIXTURES}model_${number}.onnx`),
    tflite: () => bytesOf(`${LITERT}model_${number}.tflite`),
    tflite8: () => bytesOf(`${LITERT}model_quant_${number}.tflite`),
    input,
    constants: {},
    states: { [state]: { dims: STATE, from } },
    outputs: [output],
  };
}

function spectrum(frame) {
  const real = new Float64Array(BINS);
  const imaginary = new Float64Array(BINS);
  for (let k = 0; k < BINS; k++) {
    for (let n = 0; n < FRAME; n++) {
      real[k] += frame[n] * cosines[(k * n) % FRAME];
      imaginary[k] -= frame[n] * sines[(k * n) % FRAME];
    }
  }
  return { real, imaginary };
}

function signal(real, imaginary) {
  const frame = new Float32Array(FRAME);
  for (let n = 0; n < FRAME; n++) {
    let sum = real[0] + (n % 2 ? -1 : 1) * real[BINS - 1];
    for (let k = 1; k < BINS - 1; k++) {
      sum += 2 * (real[k] * cosines[(k * n) % FRAME] - imaginary[k] * sines[(k * n) % FRAME]);
    }
    frame[n] = sum / FRAME;
  }
  return frame;
}
