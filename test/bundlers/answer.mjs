// What every app computes: a part of each entry point with kernels. CLIP is a model of ONNX, which the script puts in.
import { LSTM } from 'lstm-wasm';
import { loadRTNeural } from 'lstm-wasm/audio';
import { loadKeras } from 'lstm-wasm/keras';
import { loadOnnx } from 'lstm-wasm/onnx';
import { InferenceSession } from 'lstm-wasm/ort';
import { CLIP } from './clip.mjs';

const layer = (class_name, config) => ({ class_name, config });
const KERAS = {
  format: 'layers-model',
  modelTopology: {
    model_config: layer('Sequential', {
      layers: [
        layer('InputLayer', { batch_input_shape: [null, 3], name: 'x' }),
        layer('Activation', { name: 'elu', activation: 'elu' }),
      ],
    }),
  },
  weightsManifest: [],
};
const AMP = {
  in_shape: [null, null, 1],
  layers: [{ type: 'dense', activation: 'elu', shape: [null, null, 1], weights: [[[1]], [0.5]] }],
};

/** At module scope, as programs have it. */
const lstm = new LSTM(10, 20, { numLayers: 2, bidirectional: true, seed: 1 });

export async function answer() {
  const input = { data: Float32Array.from({ length: 150 }, (_, i) => (i % 17) / 8 - 1), dims: [5, 3, 10] };
  const model = loadOnnx(CLIP);
  const feeds = model.inputs.map(({ name, dims }) => {
    return [name, { data: new Float32Array(dims.reduce((a, b) => a * b)).fill(0.5), dims }];
  });
  const audio = new Float32Array(3);
  loadRTNeural(AMP).process(Float32Array.of(-1, 0, 1), audio);
  const results = [
    lstm.forward(input).output.data,
    lstm.quantize().forward(input).output.data,
    model.run(new Map(feeds)).Y.data,
    (await (await InferenceSession.create(CLIP)).run(Object.fromEntries(feeds))).Y.data,
    loadKeras({ modelJson: KERAS, weights: new Uint8Array(0) }).predict({ data: [-1, 0, 1], dims: [1, 3] }).data,
    audio,
  ];
  const bits = results.map((data) =>
    new Uint32Array(data.buffer, data.byteOffset, data.length).reduce(
      (hash, word) => Math.imul(hash ^ word, 16777619),
      1,
    ),
  );
  return `answer ${bits.map((hash) => (hash >>> 0).toString(16)).join(' ')} end`;
}
