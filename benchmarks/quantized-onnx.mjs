// Published ONNX models with 8-bit weights beside themselves in float32: Silero VAD over a recording of speech and noise, DTLN over
// a noisy sentence, both models and all states carried as their authors do.
import { readFileSync } from 'node:fs';
import { loadOnnx } from 'lstm-wasm/onnx';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url));
const fixture = (path) => read(`test/fixtures/${path}`);

/** Samples of a WAV file of 16-bit integers. */
const samplesOf = (wav) =>
  Float32Array.from(new Int16Array(Uint8Array.from(wav.subarray(44)).buffer), (x) => x / 32768);

/** Speech probabilities of Silero VAD, a frame of 512 samples after 64 of the one before. */
export function silero(options) {
  const session = loadOnnx(read('node_modules/@ricky0123/vad-web/dist/silero_vad_v5.onnx'), options);
  const samples = samplesOf(fixture('vad/mixed.wav'));
  const input = new Float32Array(64 + 512);
  const sr = { data: BigInt64Array.of(16000n), dims: [] };
  let state = { data: new Float32Array(256), dims: [2, 1, 128] };
  const probabilities = [];
  for (let at = 0; at + 512 <= samples.length; at += 512) {
    input.copyWithin(0, 512);
    input.set(samples.subarray(at, at + 512), 64);
    const { output, stateN } = session.run({ input: { data: input, dims: [1, 576] }, sr, state });
    state = stateN;
    probabilities.push(output.data[0]);
  }
  session.dispose();
  return Float32Array.from(probabilities);
}

const FRAME = 512;
const BINS = 257;
const SHIFT = 128;
const turn = Array.from({ length: FRAME }, (_, i) => (2 * Math.PI * i) / FRAME);
const [cosines, sines] = [turn.map(Math.cos), turn.map(Math.sin)];

function spectrum(frame) {
  const [real, imaginary] = [new Float64Array(BINS), new Float64Array(BINS)];
  for (let k = 0; k < BINS; k++) {
    for (let n = 0; n < FRAME; n++) {
      real[k] += frame[n] * cosines[(k * n) % FRAME];
      imaginary[k] -= frame[n] * sines[(k * n) % FRAME];
    }
  }
  return { real, imaginary };
}

function signal(real, imaginary) {
  return Float32Array.from({ length: FRAME }, (_, n) => {
    let sum = real[0] + (n % 2 ? -1 : 1) * real[BINS - 1];
    for (let k = 1; k < BINS - 1; k++) {
      sum += 2 * (real[k] * cosines[(k * n) % FRAME] - imaginary[k] * sines[(k * n) % FRAME]);
    }
    return sum / FRAME;
  });
}

/** The masks of DTLN's first model, and the denoised samples. */
export function dtln(options) {
  const [one, two] = ['1', '2'].map((n) => loadOnnx(fixture(`dtln/model_${n}.onnx`), options));
  const samples = samplesOf(fixture('dtln/austen-white-hum.wav'));
  const frame = new Float32Array(FRAME);
  const sum = new Float32Array(FRAME);
  let states = [1, 2].map(() => ({ data: new Float32Array(FRAME), dims: [1, 2, 128, 2] }));
  const masks = [];
  const denoised = [];
  for (let at = 0; at + SHIFT <= samples.length; at += SHIFT) {
    frame.copyWithin(0, SHIFT);
    frame.set(samples.subarray(at, at + SHIFT), FRAME - SHIFT);
    const { real, imaginary } = spectrum(frame);
    const magnitude = Float32Array.from(real, (x, k) => Math.hypot(x, imaginary[k]));
    const a = one.run({ input_2: { data: magnitude, dims: [1, 1, BINS] }, input_3: states[0] });
    const mask = a.activation_2.data;
    const scaled = (values) => values.map((x, k) => x * mask[k]);
    const masked = signal(scaled(real), scaled(imaginary));
    const b = two.run({ input_4: { data: masked, dims: [1, 1, FRAME] }, input_5: states[1] });
    states = [a.tf_op_layer_stack_2, b.tf_op_layer_stack_5];
    sum.copyWithin(0, SHIFT);
    sum.fill(0, FRAME - SHIFT);
    for (let n = 0; n < FRAME; n++) sum[n] += b.conv1d_3.data[n];
    masks.push(...mask);
    denoised.push(...sum.subarray(0, SHIFT));
  }
  one.dispose();
  two.dispose();
  return { masks: Float32Array.from(masks), denoised: Float32Array.from(denoised) };
}
