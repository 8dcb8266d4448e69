// Damages ONNX files where it hurts: the fields are taken apart, one to three of them changed, and the file written again, so
// that lengths stay right. Some mutants have a few bytes changed instead.
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/**
 * `value`: an integer, bytes (of a float too), or fields; `kind`: what the bytes are, or which message the fields are of.
 * @typedef {{ number: number, wire: WireType, value: bigint | Uint8Array | Field[], kind: string }} Field
 * @typedef {(n: number) => number} Random an integer below `n`
 */

/** By message and number of the field. @type {Record<string, Record<number, string>>} */
const MESSAGES = {
  model: { 7: 'graph', 8: 'opset', 25: 'function' },
  function: { 1: 'text', 4: 'text', 5: 'text', 7: 'node', 9: 'opset', 10: 'text', 11: 'attribute', 13: 'text' },
  opset: {},
  graph: { 1: 'node', 2: 'text', 5: 'tensor', 11: 'value', 12: 'value' },
  node: { 1: 'text', 2: 'text', 3: 'text', 4: 'text', 5: 'attribute', 7: 'text', 8: 'text' },
  attribute: {
    1: 'text',
    4: 'text',
    5: 'tensor',
    6: 'graph',
    7: 'floats',
    8: 'varints',
    9: 'text',
    10: 'tensor',
    21: 'text',
  },
  tensor: { 1: 'varints', 4: 'floats', 5: 'varints', 7: 'varints', 8: 'text', 9: 'raw', 13: 'entry' },
  entry: { 1: 'text', 2: 'text' },
  value: { 1: 'text', 2: 'type' },
  type: { 1: 'tensorType' },
  tensorType: { 2: 'shape' },
  shape: { 1: 'dim' },
  dim: { 2: 'text' },
};

const INTEGERS = [0n, 1n, 2n, 3n, 7n, -1n, -2n, 255n, 65536n, 2n ** 24n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n].concat([
  2n ** 32n + 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 31n),
  -(2n ** 63n),
]);
const FLOATS = [0, -0, 1, -1, 0.5, 1e-45, 1e-30, 3.4e38, -3.4e38, Infinity, -Infinity, NaN];
const TEXTS = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '\u0000',
  'é',
  'Custom',
  'com.x',
  'com.microsoft',
].concat('x'.repeat(300));
const OPERATORS =
  'LSTM GRU RNN Add Div Pow MatMul Gemm Conv ConvTranspose MaxPool AveragePool GlobalMaxPool Slice Gather Reshape Expand Tile Range ConstantOfShape Pad Concat Split Softmax LogSoftmax Where Cast Transpose ReduceMax ArgMax LayerNormalization If Exp Squeeze Unsqueeze Shape Loop Scan QuantizeLinear DequantizeLinear DynamicQuantizeLinear MatMulInteger ConvInteger DynamicQuantizeLSTM DynamicQuantizeMatMul'.split(
    ' ',
  );

const pick = (random, list) => list[random(list.length)];

/**
 * A damaged copy of an ONNX file.
 * @param {Uint8Array} seed
 * @param {Random} random
 */
export function mutateOnnx(seed, random) {
  // no Buffer, whose slices are no copies
  const file = new Uint8Array(seed);
  if (random(12) === 0) return changeAnywhere(file, random);
  const model = read(file, 'model');
  for (let left = 1 + random(3); left > 0; left--)
    change(
      pick(
        random,
        lists(model).filter((list) => list.length > 0),
      ),
      model,
      random,
    );
  const bytes = write(model);
  return random(20) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
}

/** @returns {Field[]} */
export function read(bytes, kind) {
  const reader = new BinaryReader(bytes);
  const fields = [];
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const inner = MESSAGES[kind]?.[number] ?? 'bytes';
    let value;
    if (wire === WireType.Varint) value = BigInt(reader.int64());
    else if (wire === WireType.LengthDelimited) {
      const data = reader.bytes();
      value = MESSAGES[inner] ? read(data, inner) : data.slice();
    } else {
      const start = reader.pos;
      reader.pos += wire === WireType.Bit32 ? 4 : 8;
      value = bytes.slice(start, reader.pos);
    }
    fields.push({ number, wire, value, kind: inner });
  }
  return fields;
}

/** @param {readonly Field[]} fields */
export function write(fields) {
  const writer = new BinaryWriter();
  for (const { number, wire, value } of fields) {
    writer.tag(number, wire);
    if (typeof value === 'bigint') writer.int64(BigInt.asIntN(64, value));
    else if (value instanceof Uint8Array && wire !== WireType.LengthDelimited) writer.raw(value);
    else writer.bytes(value instanceof Uint8Array ? value : write(value));
  }
  return writer.finish();
}

