// Writes ONNX files, field by field: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

const { Varint, LengthDelimited } = WireType;

function message(write) {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

/** A TensorProto of floats or of int64. */
export function tensor(name, dims, data) {
  return message((w) => {
    for (const size of dims) w.tag(1, Varint).int64(size);
    w.tag(2, Varint).int64(data instanceof Float32Array ? 1 : 7);
    w.tag(8, LengthDelimited).string(name);
    w.tag(9, LengthDelimited).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });
}

function attributeProto(name, value) {
  return message((w) => {
    w.tag(1, LengthDelimited).string(name);
    if (Array.isArray(value)) for (const item of value) w.tag(8, Varint).int64(item);
    else if (typeof value === 'string') w.tag(4, LengthDelimited).string(value);
    else w.tag(3, Varint).int64(value);
    w.tag(20, Varint).int64(Array.isArray(value) ? 7 : typeof value === 'string' ? 3 : 2);
  });
}

function nodeProto({ op, inputs, outputs, attributes = {} }) {
  return message((w) => {
    for (const input of inputs) w.tag(1, LengthDelimited).string(input);
    for (const output of outputs) w.tag(2, LengthDelimited).string(output);
    w.tag(4, LengthDelimited).string(op);
    for (const [key, value] of Object.entries(attributes)) w.tag(5, LengthDelimited).bytes(attributeProto(key, value));
  });
}

/** A size, or the name of one that is known only when the model runs. */
function dimension(size) {
  return message((w) =>
    typeof size === 'string' ? w.tag(2, LengthDelimited).string(size) : w.tag(1, Varint).int64(size),
  );
}

/** A ValueInfoProto of float32. */
function valueProto(name, dims) {
  return message((w) => {
    w.tag(1, LengthDelimited).string(name);
    const tensorType = message((t) => {
      t.tag(1, Varint).int64(1);
      if (!dims) return;
      const shape = message((s) => {
        for (const size of dims) s.tag(1, LengthDelimited).bytes(dimension(size));
      });
      t.tag(2, LengthDelimited).bytes(shape);
    });
    w.tag(2, LengthDelimited).bytes(message((t) => t.tag(1, LengthDelimited).bytes(tensorType)));
  });
}

/** A whole file of one graph: nodes, TensorProtos, inputs as dims by name, names of outputs. */
export function onnxFile({ nodes, initializers = [], inputs, outputs }, opset = 17) {
  const graph = message((w) => {
    for (const node of nodes) w.tag(1, LengthDelimited).bytes(nodeProto(node));
    w.tag(2, LengthDelimited).string('absurd');
    for (const proto of initializers) w.tag(5, LengthDelimited).bytes(proto);
    for (const [name, dims] of Object.entries(inputs)) w.tag(11, LengthDelimited).bytes(valueProto(name, dims));
    for (const name of outputs) w.tag(12, LengthDelimited).bytes(valueProto(name));
  });
  return message((w) => {
    w.tag(1, Varint).int64(8);
    w.tag(7, LengthDelimited).bytes(graph);
    w.tag(8, LengthDelimited).bytes(message((v) => v.tag(2, Varint).int64(opset)));
  });
}
