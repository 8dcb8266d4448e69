// Valid files that mutants are made of: fixtures, and short files of the JSON formats.
import { readFileSync } from 'node:fs';

export const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url));
export const json = (path) => JSON.parse(read(path));

/** Keeps 2 of 8 units, the first rows of each gate, and two decimals: short files, many mutants. */
function shorten(weights) {
  if (!Array.isArray(weights)) return Math.round(100 * weights) / 100;
  return weights.filter((_, i) => i % 8 < 2).map(shorten);
}

/** A state dict of PyTorch as RTNeural reads it. */
export function rtneuralTorch() {
  const dict = Object.entries(json('examples/guitar-amp/data/rtneural/lstm_torch.json'));
  return Object.fromEntries(dict.map(([name, value]) => [name, shorten(value)]));
}

/** Layers of Keras as RTNeural reads them. */
export function rtneuralKeras() {
  const file = json('test/fixtures/audio/lstm_1d.json');
  for (const layer of file.layers) {
    layer.weights = layer.weights.map(shorten);
    layer.shape[2] = Math.min(2, layer.shape[2]);
  }
  return file;
}

/** The same with a GRU. */
export function rtneuralGru() {
  const { layers, ...file } = rtneuralKeras();
  const [{ weights }, ...heads] = layers;
  const [kernel, recurrent, bias] = weights.map((matrix) =>
    Array.isArray(matrix[0]) ? matrix.map((row) => row.slice(0, 6)) : matrix.slice(0, 6),
  );
  const gru = { type: 'gru', activation: 'tanh', shape: [null, null, 2], weights: [kernel, recurrent, [bias, bias]] };
  return { ...file, layers: [gru, ...heads] };
}

/** A file of GuitarML with a GRU: three of an LSTM's gates. */
export function guitarMLGru() {
  const { model_data, state_dict } = guitarML();
  const dict = Object.entries(state_dict).map(([name, rows]) => [
    name,
    name.startsWith('rec.') ? rows.slice(0, 6) : rows,
  ]);
  return { model_data: { ...model_data, unit_type: 'GRU' }, state_dict: Object.fromEntries(dict) };
}

/** A file of GuitarML with the same weights. */
export function guitarML() {
  const sizes = { input_size: 2, hidden_size: 2, num_layers: 3, output_size: 1 };
  const dict = Object.entries(rtneuralTorch()).filter(([name]) => !name.startsWith('lstm.'));
  const renamed = dict.map(([name, value]) => [name.replace('lstm2.', 'rec.').replace('dense.', 'lin.'), value]);
  return {
    model_data: { model: 'SimpleRNN', unit_type: 'LSTM', ...sizes, skip: 1, bias_fl: true },
    state_dict: Object.fromEntries(renamed),
  };
}

/** Operators, and recurrent ones: of small models with the one operator that has most to check as many as of all others. */
export function onnxModels() {
  const onnx = json('test/fixtures/onnx-ort/index.json');
  const lstms = [...onnx.cases, ...onnx.torch_exports].map(({ model }) => read(`test/fixtures/onnx-ort/${model}`));
  const parts = ['onnx-functions', 'onnx-loops', 'onnx-quantized'].flatMap((folder) => {
    const names = new Set(json(`test/fixtures/${folder}/cases.json`).map(({ name }) => name));
    return [...names].map((name) => read(`test/fixtures/${folder}/${name}.onnx`));
  });
  const others = json('test/fixtures/onnx-gru/cases.json').flatMap(({ model }) =>
    model ? [Buffer.from(model, 'base64')] : [],
  );
  return [
    ...onnxOperators(),
    ...[...lstms, ...others, ...parts].flatMap((file) => Array(file.length < 1e4 ? 30 : 1).fill(file)),
  ];
}

/** Models of one operator each. */
export function onnxOperators() {
  return json('test/fixtures/onnx-operators/cases.json').map(({ model }) => Buffer.from(model, 'base64'));
}

/** Containers of NAM with LSTMs of one unit. */
export function namContainers() {
  const weights = Array.from({ length: 16 }, (_, i) => Math.sin(i));
  const lstm = { architecture: 'LSTM', config: { input_size: 1, hidden_size: 1, num_layers: 1 }, weights };
  const container = (architecture, config) => ({ version: '0.7.0', architecture, config, sample_rate: 48_000 });
  const sequential = container('Sequential', { weights_version: 2, models: [lstm, { model: lstm }] });
  const submodels = [0.5, 1].map((max_value) => ({ max_value, model: sequential }));
  return [sequential, container('SlimmableContainer', { submodels })];
}

/** A model with its weights in a second file, and the name of that in UTF-8. */
export function externalSeed() {
  const [model, data] = ['model.onnx', 'model.onnx.data'].map((name) => read(`test/fixtures/onnx-external/${name}`));
  return { model, data, name: Buffer.from('model.onnx.data') };
}