/**
 * Every list of fields in a file, with what holds it.
 * @param {Field[]} fields
 * @param {Field[][]} found
 */
export function lists(fields, found = []) {
  found.push(fields);
  for (const { value } of fields) if (Array.isArray(value)) lists(value, found);
  return found;
}

function changeAnywhere(file, random) {
  const bytes = file.slice();
  for (let left = 1 + random(4); left > 0 && bytes.length; left--) bytes[random(bytes.length)] = random(256);
  return bytes;
}

/**
 * One change in `list`, which is of `model`.
 * @param {Field[]} list
 * @param {Field[]} model
 * @param {Random} random
 */
function change(list, model, random) {
  const at = random(list.length);
  const field = list[at];
  const what = random(8);
  if (what === 0) list.splice(at, 1);
  else if (what === 1) list.splice(random(list.length + 1), 0, structuredClone(field));
  else if (what === 2) list.push(...list.splice(at, 1));
  else if (what === 3) {
    // the value of another field of this kind, from anywhere
    const { number, kind, wire } = field;
    const others = lists(model).flat();
    const alike = others.filter((other) => other.number === number && other.kind === kind && other.wire === wire);
    field.value = structuredClone(pick(random, alike).value);
  } else changeValue(field, model, random);
}

function changeValue(field, model, random) {
  const { value, kind } = field;
  if (typeof value === 'bigint')
    field.value = random(2) ? pick(random, INTEGERS) : value + pick(random, [1n, -1n, 2n, value]);
  else if (Array.isArray(value)) {
    if (value.length) change(value, model, random);
  } else if (kind === 'text')
    field.value = new TextEncoder().encode(pick(random, random(2) ? OPERATORS : [...TEXTS, ...texts(model)]));
  else if (kind === 'varints') field.value = changeVarints(value, random);
  else field.value = changeNumbers(value, kind, random);
}

/** The texts of a file. */
function texts(model) {
  const all = lists(model).flat();
  return all
    .filter(({ kind, value }) => kind === 'text' && value instanceof Uint8Array)
    .map(({ value }) => new TextDecoder().decode(value));
}

function changeVarints(bytes, random) {
  const reader = new BinaryReader(bytes);
  const values = [];
  while (reader.pos < reader.len) values.push(BigInt(reader.int64()));
  const at = random(values.length + 1);
  const what = random(4);
  if (what === 0) values.splice(at, 0, pick(random, INTEGERS));
  else if (what === 1) values.splice(at, 1);
  else values[Math.min(at, Math.max(0, values.length - 1))] = pick(random, INTEGERS);
  const writer = new BinaryWriter();
  for (const value of values) writer.int64(BigInt.asIntN(64, value));
  return writer.finish();
}

function changeNumbers(bytes, kind, random) {
  if (random(4) === 0) return bytes.subarray(0, random(bytes.length + 1));
  if (random(4) === 0) return new Uint8Array([...bytes, ...new Uint8Array(1 + random(8))]);
  const copy = bytes.slice();
  if (copy.length < 4) return copy.map(() => random(256));
  const at = Math.floor(random(copy.length) / 4) * 4;
  if (at + 4 <= copy.length && (kind === 'floats' || kind === 'raw' || kind === 'bytes')) {
    const view = new DataView(copy.buffer);
    if (random(2)) view.setFloat32(at, pick(random, FLOATS), true);
    else view.setInt32(at, Number(BigInt.asIntN(32, pick(random, INTEGERS))), true);
  }
  return copy;
}

/** Three runs with inputs of the shapes that the model declares: open sizes are 2, then 3, then 2 again. */
export function runOnnx(session) {
  try {
    for (const open of [2, 3, 2]) {
      const inputs = session.inputs.map(({ name, type, dims }) => {
        const sizes = (dims ?? [open]).map((size) => (typeof size === 'string' ? open : size));
        return { name, type, dims: sizes, count: sizes.reduce((all, size) => all * size, 1) };
      });
      // such an input nobody can feed
      if (inputs.some(({ count }) => count > 1e5)) return;
      session.run(new Map(inputs.map(({ name, type, dims, count }) => [name, { data: numbers(type, count), dims }])));
    }
  } finally {
    session.dispose();
  }
}

function numbers(type, count) {
  if (type === 'float32') return Float32Array.from({ length: count }, (_, i) => ((i * 7) % 11) / 5 - 1);
  if (type === 'int64') return BigInt64Array.from({ length: count }, (_, i) => BigInt(i % 3));
  if (type === 'int32') return Int32Array.from({ length: count }, (_, i) => 1 + (i % 2));
  const Bytes = type === 'int8' ? Int8Array : Uint8Array;
  return Bytes.from({ length: count }, (_, i) => (type === 'bool' ? i % 2 : (i * 89) % 251));
}
