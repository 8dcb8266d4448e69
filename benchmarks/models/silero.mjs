import { bytesOf, jsonOf, samplesOf } from './files.mjs';

const RATE = 16_000;
/** Frames that the probabilities are compared over, and that are timed round and round. */
const FRAMES = 120;

const FORMS = {
  v5: { frame: 512, context: 64, states: { state: { dims: [2, 1, 128], from: 'stateN' } } },
  v6: { frame: 512, context: 64, states: { state: { dims: [2, 1, 128], from: 'stateN' } } },
  legacy: {
    frame: 1536,
    context: 0,
    states: { h: { dims: [2, 1, 64], from: 'hn' }, c: { dims: [2, 1, 64], from: 'cn' } },
  },
};

/**
 * Silero VAD, the files as they are, frame by frame over a recording: in v5 and v6 the last samples of the frame before come in
 * front. Compared with the probabilities that onnxruntime-node gave.
 * @param {keyof typeof FORMS} form
 * @returns {Pick<import('./list.mjs').Model, 'bound' | 'parts' | 'rehearse' | 'expected'>}
 */
export function silero(form) {
  const { frame, context, states } = FORMS[form];
  const part = {
    onnx: () => bytesOf(`node_modules/@ricky0123/vad-web/dist/silero_vad_${form}.onnx`),
    input: { name: 'input', dims: [1, context + frame] },
    constants: { sr: { type: 'int64', data: BigInt64Array.of(BigInt(RATE)), dims: [] } },
    states,
    outputs: ['output'],
  };
  return {
    bound: 5e-5,
    parts: [part],
    async rehearse([player]) {
      const samples = await samplesOf('test/fixtures/vad/mixed.wav');
      const output = new Float32Array(FRAMES);
      const calls = [];
      for (let i = 0; i < FRAMES; i++) {
        const input = new Float32Array(context + frame);
        const start = i * frame - context;
        input.set(samples.subarray(Math.max(start, 0), start + input.length), Math.max(-start, 0));
        calls.push([input]);
        [[output[i]]] = await player.step(input);
      }
      return { output, calls };
    },
    async expected() {
      const probabilities = await jsonOf('test/fixtures/vad/silero.json');
      return probabilities[form][RATE].slice(0, FRAMES);
    },
  };
}
