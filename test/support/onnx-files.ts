import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type OnnxFeed, type OnnxTensor, parseOnnx } from '../../src/onnx.ts';

type ValueData = OnnxFeed['data'];

// Writes ONNX files for tests, field by field: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

/** The tensor of a file that holds a TensorProto, as the ONNX project's tests have them. */
export function readTensorProto(bytes: Uint8Array): OnnxTensor {
  const named = message((w) => {
    w.raw(bytes);
    w.tag(8, WireType.LengthDelimited).string('tensor');
  });
  const graph = message((w) => w.tag(5, WireType.LengthDelimited).bytes(named));
  return parseOnnx(modelFile(graph, 20)).graph.initializers.get('tensor')!;
}

export function message(write: (writer: BinaryWriter) => unknown): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

/** A ModelProto around a GraphProto. */
export function modelFile(
  graph: Uint8Array,
  opset: number,
  irVersion = 8,
  domains: readonly string[] = [],
  functions: readonly Uint8Array[] = [],
): Uint8Array {
  return message((w) => {
    w.tag(1, WireType.Varint).int64(irVersion);
    w.tag(2, WireType.LengthDelimited).string('test');
    w.tag(7, WireType.LengthDelimited).bytes(graph);
    w.tag(8, WireType.LengthDelimited).bytes(message((v) => v.tag(2, WireType.Varint).int64(opset)));
    for (const domain of domains) {
      const version = message((v) =>
        v.tag(1, WireType.LengthDelimited).string(domain).tag(2, WireType.Varint).int64(1),
      );
      w.tag(8, WireType.LengthDelimited).bytes(version);
    }
    for (const proto of functions) w.tag(25, WireType.LengthDelimited).bytes(proto);
  });
}

/** TensorProto.DataType of what is computed with. */
export const DATA_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const;

function typeOf(data: ValueData): number {
  if (data instanceof Float32Array) return DATA_TYPES.float32;
  if (data instanceof BigInt64Array) return DATA_TYPES.int64;
  if (data instanceof Int32Array) return DATA_TYPES.int32;
  return data instanceof Int8Array ? DATA_TYPES.int8 : DATA_TYPES.bool;
}

/** A TensorProto with its data in raw_data; a Uint8Array is of bools unless `type` says otherwise. */
export function tensorProto(
  name: string,
  dims: readonly number[],
  data: ValueData,
  type: number = typeOf(data),
): Uint8Array {
  return message((w) => {
    for (const size of dims) w.tag(1, WireType.Varint).int64(size);
    w.tag(2, WireType.Varint).int64(type);
    w.tag(8, WireType.LengthDelimited).string(name);
    w.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });
}

export type Attribute =
  | number
  | string
  | Float32Array
  | readonly number[]
  | readonly string[]
  | Uint8Array
  | { graph: Uint8Array }
  | { floats: readonly number[] };

/** An AttributeProto. A number is an integer, a Float32Array floats (or a float, if it has one element, which `floats` has in a list), bytes a TensorProto. */
function attributeProto(name: string, value: Attribute): Uint8Array {
  return message((w) => {
    w.tag(1, WireType.LengthDelimited).string(name);
    const type = (number: number) => w.tag(20, WireType.Varint).int64(number);
    if (typeof value === 'number') {
      w.tag(3, WireType.Varint).int64(value);
      type(2);
    } else if (typeof value === 'string') {
      w.tag(4, WireType.LengthDelimited).string(value);
      type(3);
    } else if (value instanceof Float32Array && value.length === 1) {
      w.tag(2, WireType.Bit32).float(value[0]!);
      type(1);
    } else if (value instanceof Float32Array) {
      for (const number of value) w.tag(7, WireType.Bit32).float(number);
      type(6);
    } else if (value instanceof Uint8Array) {
      w.tag(5, WireType.LengthDelimited).bytes(value);
      type(4);
    } else if ('floats' in value) {
      for (const number of value.floats) w.tag(7, WireType.Bit32).float(number);
      type(6);
    } else if ('graph' in value) {
      w.tag(6, WireType.LengthDelimited).bytes(value.graph);
      type(5);
    } else {
      const text = typeof value[0] === 'string';
      for (const item of value) {
        if (typeof item === 'string') w.tag(9, WireType.LengthDelimited).string(item);
        else w.tag(8, WireType.Varint).int64(item);
      }
      type(text ? 8 : 7);
    }
  });
}

