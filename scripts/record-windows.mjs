// node scripts/record-windows.mjs [FOLDER]: writes test/fixtures/onnx-windows/, answers of onnxruntime-node, which FOLDER has in its
// node_modules (benchmarks/peers by default): of nodes with windows at random, and of the models of image-models.mjs.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { openOrt } from '../benchmarks/models/ort.mjs';
import { masked, pair } from '../benchmarks/models/recorded.mjs';
import { crnn, keywords, picture } from './image-models.mjs';
import { randomOf } from './random-of.mjs';
import { onnxFile, tensor } from './write-onnx.mjs';

const [folder = 'benchmarks/peers'] = process.argv.slice(2);
const ort = createRequire(resolve(folder, 'package.json'))('onnxruntime-node');
const target = new URL('../test/fixtures/onnx-windows/', import.meta.url);

const random = randomOf(14);
const int = (low, high) => low + Math.floor(random() * (high - low + 1));
const pick = (list) => list[int(0, list.length - 1)];
const product = (dims) => dims.reduce((a, b) => a * b, 1);
// eighths: sums of their products are exact, in any order
const numbers = (dims) => ({ dims, data: Array.from({ length: product(dims) }, () => int(-16, 16) / 8) });
const each = (axes, low, high) => Array.from({ length: axes }, () => int(low, high));

function convolution(axes, isTransposed) {
  const group = pick([1, 1, 2, 4]);
  const isDepthwise = group > 1 && random() < 0.5;
  const C = group * (isDepthwise ? 1 : int(1, 3));
  const M = isDepthwise ? group : group * pick([1, 3, 8]);
  const kernel = each(axes, 1, 3);
  const attributes = { kernel_shape: kernel, strides: each(axes, 1, 3), group };
  const isSame = random() < 0.4;
  // ONNX Runtime takes no dilations with SAME, and makes less of a transposed axis whose kernel is below its stride
  if (isSame) attributes.auto_pad = pick(['SAME_UPPER', 'SAME_LOWER', 'VALID']);
  else {
    attributes.pads = each(2 * axes, 0, isTransposed ? 1 : 2);
    attributes.dilations = each(axes, 1, 2);
  }
  if (isSame && isTransposed) attributes.strides = attributes.strides.map((size, i) => Math.min(size, kernel[i]));
  if (isTransposed && random() < 0.4) attributes.output_padding = attributes.strides.map((size) => int(0, size - 1));
  const weights = numbers(isTransposed ? [C, M / group, ...kernel] : [M, C / group, ...kernel]);
  const inputs = [numbers([int(1, 2), C, ...each(axes, 3, 7)]), weights];
  if (random() < 0.6) inputs.push(numbers([M]));
  return { opset: pick([7, 11, 22]), attributes, inputs };
}

function pooling(axes, isMean) {
  const opset = pick([7, 10, 12, 19, 22]);
  const kernel = each(axes, 1, 3);
  const attributes = { kernel_shape: kernel, strides: kernel.map((size) => int(1, size)) };
  if (random() < 0.3) attributes.auto_pad = pick(['SAME_UPPER', 'SAME_LOWER', 'VALID']);
  else {
    attributes.pads = [...kernel, ...kernel].map((size) => int(0, size - 1));
    if (opset >= (isMean ? 19 : 10) && random() < 0.5) attributes.dilations = each(axes, 1, 2);
  }
  if (opset >= 10 && random() < 0.5) attributes.ceil_mode = 1;
  if (isMean && random() < 0.5) attributes.count_include_pad = 1;
  return { opset, attributes, inputs: [numbers([int(1, 2), int(1, 5), ...each(axes, 5, 8)])] };
}

function normalisation(axes) {
  const C = int(1, 6);
  const variance = { dims: [C], data: Array.from({ length: C }, () => int(1, 8) / 4) };
  const inputs = [numbers([2, C, ...each(axes, 1, 4)]), numbers([C]), numbers([C]), numbers([C]), variance];
  return { opset: pick([9, 15]), attributes: {}, inputs };
}

const KINDS = {
  Conv: (axes) => convolution(axes, false),
  ConvTranspose: (axes) => convolution(axes, true),
  MaxPool: (axes) => pooling(axes, false),
  AveragePool: (axes) => pooling(axes, true),
  GlobalMaxPool: (axes) => ({ opset: 7, attributes: {}, inputs: [numbers([2, 3, ...each(axes, 1, 5)])] }),
  GlobalAveragePool: (axes) => ({ opset: 7, attributes: {}, inputs: [numbers([2, 3, ...each(axes, 1, 5)])] }),
  BatchNormalization: normalisation,
};

const options = { graphOptimizationLevel: 'disabled', intraOpNumThreads: 1, logSeverityLevel: 4 };

async function answer(file, dims, data) {
  const session = await ort.InferenceSession.create(file, options);
  const [result] = Object.values(await session.run({ x: new ort.Tensor('float32', Float32Array.from(data), dims) }));
  return { dims: [...result.dims], data: [...result.data] };
}

const short = ({ dims, data }) => ({ dims, data: data.map((value) => Number(value.toPrecision(7))) });

const cases = [];
for (const [op, make] of Object.entries(KINDS)) {
  for (let left = op.startsWith('Global') || op === 'BatchNormalization' ? 4 : 24; left > 0; ) {
    const { opset, attributes, inputs } = make(pick([1, 2, 2]));
    const [x, ...constants] = inputs;
    const names = ['x', ...constants.map((_, i) => `c${i}`)];
    const initializers = constants.map(({ dims, data }, i) => tensor(`c${i}`, dims, Float32Array.from(data)));
    const nodes = [{ op, inputs: names, outputs: ['y'], attributes }];
    const file = onnxFile({ nodes, initializers, inputs: { x: x.dims }, outputs: ['y'] }, opset);
    // where windows do not fit the two refuse them, or give no elements
    const output = await answer(file, x.dims, x.data).catch(() => undefined);
    if (!output || product(output.dims) === 0) continue;
    cases.push({ op, opset, attributes, inputs, output: short(output) });
    left--;
  }
}
writeFileSync(new URL('cases.json', target), `[\n${cases.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);

const models = [];
for (const [name, make, dims] of [
  ['crnn', crnn, [1, 1, 32, 100]],
  ['crnn', crnn, [2, 1, 32, 40]],
  ['keywords', keywords, [1, 1, 101, 40]],
  ['keywords', keywords, [3, 1, 101, 40]],
]) {
  const output = await answer(make(), dims, picture(dims, dims[0]));
  models.push({ name, dims, output: short(output) });
}
// of the models of npm run bench:models that are compared with these answers
for (const [name, dims, { parts, rehearse }] of [
  ['pair', [8, 32], pair()],
  ['tagger', [1, 40, 32], masked()],
]) {
  const players = [];
  for (const part of parts) players.push(await openOrt({ ort, version: '', options }, part));
  const { output } = await rehearse(players);
  models.push({ name, dims, output: short({ dims: [output.length], data: output }) });
}
writeFileSync(new URL('models.json', target), `[\n${models.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
