import { describe, expect, test } from 'vitest';
import { loadOnnx, type OnnxGraph, type OnnxTensor, parseOnnx } from '../../src/onnx.ts';
import { readFixture } from '../support/fixtures.ts';
import { graphProto, message, onnxFile, tensorProto } from '../support/onnx-files.ts';

// What parseOnnx shows of a file.

const floats = (...values: number[]) => Float32Array.from(values);

describe('parseOnnx', () => {
  test('shows the graph, its tensors and subgraphs', () => {
    const branch = graphProto({
      nodes: [{ op: 'Identity', inputs: ['a'], outputs: ['inner'] }],
      outputs: { inner: [2] },
    });
    const file = onnxFile(
      {
        nodes: [
          {
            op: 'If',
            name: 'choose',
            inputs: ['yes'],
            outputs: ['y'],
            attributes: { then_branch: { graph: branch }, else_branch: { graph: branch } },
          },
          {
            op: 'Odd',
            domain: 'com.example',
            attributes: {
              i: -3,
              big: 2 ** 53,
              f: floats(0.1),
              s: 'text',
              ints: [1, -2],
              floats: floats(1, 2),
              strings: ['a', 'b'],
              t: tensorProto('t', [1, 2], BigInt64Array.of(2n ** 60n, -1n)),
            },
          },
        ],
        inputs: { yes: [], x: ['batch', '', 3] },
        types: { yes: 9 },
        initializers: [tensorProto('a', [2], floats(0.5, -0))],
      },
      13,
    );
    const model = parseOnnx(file);
    expect(model.irVersion).toBe(8);
    expect(model.producer).toBe('test');
    expect(model.opsets).toEqual(new Map([['', 13]]));
    const { graph } = model;
    expect(graph.name).toBe('test');
    expect(graph.inputs).toEqual([
      { name: 'yes', type: 'bool', dims: [] },
      { name: 'x', type: 'float32', dims: ['batch', '', 3] },
    ]);
    expect(graph.outputs).toEqual([{ name: 'y', type: 'float32', dims: undefined }]);
    const a = graph.initializers.get('a')!;
    expect([a.name, a.type, a.dims]).toEqual(['a', 'float32', [2]]);
    expect(a.data).toEqual(floats(0.5, -0));
    expect(a.data).toBe(a.data);
    const [choose, odd] = graph.nodes as [OnnxGraph['nodes'][0], OnnxGraph['nodes'][0]];
    expect([choose.opType, choose.domain, choose.name]).toEqual(['If', '', 'choose']);
    const inner = choose.attributes.get('then_branch') as OnnxGraph;
    expect(inner.nodes.map(({ opType, inputs, outputs }) => [opType, inputs, outputs])).toEqual([
      ['Identity', ['a'], ['inner']],
    ]);
    expect(odd.domain).toBe('com.example');
    const { t, ...rest } = Object.fromEntries(odd.attributes);
    expect(rest).toEqual({
      i: -3,
      big: 2n ** 53n,
      f: Math.fround(0.1),
      s: 'text',
      ints: [1, -2],
      floats: [1, 2],
      strings: ['a', 'b'],
    });
    expect((t as OnnxTensor).data).toEqual(BigInt64Array.of(2n ** 60n, -1n));
  });

  test('does not read tensors, nor keep the file’s memory in their data', () => {
    const bytes = onnxFile({ nodes: [], initializers: [tensorProto('a', [2], floats(1, 2))] });
    const { data } = parseOnnx(bytes.slice()).graph.initializers.get('a')!;
    expect(data.length * 4).toBe((data as Float32Array).buffer.byteLength);
    const at = bytes.findIndex((_, i) => new DataView(bytes.buffer, bytes.byteOffset + i).getFloat32(0, true) === 1);
    const { initializers } = parseOnnx(bytes).graph;
    new DataView(bytes.buffer, bytes.byteOffset + at).setFloat32(0, 5, true);
    expect(initializers.get('a')!.data).toEqual(floats(5, 2));
  });

  test('takes a view in the middle of a buffer, and an ArrayBuffer', async () => {
    const file = await readFixture('onnx-ort/forward.onnx');
    const wide = new Uint8Array(file.length + 7);
    wide.set(file, 5);
    expect(parseOnnx(wide.subarray(5, 5 + file.length))).toEqual(parseOnnx(file.slice().buffer));
    for (const wrong of [undefined, null, 'x', [1], new Float32Array(2), new DataView(new ArrayBuffer(2))]) {
      expect(() => parseOnnx(wrong as never)).toThrow(TypeError);
      expect(() => loadOnnx(wrong as never)).toThrow(TypeError);
    }
  });

  test.each([
    ['float32', 1, [1, -2], [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], floats(1, -2)],
    ['uint8', 2, [1, 255], [1, 255], Uint8Array.of(1, 255)],
    ['int8', 3, [1, -1], [1, 255], Int8Array.of(1, -1)],
    ['uint16', 4, [1, 65535], [1, 0, 255, 255], Uint16Array.of(1, 65535)],
    ['int16', 5, [1, -1], [1, 0, 255, 255], Int16Array.of(1, -1)],
    ['int32', 6, [1, -1], [1, 0, 0, 0, 255, 255, 255, 255], Int32Array.of(1, -1)],
    ['int64', 7, [1, -1], [1, 0, 0, 0, 0, 0, 0, 0, ...Array(8).fill(255)], BigInt64Array.of(1n, -1n)],
    ['bool', 9, [1, 0], [1, 0], Uint8Array.of(1, 0)],
    ['float16', 10, [0x3c00, 0xc000], [0, 0x3c, 0, 0xc0], floats(1, -2)],
    ['float64', 11, [1, -2], [0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0], floats(1, -2)],
    ['uint32', 12, [1, 2 ** 32 - 1], [1, 0, 0, 0, 255, 255, 255, 255], Uint32Array.of(1, 2 ** 32 - 1)],
    ['uint64', 13, [1, 2], [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], BigUint64Array.of(1n, 2n)],
    ['bfloat16', 16, [0x3f80, 0xc000], [0x80, 0x3f, 0, 0xc0], floats(1, -2)],
    ['float8e4m3fn', 17, [1, 255], [1, 255], Uint8Array.of(1, 255)],
    ['float8e5m2', 19, [1, 255], [1, 255], Uint8Array.of(1, 255)],
    ['float8e8m0', 24, [1, 255], [1, 255], Uint8Array.of(1, 255)],
    ['int4', 22, [0x21], [0x21], Uint8Array.of(0x21)],
  ])('%s from raw_data and from its field', (name, type, values, raw, expected) => {
    const fields: Record<string, number> = { float32: 4, int64: 7, float64: 10, uint32: 11, uint64: 11 };
    const field = fields[name] ?? 5;
    const tensor = (write: (w: Parameters<Parameters<typeof message>[0]>[0]) => void) =>
      parseOnnx(
        onnxFile({
          nodes: [],
          initializers: [
            message((w) => {
              w.tag(1, 0).int64(2);
              w.tag(2, 0).int64(type);
              w.tag(8, 2).string('a');
              write(w);
            }),
          ],
        }),
      ).graph.initializers.get('a')!;
    const ways = [
      tensor((w) => w.tag(9, 2).bytes(Uint8Array.from(raw))),
      // each element a field
      tensor((w) => {
        for (const value of values) {
          if (field === 4) w.tag(field, 5).float(value);
          else if (field === 10) w.tag(field, 1).double(value);
          else w.tag(field, 0).int64(value);
        }
      }),
      // packed
      tensor((w) => {
        const packed = message((p) => {
          for (const value of values) field === 4 ? p.float(value) : field === 10 ? p.double(value) : p.int64(value);
        });
        w.tag(field, 2).bytes(packed);
      }),
    ];
    for (const one of ways) expect([one.type, one.data]).toEqual([name, expected]);
  });
});
