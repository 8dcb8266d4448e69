import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type OnnxTensor, parseOnnx } from '../../src/onnx.ts';

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

export function message(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

/** A ModelProto around a GraphProto. */
export function modelFile(graph: Uint8Array, opset: number, irVersion = 8): Uint8Array {
  return message((w) => {
    w.tag(1, WireType.Varint).int64(irVersion);
    w.tag(2, WireType.LengthDelimited).string('test');
    w.tag(7, WireType.LengthDelimited).bytes(graph);
    w.tag(8, WireType.LengthDelimited).bytes(message((v) => v.tag(2, WireType.Varint).int64(opset)));
  });
}
