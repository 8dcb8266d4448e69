import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { loadOnnx, ModelError, type OnnxFeed, parseOnnx } from '../../src/onnx.ts';

// Damages ONNX files where it hurts: the fields are taken apart, one to three of them changed, and the file written again, so
// that lengths stay right. Some mutants have a few bytes changed instead.

/** A float of 4 bytes, an integer, bytes, or fields. */
interface Field {
  number: number;
  wire: WireType;
  value: bigint | Uint8Array | Field[];
  /** What the bytes are: a list of varints or floats, text, a name. */
  kind: string;
}

type Message = Record<number, string>;

const MESSAGES: Record<string, Message> = {
  model: { 7: 'graph', 8: 'opset' },
  opset: {},
  graph: { 1: 'node', 2: 'text', 5: 'tensor', 11: 'value', 12: 'value' },
  node: { 1: 'text', 2: 'text', 3: 'text', 4: 'text', 5: 'attribute', 7: 'text' },
  attribute: { 1: 'text', 4: 'text', 5: 'tensor', 6: 'graph', 7: 'floats', 8: 'varints', 9: 'text', 10: 'tensor' },
  tensor: { 1: 'varints', 4: 'floats', 5: 'varints', 7: 'varints', 8: 'text', 9: 'raw' },
  value: { 1: 'text', 2: 'type' },
  type: { 1: 'tensorType' },
  tensorType: { 2: 'shape' },
  shape: { 1: 'dim' },
  dim: { 2: 'text' },
};

function read(bytes: Uint8Array, kind: string): Field[] {
  const reader = new BinaryReader(bytes);
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const inner = MESSAGES[kind]?.[number] ?? 'bytes';
    let value: Field['value'];
    if (wire === WireType.Varint) value = BigInt(reader.int64());
    else if (wire === WireType.LengthDelimited) {
      const data = reader.bytes();
      value = MESSAGES[inner] ? read(data, inner) : data.slice();
    } else value = reader.skip(wire, number).slice();
    fields.push({ number, wire, value, kind: inner });
  }
  return fields;
}

function write(fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const { number, wire, value } of fields) {
    writer.tag(number, wire);
    if (typeof value === 'bigint') writer.int64(BigInt.asIntN(64, value));
    else if (value instanceof Uint8Array && wire !== WireType.LengthDelimited) writer.raw(value);
    else writer.bytes(value instanceof Uint8Array ? value : write(value));
  }
  return writer.finish();
}

/** Every list of fields in a file, with what holds it. */
function lists(fields: Field[]): Field[][] {
  return [fields, ...fields.flatMap(({ value }) => (Array.isArray(value) ? lists(value) : []))];
}

const INTEGERS = [
  0n,
  1n,
  2n,
  3n,
  7n,
  -1n,
  -2n,
  255n,
  65536n,
  2n ** 24n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 32n + 1n,
].concat([2n ** 53n, 2n ** 53n + 1n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 31n), -(2n ** 63n)]);
const FLOATS = [0, -0, 1, -1, 0.5, 1e-45, 1e-30, 3.4e38, -3.4e38, Infinity, -Infinity, NaN];
const TEXTS = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'x'.repeat(300),
  '\u0000',
  'é',
  'Custom',
  'com.x',
];
const OPERATORS =
  'LSTM Add Div Pow MatMul Gemm Conv Slice Gather Reshape Expand Tile Range ConstantOfShape Pad Concat Split Softmax LogSoftmax Where Cast Transpose ReduceMax ArgMax LayerNormalization If Exp Squeeze Unsqueeze Shape'.split(
    ' ',
  );

/** A damaged copy of an ONNX file. `random` gives integers from 0 to 2^32 - 1, as mulberry32 does. */
export function mutateOnnx(file: Uint8Array, random: () => number): Uint8Array {
  const below = (n: number) => random() % n;
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  if (below(12) === 0) return flip(file, below);
  const model = read(file, 'model');
  for (let left = 1 + below(3); left > 0; left--)
    change(pick(lists(model).filter((list) => list.length > 0)), model, below, pick);
  const bytes = write(model);
  return below(20) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes;
}

function flip(file: Uint8Array, below: (n: number) => number): Uint8Array {
  const bytes = file.slice();
  for (let left = 1 + below(4); left > 0 && bytes.length; left--) bytes[below(bytes.length)] = below(256);
  return bytes;
}

