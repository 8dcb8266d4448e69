// DTLN's weights under PyTorch's names, from the files that its authors publish. The numbers in them are the same bit for bit.
import { readKerasWeights } from 'lstm-wasm/keras';
import { ModelError, parseOnnx } from 'lstm-wasm/onnx';

/** @typedef {import('lstm-wasm').TensorLike} Tensor */

const UNITS = 128;
/** For each gate of PyTorch's order i, f, g, o its place in a file. Keras has i, f, c, o: the same. ONNX has i, o, f, c. */
const KERAS = [0, 1, 2, 3];
const ONNX = [0, 2, 3, 1];

/**
 * From `model_1.onnx` and `model_2.onnx`. The second has its LSTMs written out in single operators, in the order and layout of
 * Keras, from which the files were converted.
 * @param {Uint8Array} first
 * @param {Uint8Array} second
 * @returns {Map<string, Tensor>}
 * @throws ModelError if a file is damaged or is another model
 */
export function readOnnxWeights(first, second) {
  const one = parseOnnx(first).graph.initializers;
  const two = parseOnnx(second).graph.initializers;
  const operator = (name, layer) => ({
    [`weight_ih_l${layer}`]: rows(take(one, `${name}_W`, [1, 4 * UNITS, undefined]), ONNX),
    [`weight_hh_l${layer}`]: rows(take(one, `${name}_R`, [1, 4 * UNITS, UNITS]), ONNX),
    ...biases(layer, rows(firstHalf(take(one, `${name}_B`, [1, 8 * UNITS])), ONNX)),
  });
  const read = (name, dims) => take(two, `model_2/${name}`, dims);
  const written = (name, layer) => ({
    [`weight_ih_l${layer}`]: transpose(read(`${name}/MatMul/ReadVariableOp/resource:0`, [undefined, 4 * UNITS])),
    [`weight_hh_l${layer}`]: transpose(read(`${name}/MatMul_1/ReadVariableOp/resource:0`, [UNITS, 4 * UNITS])),
    ...biases(layer, rows(read(`${name}/BiasAdd/ReadVariableOp/resource:0`, [4 * UNITS]), KERAS)),
  });
  const norm = 'instant_layer_normalization_1';
  return named({
    'mask.lstm.': { ...operator('lstm_4', 0), ...operator('lstm_5', 1) },
    'mask.head.': {
      weight: transpose(take(one, 'dense_2/kernel:0', [UNITS, 257])),
      bias: take(one, 'dense_2/bias:0', [257]),
    },
    'encoder.': { weight: matrix(take(two, 'conv1d_2/kernel:0', [256, 512, 1])) },
    'norm.': {
      weight: read(`${norm}/mul/ReadVariableOp/resource:0`, [256]),
      bias: read(`${norm}/add_1/ReadVariableOp/resource:0`, [256]),
    },
    'code.lstm.': { ...written('lstm_6', 0), ...written('lstm_7', 1) },
    'code.head.': {
      weight: transpose(read('dense_3/Tensordot/Reshape_1:0', [UNITS, 256])),
      bias: read('dense_3/BiasAdd/ReadVariableOp/resource:0', [256]),
    },
    'decoder.': { weight: matrix(take(two, 'conv1d_3/kernel:0', [512, 256, 1])) },
  });
}

/**
 * From `model.h5`, the weights of the whole network.
 * @param {Uint8Array} bytes
 * @returns {Map<string, Tensor>}
 * @throws ModelError if the file is damaged or is another model
 */
export function readKeras(bytes) {
  const weights = readKerasWeights(bytes);
  const read = (layer, name, dims) => take(weights, `${layer}/${layer}/${name}:0`, dims);
  const lstm = (name, layer) => ({
    [`weight_ih_l${layer}`]: transpose(read(name, 'kernel', [undefined, 4 * UNITS])),
    [`weight_hh_l${layer}`]: transpose(read(name, 'recurrent_kernel', [UNITS, 4 * UNITS])),
    ...biases(layer, rows(read(name, 'bias', [4 * UNITS]), KERAS)),
  });
  const dense = (name, size) => ({
    weight: transpose(read(name, 'kernel', [UNITS, size])),
    bias: read(name, 'bias', [size]),
  });
  const convolution = (name, ins, outs) => ({ weight: transpose(matrix(read(name, 'kernel', [1, ins, outs]))) });
  return named({
    'mask.lstm.': { ...lstm('lstm', 0), ...lstm('lstm_1', 1) },
    'mask.head.': dense('dense', 257),
    'encoder.': convolution('conv1d', 512, 256),
    'norm.': {
      weight: read('layer_normalization', 'gamma', [256]),
      bias: read('layer_normalization', 'beta', [256]),
    },
    'code.lstm.': { ...lstm('lstm_2', 0), ...lstm('lstm_3', 1) },
    'code.head.': dense('dense_1', 256),
    'decoder.': convolution('conv1d_1', 256, 512),
  });
}

/** @param {(number | undefined)[]} dims undefined for any size @returns {Tensor} */
function take(tensors, name, dims) {
  const tensor = tensors.get(name);
  const fits =
    tensor?.data instanceof Float32Array &&
    tensor.dims.length === dims.length &&
    dims.every((size, i) => size === undefined || size === tensor.dims[i]);
  if (fits) return { data: tensor.data, dims: tensor.dims };
  const expected = `float32 [${dims.map((size) => size ?? '*').join(', ')}]`;
  const found = tensor && `${tensor.type ?? 'a tensor'} [${tensor.dims.join(', ')}]`;
  const message = `DTLN: "${name}" expected ${expected}, got ${found ?? 'nothing'}: is this file of DTLN?`;
  throw new ModelError(message, { code: 'wrong-model', path: name, expected, found });
}

/** One bias is the sum of PyTorch's two. */
function biases(layer, bias) {
  const zeros = { data: new Float32Array(4 * UNITS), dims: [4 * UNITS] };
  return { [`bias_ih_l${layer}`]: bias, [`bias_hh_l${layer}`]: zeros };
}

/** The rows of four gates in PyTorch's order. @returns {Tensor} */
function rows({ data, dims }, order) {
  const size = data.length / 4;
  const sorted = new Float32Array(data.length);
  for (const [gate, place] of order.entries()) sorted.set(data.subarray(place * size, (place + 1) * size), gate * size);
  return { data: sorted, dims: dims.length === 3 ? dims.slice(1) : [data.length] };
}

/** The half of an ONNX bias that belongs to the input; the other one is zero in these files. */
function firstHalf({ data, dims }) {
  return { data: data.subarray(0, data.length / 2), dims: [dims[1] / 2] };
}

/** Drops axes of size 1. */
function matrix({ data, dims }) {
  return { data, dims: dims.filter((size) => size !== 1) };
}

/** @param {Tensor} matrix @returns {Tensor} */
function transpose({ data, dims: [height, width] }) {
  const result = new Float32Array(data.length);
  for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) result[j * height + i] = data[i * width + j];
  return { data: result, dims: [width, height] };
}

/** @param {Record<string, Record<string, Tensor>>} modules */
function named(modules) {
  return new Map(
    Object.entries(modules).flatMap(([prefix, tensors]) =>
      Object.entries(tensors).map(([key, tensor]) => [prefix + key, tensor]),
    ),
  );
}
