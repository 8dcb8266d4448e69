import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { onnxRows, suffixOf } from '../shapes.mjs';

// An ONNX model of one LSTM, field by field as onnx.proto numbers them.

const FLOAT = 1;
const INT8 = 3;
const INT64 = 7;
/** Attribute types */
const INT = 2;
const STRING = 3;
const INTS = 7;
const STRINGS = 8;

const message = (write) => {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
};

const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

const tensor = (name, type, dims, data) =>
  message((w) => {
    for (const size of dims) w.tag(1, 0).int64(size);
    w.tag(2, 0).int32(type).tag(8, 2).string(name).tag(9, 2).bytes(bytesOf(data));
  });

const valueInfo = (name, dims) =>
  message((w) => {
    w.tag(1, 2).string(name).tag(2, 2).fork().tag(1, 2).fork().tag(1, 0).int32(FLOAT).tag(2, 2).fork();
    for (const size of dims) w.tag(1, 2).fork().tag(1, 0).int64(size).join();
    w.join().join().join();
  });

const attribute = (name, value) =>
  message((w) => {
    w.tag(1, 2).string(name);
    if (typeof value === 'number') w.tag(3, 0).int64(value).tag(20, 0).int32(INT);
    else if (typeof value === 'string') w.tag(4, 2).string(value).tag(20, 0).int32(STRING);
    else if (typeof value[0] === 'number') {
      for (const item of value) w.tag(8, 0).int64(item);
      w.tag(20, 0).int32(INTS);
    } else {
      for (const item of value) w.tag(9, 2).string(item);
      w.tag(20, 0).int32(STRINGS);
    }
  });

const node = (type, inputs, outputs, attributes = {}, domain = '') =>
  message((w) => {
    for (const name of inputs) w.tag(1, 2).string(name);
    for (const name of outputs) w.tag(2, 2).string(name);
    w.tag(4, 2).string(type);
    for (const [name, value] of Object.entries(attributes)) w.tag(5, 2).bytes(attribute(name, value));
    w.tag(7, 2).string(domain);
  });

const model = ({ nodes, initializers, inputs, outputs }) =>
  message((w) => {
    w.tag(1, 0).int64(8).tag(2, 2).string('lstm-wasm benchmark').tag(7, 2).fork();
    for (const item of nodes) w.tag(1, 2).bytes(item);
    w.tag(2, 2).string('lstm');
    for (const item of initializers) w.tag(5, 2).bytes(item);
    for (const item of inputs) w.tag(11, 2).bytes(item);
    for (const item of outputs) w.tag(12, 2).bytes(item);
    w.join();
    for (const [domain, version] of [
      ['', 14],
      ['com.microsoft', 1],
    ]) {
      w.tag(8, 2).fork().tag(1, 2).string(domain).tag(2, 0).int64(version).join();
    }
  });

function concatenate(arrays) {
  const result = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    result.set(array, at);
    at += array.length;
  }
  return result;
}

/**
 * Rows [N][K] to int8 [K][N], one symmetric scale for the whole matrix, -127 .. 127: what onnxruntime's quantize_dynamic
 * does to an LSTM (one scale a direction) unless it is asked for more.
 */
function quantize(rows, N, K) {
  const scale = rows.reduce((top, value) => Math.max(top, Math.abs(value)), 0) / 127;
  const values = new Int8Array(N * K);
  for (let n = 0; n < N; n++) {
    for (let k = 0; k < K; k++) values[k * N + n] = Math.round(rows[n * K + k] / scale);
  }
  return { values, scale };
}

/** Initializers for the weights of one kind of one layer, all directions, and the names of those a node reads. */
function quantizedWeights(name, matrices, N, K) {
  const quantized = matrices.map((rows) => quantize(rows, N, K));
  const D = matrices.length;
  const values = new Int8Array(D * N * K);
  quantized.forEach((matrix, d) => {
    values.set(matrix.values, d * N * K);
  });
  const scales = Float32Array.from(quantized, ({ scale }) => scale);
  return [
    tensor(name, INT8, [D, K, N], values),
    tensor(`${name}_scale`, FLOAT, [D], scales),
    tensor(`${name}_zero_point`, INT8, [D], new Int8Array(D)),
  ];
}

/**
 * The bytes of an ONNX model.
 * A stream: inputs x [1][1][I], h and c [1][1][H]; outputs hn and cn. A sequence: x [T][B][I]; y [T][B][D H].
 * @param {import('../shapes.mjs').Shape} shape
 * @param {boolean} int8 whether weights are quantised, for com.microsoft's DynamicQuantizeLSTM
 */
export function onnxModel({ stream, I, H, L, D, T, B }, weights, int8) {
  const nodes = [];
  const initializers = [];
  const N = 4 * H;
  for (let layer = 0; layer < L; layer++) {
    const K = layer === 0 ? I : D * H;
    const suffixes = Array.from({ length: D }, (_, direction) => suffixOf(layer, direction));
    const rows = (kind) => suffixes.map((suffix) => onnxRows(weights.get(kind + suffix)));
    const [W, R, bias] = ['W', 'R', 'bias'].map((name) => name + layer);
    const biases = suffixes.flatMap((suffix) => [
      onnxRows(weights.get(`bias_ih${suffix}`)),
      onnxRows(weights.get(`bias_hh${suffix}`)),
    ]);
    initializers.push(tensor(bias, FLOAT, [D, 2 * N], concatenate(biases)));
    const x = layer === 0 ? 'x' : `x${layer}`;
    const inputs = [x, W, R, bias, '', ...(stream ? ['h', 'c'] : ['', ''])];
    const outputs = stream ? ['', 'hn', 'cn'] : [`y${layer}`];
    const attributes = { hidden_size: H, direction: D === 2 ? 'bidirectional' : 'forward' };
    if (int8) {
      initializers.push(
        ...quantizedWeights(W, rows('weight_ih'), N, K),
        ...quantizedWeights(R, rows('weight_hh'), N, H),
      );
      inputs.push('', `${W}_scale`, `${W}_zero_point`, `${R}_scale`, `${R}_zero_point`);
      nodes.push(node('DynamicQuantizeLSTM', inputs, outputs, attributes, 'com.microsoft'));
    } else {
      initializers.push(tensor(W, FLOAT, [D, N, K], concatenate(rows('weight_ih'))));
      initializers.push(tensor(R, FLOAT, [D, N, H], concatenate(rows('weight_hh'))));
      nodes.push(node('LSTM', inputs, outputs, attributes));
    }
    if (!stream) {
      // y [T][D][B][H] to [T][B][D H]
      const next = layer + 1 < L ? `x${layer + 1}` : 'y';
      nodes.push(node('Transpose', [`y${layer}`], [`t${layer}`], { perm: [0, 2, 1, 3] }));
      nodes.push(node('Reshape', [`t${layer}`, 'shape'], [next]));
    }
  }
  if (stream) {
    const state = (name) => valueInfo(name, [1, 1, H]);
    const inputs = [valueInfo('x', [1, 1, I]), state('h'), state('c')];
    return model({ nodes, initializers, inputs, outputs: [state('hn'), state('cn')] });
  }
  initializers.push(tensor('shape', INT64, [3], BigInt64Array.from([T, B, D * H], BigInt)));
  return model({
    nodes,
    initializers,
    inputs: [valueInfo('x', [T, B, I])],
    outputs: [valueInfo('y', [T, B, D * H])],
  });
}