function change(list: Field[], model: Field[], below: (n: number) => number, pick: <T>(list: readonly T[]) => T): void {
  const at = below(list.length);
  const field = list[at]!;
  switch (below(8)) {
    case 0:
      list.splice(at, 1);
      return;
    case 1:
      list.splice(below(list.length + 1), 0, structuredClone(field));
      return;
    case 2:
      list.push(list.splice(at, 1)[0]!);
      return;
    case 3: {
      // the value of another field of this kind, from anywhere
      const others = lists(model)
        .flat()
        .filter(({ number, kind, wire }) => number === field.number && kind === field.kind && wire === field.wire);
      field.value = structuredClone(pick(others).value);
      return;
    }
  }
  const { value, kind } = field;
  if (typeof value === 'bigint') field.value = below(2) ? pick(INTEGERS) : value + pick([1n, -1n, 2n, value]);
  else if (Array.isArray(value)) {
    if (value.length) change(value, model, below, pick);
  } else if (kind === 'text')
    field.value = new TextEncoder().encode(pick(below(2) ? OPERATORS : [...TEXTS, ...texts(model)]));
  else if (kind === 'varints') field.value = changeVarints(value, below, pick);
  else field.value = changeBytes(value, kind, below, pick);
}

function texts(model: Field[]): string[] {
  const all = lists(model)
    .flat()
    .filter(({ kind, value }) => kind === 'text' && value instanceof Uint8Array);
  return all.map(({ value }) => new TextDecoder().decode(value as Uint8Array));
}

function changeVarints(
  bytes: Uint8Array,
  below: (n: number) => number,
  pick: <T>(list: readonly T[]) => T,
): Uint8Array {
  const reader = new BinaryReader(bytes);
  const values: bigint[] = [];
  while (reader.pos < reader.len) values.push(BigInt(reader.int64()));
  const at = below(values.length + 1);
  const what = below(4);
  if (what === 0) values.splice(at, 0, pick(INTEGERS));
  else if (what === 1) values.splice(at, 1);
  else values[Math.min(at, Math.max(0, values.length - 1))] = pick(INTEGERS);
  const writer = new BinaryWriter();
  for (const value of values) writer.int64(BigInt.asIntN(64, value));
  return writer.finish();
}

function changeBytes(
  bytes: Uint8Array,
  kind: string,
  below: (n: number) => number,
  pick: <T>(list: readonly T[]) => T,
): Uint8Array {
  if (below(4) === 0) return bytes.subarray(0, below(bytes.length + 1));
  if (below(4) === 0) return new Uint8Array([...bytes, ...new Uint8Array(1 + below(8))]);
  const copy = bytes.slice();
  if (copy.length < 4) return copy.map(() => below(256));
  const at = Math.floor(below(copy.length) / 4) * 4;
  if (at + 4 <= copy.length && (kind === 'floats' || kind === 'raw' || kind === 'bytes')) {
    const view = new DataView(copy.buffer);
    if (below(2)) view.setFloat32(at, pick(FLOATS), true);
    else view.setInt32(at, Number(BigInt.asIntN(32, pick(INTEGERS))), true);
  }
  return copy;
}

export interface Exercise {
  /** The file could be read. */
  readonly parsed: boolean;
  readonly loaded: boolean;
  readonly ran: boolean;
}

/**
 * Reads, loads and runs a file three times, with every tensor's data read. Whatever goes wrong must be a ModelError.
 * @throws anything else
 */
export function exerciseOnnx(file: Uint8Array): Exercise {
  const done = { parsed: false, loaded: false, ran: false };
  try {
    const { graph } = parseOnnx(file);
    done.parsed = true;
    for (const tensor of graph.initializers.values()) void tensor.data;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
  }
  try {
    const session = loadOnnx(file);
    done.loaded = true;
    try {
      const feeds = new Map<string, OnnxFeed>();
      for (const { name, type, dims } of session.inputs) {
        const sizes = (dims ?? [2]).map((size) => (typeof size === 'string' ? 2 : size));
        const count = sizes.reduce((all, size) => all * size, 1);
        // such an input nobody can feed
        if (count > 1e5) return done;
        feeds.set(name, feed(type, sizes, count));
      }
      for (let run = 0; run < 3; run++) session.run(feeds);
      done.ran = true;
    } finally {
      session.dispose();
    }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
  }
  return done;
}

function feed(type: string, dims: number[], count: number): OnnxFeed {
  if (type === 'float32') return { data: Float32Array.from({ length: count }, (_, i) => ((i * 7) % 11) / 5 - 1), dims };
  if (type === 'int64') return { data: BigInt64Array.from({ length: count }, (_, i) => BigInt(i % 3)), dims };
  if (type === 'int32') return { data: Int32Array.from({ length: count }, (_, i) => 1 + (i % 2)), dims };
  return { data: Uint8Array.from({ length: count }, (_, i) => i % 2), dims };
}
