// What 8-bit weights cost in exactness on trained models: the largest difference of the outputs from float32's.
import { readFileSync } from 'node:fs';
import { LSTM } from 'lstm-wasm';
import { loadModel, segment } from '../examples/word-segmentation/main.mjs';
import { dtln, silero } from './quantized-onnx.mjs';

const json = (path) => JSON.parse(readFileSync(new URL(`../examples/${path}`, import.meta.url), 'utf8'));

const difference = (a, b) => a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0);

/** Thai words: probabilities, and how many of the published lines come out the same. */
function words() {
  const model = loadModel(json('word-segmentation/data/thai-model5.weights.json'));
  const lines = json('word-segmentation/data/thai-model5.expected.json').lines.map(({ text }) => text);
  const float = segment(model, lines);
  const small = segment({ ...model, lstm: model.lstm.quantize(), dense: model.dense.quantize() }, lines);
  const worst = Math.max(...float.map((line, i) => difference(line.probabilities, small[i].probabilities)));
  const same = float.filter((line, i) => line.words.join('|') === small[i].words.join('|')).length;
  return ['Thai words, LSTM(20, 15, bidirectional), probabilities', worst, `${same} of ${lines.length} lines the same`];
}

/** An amplifier of Neural Amp Modeler, one layer: rows of [x, h], then the bias, the first state and the output's weights. */
function amp() {
  const { config, weights } = json('guitar-amp/data/nam/lstm.nam');
  const H = config.hidden_size;
  let at = 0;
  const take = (count) => {
    at += count;
    return Float32Array.from(weights.slice(at - count, at));
  };
  const joined = take(4 * H * (1 + H));
  const tensor = (values, ...dims) => ({ data: values, dims });
  const lstm = LSTM.fromStateDict({
    weight_ih_l0: tensor(
      joined.filter((_, i) => i % (1 + H) === 0),
      4 * H,
      1,
    ),
    weight_hh_l0: tensor(
      joined.filter((_, i) => i % (1 + H) > 0),
      4 * H,
      H,
    ),
    bias_ih_l0: tensor(take(4 * H), 4 * H),
    bias_hh_l0: tensor(new Float32Array(4 * H), 4 * H),
  });
  const state = { h0: tensor(take(H), 1, H), c0: tensor(take(H), 1, H) };
  const head = take(H);
  const samples = Float32Array.from({ length: 48_000 }, (_, i) => 0.3 * Math.sin(i / 40) * Math.sin(i / 3000));
  const play = (model) => {
    const stream = model.stream();
    stream.setState(state);
    const h = new Float32Array(samples.length * H);
    stream.run(samples, h);
    return samples.map((_, n) => head.reduce((sum, weight, k) => sum + weight * h[n * H + k], 0));
  };
  const float = play(lstm);
  const size = Math.max(...float.map(Math.abs));
  return [`Guitar amplifier, LSTM(1, ${H}), output`, difference(float, play(lstm.quantize())), `of ${size.toFixed(2)}`];
}

/** RTNeural's deep LSTM, its hidden states. */
function deep() {
  const file = json('guitar-amp/data/rtneural/lstm_torch.json');
  const dict = Object.fromEntries(
    Object.entries(file).map(([name, rows]) => {
      const values = Float32Array.from(rows.flat());
      return [name, { data: values, dims: Array.isArray(rows[0]) ? [rows.length, rows[0].length] : [rows.length] }];
    }),
  );
  const [first, second] = ['lstm.', 'lstm2.'].map((prefix) => LSTM.fromStateDict(dict, { prefix }));
  const input = { data: Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i / 20)), dims: [1000, 1] };
  const float = second.forward(first.forward(input).output).output.data;
  const small = second.quantize().forward(first.quantize().forward(input).output).output.data;
  return ['LSTM(1, 8), LSTM(8, 8, 3 layers), h', difference(float, small), ''];
}

const rms = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

/** Compares outputs of an ONNX model. */
function onnx(what, float, small, note = '') {
  const apart = float.map((value, i) => value - small[i]);
  return [what, difference(float, small), `root mean square ${rms(apart).toExponential(1)}${note}`];
}

/** Silero VAD: probabilities, and how many frames are on the other side of a half. */
function speech() {
  const [float, small] = [undefined, { quantize: 8 }].map(silero);
  const other = float.filter((p, i) => p >= 0.5 !== small[i] >= 0.5).length;
  return onnx('Silero VAD v5, probabilities', float, small, `; ${other} of ${float.length} frames decided otherwise`);
}

/** DTLN: masks of its first model, and samples. */
function denoising() {
  const [float, small] = [undefined, { quantize: 8 }].map(dtln);
  return [
    onnx('DTLN, masks', float.masks, small.masks),
    onnx('DTLN, samples', float.denoised, small.denoised, ` of ${rms(float.denoised).toExponential(1)}`),
  ];
}

console.log('| trained model | largest difference | |\n| --- | --- | --- |');
for (const [what, worst, note] of [words(), amp(), deep(), speech(), ...denoising()])
  console.log(`| ${what} | ${worst.toExponential(1)} | ${note} |`);
