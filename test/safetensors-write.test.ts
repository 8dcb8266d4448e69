import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSafetensors, serializeSafetensors } from '../src/safetensors.ts';
import { bytesOf, entry, pack, TYPES } from './support/safetensors-files.ts';

test('lays files out as the reference does', () => {
  // From safetensors 0.8.0: widest types first, then by name in the order of UTF-8; the header padded to 8 bytes.
  const u8 = { data: new Uint8Array(0), dims: [0] };
  const file = serializeSafetensors({
    '😁': u8,
    '😀': u8,
    '～': u8,
    '\u0800': u8,
    dd: u8,
    d: u8,
    b: { data: new Uint8Array([1, 0]), dims: [2], dtype: 'BOOL' } as never,
    a: { data: new Float32Array([1]), dims: [1, 1] },
    '"\\\n\u007f\u0001/\u2028\b': u8,
    c: { data: new BigInt64Array([-1n]), dims: [] },
  });
  const empty = '{"dtype":"U8","shape":[0],"data_offsets":[12,12]}';
  const header = [
    '{"c":{"dtype":"I64","shape":[],"data_offsets":[0,8]}',
    '"a":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]}',
    `"\\"\\\\\\n\u007f\\u0001/\u2028\\b":${empty}`,
    `"d":${empty}`,
    `"dd":${empty}`,
    `"\u0800":${empty}`,
    `"～":${empty}`,
    `"😀":${empty}`,
    `"😁":${empty}`,
    '"b":{"dtype":"BOOL","shape":[2],"data_offsets":[12,14]}}',
  ].join();
  const length = new TextEncoder().encode(header).length;
  const padded = header + ' '.repeat((8 - (length % 8)) % 8);
  expect(file).toStrictEqual(pack(padded, [255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 128, 63, 1, 0]));
});

test('names are written as UTF-8', () => {
  const names = ['\u007f', '\u0080', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'];
  const header = names.map((name) => `"${name}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`).join();
  const file = serializeSafetensors(new Map(names.map((name) => [name, { data: new Uint8Array(0), dims: [0] }])));
  const bytes = new TextEncoder().encode(`{${header}}`);
  expect(file.subarray(8, 8 + bytes.length)).toStrictEqual(bytes);
});

test('metadata come first', () => {
  const file = serializeSafetensors(new Map(), { format: 'pt', '__proto__ ': 'é"' });
  expect(file).toStrictEqual(pack('{"__metadata__":{"format":"pt","__proto__ ":"é\\""}}    '));
  expect(serializeSafetensors({})).toStrictEqual(pack('{}      '));
});

const WRITTEN = { F16: 'F32', BF16: 'F32', F64: 'F32' } as Record<string, string>;

test('every type of array, and what was read, comes back', () => {
  for (const [dtype, bits] of Object.entries(TYPES)) {
    const bytes = Uint8Array.from({ length: bits / 2 }, (_, i) => (i % 8 === 1 ? 0x3c : i));
    const first = parseSafetensors(pack({ x: entry(dtype, [2, 2], 0, bytes.length) }, bytes));
    const second = parseSafetensors(serializeSafetensors(first));
    expect(second.get('x')).toStrictEqual({ ...first.get('x')!, dtype: WRITTEN[dtype] ?? dtype });
  }
  const doubles = new Float64Array([0.1, 2]);
  const file = serializeSafetensors({
    x: { data: doubles, dims: [2] },
    y: { data: new Uint8ClampedArray([9]), dims: [1] },
  });
  expect(file.subarray(-17)).toStrictEqual(new Uint8Array([...bytesOf(doubles), 9]));
  expect([...parseSafetensors(file).values()].map(({ dtype }) => dtype)).toEqual(['F64', 'U8']);
});

test('reading and writing again gives the same bytes', () => {
  const data = fc.oneof(
    fc.float32Array({ maxLength: 6 }),
    fc.float64Array({ maxLength: 6 }),
    fc.int8Array({ maxLength: 6 }),
    fc.uint8Array({ maxLength: 6 }),
    fc.int16Array({ maxLength: 6 }),
    fc.uint16Array({ maxLength: 6 }),
    fc.int32Array({ maxLength: 6 }),
    fc.uint32Array({ maxLength: 6 }),
    fc.bigInt64Array({ maxLength: 6 }),
    fc.bigUint64Array({ maxLength: 6 }),
  );
  const name = fc.string({ unit: 'binary' }).filter((name) => name !== '__metadata__');
  const dict = fc.uniqueArray(fc.tuple(name, data), { selector: ([name]) => name, maxLength: 5 });
  fc.assert(
    fc.property(dict, fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), (tensors, metadata) => {
      const stateDict = new Map(tensors.map(([name, data]) => [name, { data, dims: [1, data.length] }]));
      const file = serializeSafetensors(stateDict, metadata);
      const read = parseSafetensors(file);
      expect(file[0]! % 8).toBe(0);
      for (const [name, { data, dims }] of stateDict) {
        const found = read.get(name)!;
        expect(found.dims).toEqual(dims);
        expect(found.data).toStrictEqual(data instanceof Float64Array ? new Float32Array(data) : data);
      }
      const floats = [...read.values()].some(({ dtype }) => dtype === 'F64');
      if (!floats) expect(serializeSafetensors(read, metadata)).toStrictEqual(file);
    }),
    { seed: 1 },
  );
});

const ok = { data: new Float32Array(2), dims: [2] };
const gone = new Float32Array(0);
structuredClone(gone.buffer, { transfer: [gone.buffer] });
test.each([
  [TypeError, [null]],
  [TypeError, [[ok]]],
  [TypeError, [new Float32Array(0)]],
  [TypeError, [new ArrayBuffer(8)]],
  [TypeError, ['x']],
  [TypeError, [new Map([[1, ok]])]],
  [TypeError, [{ '\ud800': ok }]],
  [TypeError, [{ x: null }]],
  [TypeError, [{ x: {} }]],
  [TypeError, [{ x: { data: [1, 2], dims: [2] } }]],
  [TypeError, [{ x: { data: new DataView(new ArrayBuffer(8)), dims: [2] } }]],
  [TypeError, [{ x: { data: ok.data } }]],
  [TypeError, [{ x: { data: gone, dims: [0] } }]],
  [RangeError, [{ x: { data: ok.data, dims: [3] } }]],
  [RangeError, [{ x: { data: ok.data, dims: [-2] } }]],
  [RangeError, [{ x: { data: ok.data, dims: [0.5, 4] } }]],
  [RangeError, [{ x: { data: new Uint8Array(2), dims: [2], dtype: 'F32' } }]],
  [RangeError, [{ x: { data: new Uint8Array(2), dims: [2], dtype: 'F4' } }]],
  [RangeError, [{ x: { data: new Uint8Array(1), dims: [1], dtype: 'F4' } }]],
  [RangeError, [{ __metadata__: ok }]],
  [TypeError, [{ x: ok }, 'pt']],
  [TypeError, [{ x: ok }, { format: 1 }]],
  [TypeError, [{ x: ok }, { format: '\udc00' }]],
  [TypeError, [{ x: ok }, { '\udc00': '' }]],
])('refuses arguments with a %o: %o', (type, args) => {
  const call = () => serializeSafetensors(...(args as never as Parameters<typeof serializeSafetensors>));
  expect(call).toThrow(type);
  expect(call).toThrow(/^serializeSafetensors: "/);
});
