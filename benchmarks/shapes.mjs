/**
 * What is measured: I x H, named for where such sizes come from. A stream (batch 1) is timed by the step and carries its
 * state; a sequence is timed whole, from a state of zeros.
 * @typedef {{ from: string, stream: boolean, I: number, H: number, L: number, D: number, T: number, B: number }} Shape
 */

/** Steps that a stream's outputs are compared over, and the inputs that it is timed with, round and round. */
const STREAM_STEPS = 64;

const stream = (from, I, H) => ({ from, stream: true, I, H, L: 1, D: 1, T: STREAM_STEPS, B: 1 });
const sequence = (from, I, H, T, { L = 1, D = 1, B = 1 } = {}) => ({ from, stream: false, I, H, L, D, T, B });

/** @type {Shape[]} */
export const SHAPES = [
  stream('guitar amp', 1, 8),
  stream('guitar amp', 1, 16),
  stream('guitar amp', 1, 40),
  stream('odd sizes', 33, 77),
  stream('voice activity', 64, 64),
  stream('odd sizes', 100, 300),
  stream('voice activity', 128, 128),
  stream('speech', 256, 256),
  stream('speech', 512, 512),
  stream('language model of 2016', 1024, 1024),
  sequence('odd sizes', 33, 77, 100),
  sequence('keywords', 40, 128, 100, { L: 2 }),
  sequence('odd sizes', 100, 300, 100),
  sequence('speech encoder', 128, 256, 200, { L: 2 }),
  sequence('speech encoder', 80, 256, 200, { L: 2, D: 2 }),
  sequence('speech', 512, 512, 100),
  sequence('language model of 2016', 1024, 1024, 50),
  sequence('batch of keywords', 64, 128, 50, { L: 2, B: 32 }),
  sequence('batch of speech', 128, 256, 100, { B: 8 }),
  sequence('batch of speech', 256, 512, 64, { B: 16 }),
];

/** @param {Shape} shape */
export function nameOf({ stream, I, H, L, D, T, B }) {
  if (stream) return `stream ${I}x${H}`;
  const parts = [`${I}x${H}`, L > 1 && `${L} layers`, D > 1 && 'bidirectional', `T ${T}`, B > 1 && `B ${B}`];
  return parts.filter(Boolean).join(' ');
}

/** Multiply-adds of the products times two: of one step of a stream, or of the whole sequence. */
export function flopsOf({ stream, I, H, L, D, T, B }) {
  let perRow = 0;
  for (let layer = 0; layer < L; layer++) perRow += D * 8 * H * ((layer === 0 ? I : D * H) + H);
  return stream ? perRow : perRow * T * B;
}

/** Uniform in -1 .. 1 from a seed (mulberry32), the same numbers in every process. */
export function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** A state dict with PyTorch's keys and its initialisation: uniform in ±1/sqrt(H). */
export function weightsOf({ I, H, L, D }) {
  const next = generator(1);
  const bound = 1 / Math.sqrt(H);
  const tensor = (...dims) => {
    const data = new Float32Array(dims.reduce((product, size) => product * size));
    for (let i = 0; i < data.length; i++) data[i] = next() * bound;
    return { data, dims };
  };
  const weights = new Map();
  for (let layer = 0; layer < L; layer++) {
    for (let direction = 0; direction < D; direction++) {
      const suffix = suffixOf(layer, direction);
      weights.set(`weight_ih${suffix}`, tensor(4 * H, layer === 0 ? I : D * H));
      weights.set(`weight_hh${suffix}`, tensor(4 * H, H));
      weights.set(`bias_ih${suffix}`, tensor(4 * H));
      weights.set(`bias_hh${suffix}`, tensor(4 * H));
    }
  }
  return weights;
}

export const suffixOf = (layer, direction) => `_l${layer}${direction ? '_reverse' : ''}`;

/** [T][B][I], uniform in -1 .. 1 */
export function inputOf({ I, T, B }) {
  const next = generator(2);
  return Float32Array.from({ length: T * B * I }, next);
}

/** PyTorch's rows are in the order i, f, g, o; ONNX has i, o, f, g. */
export function onnxRows({ data, dims }) {
  const [rows, K = 1] = dims;
  const gate = (rows / 4) * K;
  const result = new Float32Array(data.length);
  [0, 3, 1, 2].forEach((from, to) => {
    result.set(data.subarray(from * gate, (from + 1) * gate), to * gate);
  });
  return result;
}
