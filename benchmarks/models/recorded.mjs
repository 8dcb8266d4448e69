import { crnn, keywords, picture } from '../../scripts/image-models.mjs';
import { decoder, encoder, SIZES, sentence, tagger } from '../../scripts/text-models.mjs';
import { jsonOf } from './files.mjs';

const { T, words, H } = SIZES;
/** Sentences of the pair, and the words that pad the tagger's. */
const SENTENCES = 8;
const PADDING = 7;

const part = (onnx, name, dims, outputs, states = {}) => ({
  onnx: async () => onnx(),
  input: { name, dims },
  constants: {},
  states,
  outputs,
});

/** Compared with what onnxruntime-node gave (test/fixtures/onnx-windows/models.json), by the names and dims there. */
async function recorded(name, dims) {
  const models = await jsonOf('test/fixtures/onnx-windows/models.json');
  return models.find((one) => one.name === name && one.dims.join() === dims.join()).output.data;
}

function image(name, make, dims) {
  const x = picture(dims, dims[0]);
  return {
    parts: [part(make, 'x', dims, ['y'])],
    rehearse: async ([player]) => ({ output: [...(await player.step(x))[0]], calls: [[x]] }),
    expected: () => recorded(name, dims),
  };
}

/** Text of a line of 32 x 100 points: Conv 3 x 3, pools, two BiLSTMs. */
export const textLine = () => ({ bound: 1e-4, ...image('crnn', crnn, [1, 1, 32, 100]) });
/** A second of sound, 101 x 40: Conv 3 x 3, LSTM. */
export const keyword = () => ({ bound: 1e-5, ...image('keywords', keywords, [1, 1, 101, 40]) });

/** An encoder of a sentence and a decoder's step, which keeps its states. */
export function pair() {
  const state = (from) => ({ dims: [1, 1, H], from });
  return {
    bound: 2e-5,
    parts: [
      part(encoder, 'x', [T, 1, words], ['context']),
      part(decoder, 'x', [1, H + words], ['scores'], { h: state('hn'), c: state('cn') }),
    ],
    async rehearse([one, two]) {
      const output = [];
      const calls = [];
      let before = new Float32Array(words);
      for (let i = 0; i < SENTENCES; i++) {
        const x = sentence(T * words, i + 1);
        const [context] = await one.step(x);
        const step = Float32Array.from([...context, ...before]);
        calls.push([x, step]);
        const [scores] = await two.step(step);
        before = Float32Array.from(scores, (score) => score / 8);
        output.push(...scores);
      }
      return { output, calls };
    },
    expected: () => recorded('pair', [SENTENCES, words]),
  };
}

/** A sentence with padding: the lengths come out of the input. */
export function masked() {
  const dims = [1, 2 * T, words];
  const x = sentence(2 * T * words, 9, PADDING * words);
  return {
    bound: 2e-5,
    parts: [part(tagger, 'x', dims, ['scores'])],
    rehearse: async ([player]) => ({ output: [...(await player.step(x))[0]], calls: [[x]] }),
    expected: () => recorded('tagger', dims),
  };
}
