import { WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, test } from 'vitest';
import { loadOnnx, ModelError, type OnnxFeed, parseOnnx } from '../../src/onnx.ts';
import { readFixture } from '../support/fixtures.ts';
import { message, onnxFile, tensorProto } from '../support/onnx-files.ts';
import { floats, refused, valid } from '../support/onnx-refusals.ts';

// Hostile files: each is refused at once, with a ModelError that names the place and the fault.

/** A model whose one initializer is the given TensorProto. */
function withTensor(write: (w: Parameters<Parameters<typeof message>[0]>[0]) => unknown): Uint8Array {
  return onnxFile({
    nodes: [{ op: 'Identity', inputs: ['a'] }],
    initializers: [
      message((w) => {
        w.tag(8, WireType.LengthDelimited).string('a');
        write(w);
      }),
    ],
  });
}

describe('bytes', () => {
  test.each([
    ['empty', new Uint8Array(0), /model: expected a ModelProto, got no byte/],
    [
      'text',
      new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\n'),
      /this is a Git LFS pointer: fetch/,
    ],
    ['a zip', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 0), /this is a zip file: unpack it/],
    ['safetensors', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d), /this is a safetensors file: read it with/],
    ['an HTML page', new TextEncoder().encode('<!DOCTYPE html><html></html>'), /this is an HTML page: the server/],
    ['JSON', new TextEncoder().encode('{"weight_map":{}}'), /this is JSON, an index of shards: read/],
    ['ORT', Uint8Array.of(32, 0, 0, 0, 0x4f, 0x52, 0x54, 0x4d), /this is a model in the ORT format: give the \.onnx/],
    ['PNG', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), /at byte \d+ expected/],
    ['zeros', new Uint8Array(1000), /at byte 0 expected the tag of a field/],
  ])('%s is no model', (_, file, message) => refused(file, message));

  test('a file cut anywhere is refused, or gives the same answers', async () => {
    const names = ['forward', 'opset7_float_data', 'act_bidirectional_six', 'torch_stream_3l'];
    for (const name of names) {
      const file = await readFixture(`onnx-ort/${name}.onnx`);
      const answer = (bytes: Uint8Array) => {
        const session = loadOnnx(bytes);
        const feeds = session.inputs.map(({ name: input, dims }): [string, OnnxFeed] => {
          const sizes = dims as number[];
          return [input, { data: new Float32Array(sizes.reduce((a, b) => a * b, 1)).fill(0.5), dims: sizes }];
        });
        const results = session.run(new Map(feeds));
        session.dispose();
        return results;
      };
      const whole = answer(file);
      let refusals = 0;
      const step = Math.max(1, Math.floor(file.length / 1500));
      for (let length = 0; length < file.length; length += length > file.length - 200 ? 1 : step) {
        try {
          expect(answer(file.subarray(0, length))).toEqual(whole);
        } catch (error) {
          if (!(error instanceof ModelError)) throw error;
          refusals++;
        }
      }
      expect(refusals).toBeGreaterThan(1000);
      refused(Uint8Array.of(...file, 0), /expected the tag of a field/);
    }
    refused(await readFixture('malformed/truncated.onnx'), /bytes? more|length of at most/);
  });

  test.each([
    ['a varint of 11 bytes', [8, ...Array(10).fill(0xff), 1], /model: at byte 1 expected a varint/],
    ['a length beyond the end', [58, 100], /graph: at byte 1 expected a length of at most 0, got 100/],
    ['a length of 2^31', [58, 0x80, 0x80, 0x80, 0x80, 8], /length of at most 0, got 2147483648/],
    ['a length of 2^32 + 1', [58, 0x81, 0x80, 0x80, 0x80, 0x10, 0], /length of at most 1, got 4294967297/],
    ['a length of -1', [58, ...Array(9).fill(0xff), 1], /length of at most 0, got -1/],
    ['field number 0', [0, 1], /byte 0 expected the tag/],
    ['a group', [0xa3, 6, 0xa4, 6], /ONNX has no groups/],
    ['two million groups', Array(2_000_000).fill(0xa3), /expected/],
    ['a graph of the wrong wire type', [56, 1], /graph: at byte 1 expected wire type 2, got 0/],
    ['half a float', [...message((w) => w.tag(99, WireType.Bit32)), 1, 2], /expected the end|bytes more/],
  ])('%s', (_, bytes, message) => refused(Uint8Array.from(bytes), message));

  test('a field that ends beyond its message', () => {
    const file = onnxFile(valid);
    // makes the graph one byte shorter, so that its last field is cut
    const at = file.indexOf(58) + 1;
    file[at]!--;
    refused(file, /at byte \d+ expected/);
  });

  test('text that is not UTF-8', () => {
    const file = onnxFile({ nodes: [{ op: 'Relu', name: 'abc', inputs: ['x'] }], inputs: { x: [2] } });
    file[file.findIndex((_, i) => file[i] === 97 && file[i + 1] === 98)] = 0xff;
    refused(file, /graph\.node\[0\]: at byte \d+ expected text in UTF-8/, 'not-utf8');
  });
});