export interface NodeSpec {
  readonly op: string;
  readonly domain?: string;
  readonly name?: string;
  readonly overload?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

function nodeProto({
  op,
  domain = '',
  name = '',
  overload = '',
  inputs = [],
  outputs = ['y'],
  attributes = {},
}: NodeSpec): Uint8Array {
  return message((w) => {
    for (const input of inputs) w.tag(1, WireType.LengthDelimited).string(input);
    for (const output of outputs) w.tag(2, WireType.LengthDelimited).string(output);
    if (name) w.tag(3, WireType.LengthDelimited).string(name);
    w.tag(4, WireType.LengthDelimited).string(op);
    for (const [key, value] of Object.entries(attributes)) {
      w.tag(5, WireType.LengthDelimited).bytes(attributeProto(key, value));
    }
    if (domain) w.tag(7, WireType.LengthDelimited).string(domain);
    if (overload) w.tag(8, WireType.LengthDelimited).string(overload);
  });
}

/** A ValueInfoProto: float32 unless `type` is another TensorProto.DataType; strings are symbolic sizes. */
function valueProto(name: string, dims: readonly (number | string)[] | undefined, type: number): Uint8Array {
  return message((w) => {
    w.tag(1, WireType.LengthDelimited).string(name);
    const tensor = message((t) => {
      t.tag(1, WireType.Varint).int64(type);
      if (!dims) return;
      const shape = message((s) => {
        for (const size of dims) {
          const dim = message((d) => {
            if (typeof size === 'number') d.tag(1, WireType.Varint).int64(size);
            else if (size) d.tag(2, WireType.LengthDelimited).string(size);
          });
          s.tag(1, WireType.LengthDelimited).bytes(dim);
        }
      });
      t.tag(2, WireType.LengthDelimited).bytes(shape);
    });
    const proto = message((t) => t.tag(1, WireType.LengthDelimited).bytes(tensor));
    w.tag(2, WireType.LengthDelimited).bytes(proto);
  });
}

export interface GraphSpec {
  readonly nodes: readonly NodeSpec[];
  /** Names to dims, and types where they are not float32 (TensorProto.DataType). */
  readonly inputs?: Readonly<Record<string, readonly (number | string)[] | undefined>>;
  readonly outputs?: Readonly<Record<string, readonly (number | string)[] | undefined>>;
  readonly types?: Readonly<Record<string, number>>;
  /** TensorProtos. */
  readonly initializers?: readonly Uint8Array[];
}

export function graphProto({
  nodes,
  inputs = {},
  outputs = { y: undefined },
  types = {},
  initializers = [],
}: GraphSpec): Uint8Array {
  return message((w) => {
    for (const node of nodes) w.tag(1, WireType.LengthDelimited).bytes(nodeProto(node));
    w.tag(2, WireType.LengthDelimited).string('test');
    for (const tensor of initializers) w.tag(5, WireType.LengthDelimited).bytes(tensor);
    for (const [field, values] of [
      [11, inputs],
      [12, outputs],
    ] as const) {
      for (const [name, dims] of Object.entries(values)) {
        w.tag(field, WireType.LengthDelimited).bytes(
          valueProto(name, dims, Object.hasOwn(types, name) ? types[name]! : 1),
        );
      }
    }
  });
}

/** A whole file of one graph. */
export function onnxFile(graph: GraphSpec, opset = 17, functions: readonly Uint8Array[] = []): Uint8Array {
  const domains = new Set(graph.nodes.map(({ domain = '' }) => domain));
  return modelFile(
    graphProto(graph),
    opset,
    undefined,
    [...domains].filter((domain) => domain === 'com.microsoft'),
    functions,
  );
}

/** A function of the model's own. */
export interface FunctionSpec {
  readonly name: string;
  readonly domain: string;
  readonly overload?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly NodeSpec[];
  /** The operator set of its nodes; the model's if it is left out. */
  readonly opset?: number;
}

/** A FunctionProto. */
export function functionProto(spec: FunctionSpec): Uint8Array {
  const { name, domain, overload, inputs, outputs, nodes, opset } = spec;
  return message((w) => {
    w.tag(1, WireType.LengthDelimited).string(name);
    for (const input of inputs) w.tag(4, WireType.LengthDelimited).string(input);
    for (const output of outputs) w.tag(5, WireType.LengthDelimited).string(output);
    for (const node of nodes) w.tag(7, WireType.LengthDelimited).bytes(nodeProto(node));
    if (opset) w.tag(9, WireType.LengthDelimited).bytes(message((v) => v.tag(2, WireType.Varint).int64(opset)));
    w.tag(10, WireType.LengthDelimited).string(domain);
    if (overload) w.tag(13, WireType.LengthDelimited).string(overload);
  });
}
