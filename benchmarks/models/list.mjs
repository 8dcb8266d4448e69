import { dtln } from './dtln.mjs';
import { keyword, masked, pair, textLine } from './recorded.mjs';
import { silero } from './silero.mjs';
import { answer, input, write } from './synthetic.mjs';

/**
 * One file of a model: a float32 input, `states` that come from an output of the run before (zeros at first), and the outputs that
 * are read. `tflite8` has 8-bit weights.
 * @typedef {{
 *   onnx: () => Promise<Uint8Array>, tflite?: () => Promise<Uint8Array>, tflite8?: () => Promise<Uint8Array>,
 *   input: { name: string, dims: number[] }, states: Record<string, { dims: number[], from: string }>,
 *   constants: Record<string, { type: 'int64', data: BigInt64Array, dims: number[] }>, outputs: string[],
 * }} Part
 *
 * A call of a model runs its parts one after the other. `rehearse` makes calls over all that is compared and returns the output
 * beside the inputs of each call, part by part, which are then timed. `asked`: how many times as long a peer should take.
 * @typedef {{
 *   name: string, bound: number, parts: Part[], asked: Asked[],
 *   rehearse: (players: Player[]) => Promise<{ output: ArrayLike<number>, calls: Float32Array[][] }>,
 *   expected: () => Promise<ArrayLike<number>>,
 * }} Model
 * @typedef {{ us: string, them: string, ratio: number, where: 'node' | 'browser' }} Asked
 *
 * A part in one runtime. `step` takes the input and returns the outputs, or a promise; they are read before the next call. The
 * player keeps the states.
 * @typedef {{ step: (input: Float32Array) => Outputs | Promise<Outputs> }} Player
 * @typedef {ArrayLike<number>[]} Outputs
 */

const asked = (us, them, ratio, where = 'node') => ({ us, them, ratio, where });
const askedOf = (web, node) => [asked('ours', 'ort-web', web), asked('ours', 'ort-node', node)];

const SILERO = [...askedOf(5.5, 2.2), asked('ours as ort', 'ort-web', 4), asked('ours as ort', 'ort-node', 1.6)];
const DTLN = [
  ...askedOf(4.5, 2),
  asked('ours', 'litert', 2.3, 'browser'),
  asked('ours int8', 'litert int8', 2.5, 'browser'),
];
const WHOLE = askedOf(2, 0.8);
const UNITS_40 = askedOf(2, 1.2);
const UNITS_64 = askedOf(1.6, 0.95);
const UNITS_128 = askedOf(1.35, 0.85);
const LONG = [asked('ours', 'ort-web', 1.2), asked('ours int8', 'ort-node', 1.2)];

const relu = (dense) => ({ dense, activation: 'Relu' });

/** @type {Model[]} */
export const MODELS = [
  { name: 'Silero VAD v5, a frame', asked: SILERO, ...silero('v5') },
  { name: 'Silero VAD v6, a frame', asked: SILERO, ...silero('v6') },
  { name: 'Silero VAD legacy, a frame', asked: [], ...silero('legacy') },
  { name: 'DTLN, a block', asked: DTLN, ...dtln() },
  { name: 'CRNN, a line of text', asked: WHOLE, ...textLine() },
  { name: 'keywords, a second', asked: WHOLE, ...keyword() },
  { name: 'seq2seq 32x64, a sentence of 20 and a step', asked: WHOLE, ...pair() },
  { name: 'masked BiLSTM tagger 32x64, a sentence of 40', asked: WHOLE, ...masked() },
  synthetic('VAE encoder 4x40, T 30', UNITS_40, {
    style: 'tf2onnx',
    I: 4,
    T: 30,
    layers: [{ lstm: 40, last: true }],
    heads: [{ dense: 8 }, { dense: 8 }],
  }),
  synthetic('autoencoder 1x32, T 10', UNITS_40, {
    style: 'tf2onnx',
    I: 1,
    T: 10,
    layers: [{ lstm: 32, last: true }, { repeat: 10 }, { lstm: 32 }],
    heads: [{ dense: 1 }],
  }),
  synthetic('sensors 9x32, 2 layers, T 100', UNITS_40, {
    style: 'torch',
    I: 9,
    T: 100,
    layers: [{ lstm: 32 }, { lstm: 32, last: true }],
    heads: [{ dense: 6 }],
  }),
  synthetic('forecast 1x50, T 100', UNITS_64, {
    style: 'torch',
    I: 1,
    T: 100,
    layers: [{ lstm: 50, last: true }],
    heads: [{ dense: 1 }],
  }),
  synthetic('weather 6x64, T 50', UNITS_64, {
    style: 'tf2onnx',
    I: 6,
    T: 50,
    layers: [{ lstm: 64, last: true }, relu(32)],
    heads: [{ dense: 1 }],
  }),
  synthetic('autoencoder 8x64x32, T 30', UNITS_64, {
    style: 'tf2onnx',
    I: 8,
    T: 30,
    layers: [{ lstm: 64 }, { lstm: 32, last: true }, { repeat: 30 }, { lstm: 32 }, { lstm: 64 }],
    heads: [{ dense: 8 }],
  }),
  synthetic('pose 10x128, T 30', UNITS_128, {
    style: 'tf2onnx',
    I: 10,
    T: 30,
    layers: [{ lstm: 128, last: true }, relu(64)],
    heads: [{ dense: 3 }],
  }),
  synthetic('tagger 16x128, 2 layers, T 10', UNITS_128, {
    style: 'torch',
    I: 16,
    T: 10,
    layers: [{ lstm: 128 }, { lstm: 128 }],
    heads: [{ dense: 12 }],
  }),
  synthetic('long 16x256, 2 layers, T 4000', LONG, {
    style: 'torch',
    I: 16,
    T: 4000,
    layers: [{ lstm: 256 }, { lstm: 256 }],
    heads: [{ dense: 4 }],
  }),
];

/** A model of the script's own, compared with float64. */
function synthetic(name, asked, spec) {
  const x = input(spec);
  return {
    name,
    asked,
    bound: 2e-5,
    parts: [
      {
        onnx: async () => write(spec),
        input: { name: 'input', dims: [1, spec.T, spec.I] },
        constants: {},
        states: {},
        outputs: spec.heads.map((_, i) => `head${i}`),
      },
    ],
    rehearse: async ([player]) => ({ output: joined(await player.step(x)), calls: [[x]] }),
    expected: async () => joined(answer(spec)),
  };
}

const joined = (arrays) => arrays.flatMap((array) => [...array]);