describe('tensors', () => {
  const float = (w: any, ...dims: (number | bigint)[]) => {
    for (const size of dims) w.tag(1, WireType.Varint).int64(size);
    w.tag(2, WireType.Varint).int64(1);
  };
  const raw = (w: any, bytes: number) => w.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(bytes));

  test.each<[string, (w: any) => unknown, RegExp]>([
    [
      'raw_data too short',
      (w) => [float(w, 2), raw(w, 7)],
      /initializer\[0\]: bytes for \[2\] of float32 expected 8, got 7/,
    ],
    ['raw_data too long', (w) => [float(w, 2), raw(w, 9)], /bytes for \[2\] of float32 expected 8, got 9/],
    ['no data', (w) => float(w, 2), /elements for \[2\] of float32 expected 2, got 0/],
    [
      'data of another type',
      (w) => [float(w, 1), w.tag(7, 0).int64(1)],
      /field of float32 data expected 4, got field 7/,
    ],
    ['raw and typed data', (w) => [float(w, 1), raw(w, 4), w.tag(4, 5).float(1)], /got raw_data and a typed field/],
    ['raw_data twice', (w) => [float(w, 1), raw(w, 4), raw(w, 4)], /raw_data: expected one field, got two/],
    ['a size below 0', (w) => [float(w, -1), raw(w, 4)], /dims: size expected 0 \.\. 2\^31 - 1, got -1$/],
    ['a size of 2^31', (w) => [float(w, 2 ** 31), raw(w, 4)], /got 2147483648$/],
    ['a size of 2^53', (w) => [float(w, 2n ** 53n), raw(w, 4)], /got 9007199254740992n$/],
    [
      'a product that wraps',
      (w) => [float(w, 2 ** 16, 2 ** 16, 2 ** 16, 2 ** 16), raw(w, 0)],
      /bytes for .* expected 73786976294838210000, got 0$/,
    ],
    ['two sizes that wrap', (w) => [float(w, 2 ** 30, 4), raw(w, 0)], /bytes for .* expected 17179869184, got 0$/],
    ['a hundred sizes', (w) => [float(w, ...Array(100).fill(1)), raw(w, 4)], /expected at most 16 dims/],
    ['nine sizes', (w) => [float(w, ...Array(9).fill(1)), raw(w, 4)], /expected at most 8 dims, got 9/],
    ['no type', (w) => raw(w, 4), /data type expected 1 \.\. 26, got 0$/],
    ['type 99', (w) => [w.tag(2, 0).int64(99), raw(w, 4)], /got 99/],
    ['strings', (w) => [w.tag(2, 0).int64(8), w.tag(6, 2).string('x')], /type string are not computed with/],
    ['strings as raw_data', (w) => [w.tag(2, 0).int64(8), raw(w, 0)], /of string/],
    ['a bool of 2', (w) => [w.tag(2, 0).int64(9), w.tag(5, 0).int64(2)], /bool expected 0 \.\. 1, got 2$/],
    [
      'an int32 beyond 31 bits',
      (w) => [w.tag(2, 0).int64(6), w.tag(5, 0).int64(2 ** 31)],
      /int32 expected -2147483648 \.\. 2147483647, got 2147483648$/,
    ],
    ['a segment', (w) => [float(w, 1), w.tag(3, 2).bytes(new Uint8Array(0))], /expected whole tensors, got a segment$/],
    [
      'data in another file',
      (w) => {
        float(w, 1);
        w.tag(13, 2).bytes(
          message((e) => {
            e.tag(1, 2).string('location');
            e.tag(2, 2).string('../../etc/passwd');
          }),
        );
        w.tag(14, 0).int64(1);
      },
      /the data of tensor .* are in another file, "..\/..\/etc\/passwd": give its bytes/,
    ],
    ['data elsewhere', (w) => [float(w, 1), w.tag(14, 0).int64(1)], /are in another file, without its name/],
    [
      'float_data of five bytes',
      (w) => [float(w, 1), w.tag(4, 2).bytes(new Uint8Array(5))],
      /numbers of 4 bytes, got 1 bytes over/,
    ],
  ])('%s', (_, write, message) => refused(withTensor(write), message));

  test('reads types that are not computed with, and refuses to run them', () => {
    for (const [type, bytes] of [
      [4, 2],
      [5, 2],
      [12, 4],
      [13, 8],
      [14, 8],
      [15, 16],
      [17, 1],
      [21, 1],
    ] as const) {
      const file = withTensor((w) => {
        w.tag(2, WireType.Varint).int64(type);
        w.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(bytes));
      });
      expect(parseOnnx(file).graph.initializers.get('a')!.data.length).toBeGreaterThan(0);
      refused(file, /tensors of type \w+ are not computed with/, 'unsupported');
    }
  });

  test('keeps NaN, infinities, subnormals and -0', () => {
    const values = floats(NaN, Infinity, -Infinity, 1e-45, -0, 3.4028234663852886e38);
    const session = loadOnnx(
      onnxFile({ nodes: [{ op: 'Identity', inputs: ['a'] }], initializers: [tensorProto('a', [6], values)] }),
    );
    expect(session.run({}).y!.data).toEqual(values);
    session.dispose();
  });
});
