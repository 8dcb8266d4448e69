import { describe, expect, test } from 'vitest';
import { parseSafetensors } from '../src/safetensors.ts';
import { bytesOf, entry, pack, TYPES } from './support/safetensors-files.ts';

function one(dtype: string, values: ArrayBufferView, shape: number[]) {
  const file = pack({ x: entry(dtype, shape, 0, values.byteLength) }, bytesOf(values));
  const tensor = parseSafetensors(file).get('x')!;
  expect(tensor.dims).toEqual(shape);
  expect(tensor.dtype).toBe(dtype);
  return tensor.data;
}

describe('types', () => {
  test.each([
    new Int8Array([-128, 0, 127]),
    new Int16Array([-32768, 0, 32767]),
    new Uint16Array([0, 1, 65535]),
    new Int32Array([-(2 ** 31), 0, 2 ** 31 - 1]),
    new Uint32Array([0, 1, 2 ** 32 - 1]),
    new BigInt64Array([-(2n ** 63n), 0n, 2n ** 63n - 1n]),
    new BigUint64Array([0n, 1n, 2n ** 64n - 1n]),
    new Uint8Array([0, 1, 255]),
  ])('integers come as they are: %o', (values) => {
    const dtype = values.constructor.name
      .replace(/^Big/, '')
      .replace('int', '')
      .replace('Int', 'I')
      .replace('Array', '');
    expect(one(dtype, values, [3])).toStrictEqual(values);
  });

  test('every other type comes as its bytes', () => {
    for (const [dtype, bits] of Object.entries(TYPES)) {
      if (!/^(BOOL|F4|F6_|F8_|C64)/.test(dtype)) continue;
      const bytes = Uint8Array.from({ length: bits }, (_, i) => 37 * i);
      expect(one(dtype, bytes, [2, 4])).toStrictEqual(bytes);
    }
  });

  test('F32 keeps its bits', () => {
    const bits = new Uint32Array([0x7fa00001, 0xffc12345, 0x80000000, 1, 0x7f800000, 0x3f800000]);
    const data = one('F32', bits, [2, 3]);
    expect(data).toBeInstanceOf(Float32Array);
    expect(bytesOf(data)).toStrictEqual(bytesOf(bits));
  });

  test('F64 is rounded to nearest, ties to even', () => {
    const tiny = 2 ** -149;
    const max = 2 ** 128 - 2 ** 104;
    const cases = [
      [1 + 2 ** -24, 1],
      [1 + 2 ** -24 + 2 ** -52, 1 + 2 ** -23],
      [1 + 3 * 2 ** -24, 1 + 2 ** -22],
      [-1 - 2 ** -24, -1],
      [tiny / 2, 0],
      [1.5 * tiny, 2 * tiny],
      [2.5 * tiny, 2 * tiny],
      [max + 2 ** 103 - 2 ** 75, max],
      [max + 2 ** 103, Infinity],
      [-0, -0],
      [Number.NaN, Number.NaN],
    ];
    const data = one(
      'F64',
      Float64Array.from(cases, (pair) => pair[0]!),
      [cases.length],
    );
    expect(data).toStrictEqual(Float32Array.from(cases, (pair) => pair[1]!));
  });

  test('F16: all 65,536 values are exact', () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const data = one('F16', halves, [65536]) as Float32Array;
    const bits = new Uint32Array(data.buffer);
    for (let half = 0; half < 65536; half++) {
      const sign = half < 0x8000 ? 1 : -1;
      const exponent = (half >> 10) & 31;
      const mantissa = half & 1023;
      if (exponent === 31 && mantissa) {
        if (bits[half] !== (half >> 15) * 2 ** 31 + 0x7f800000 + mantissa * 2 ** 13) expect.fail(`NaN ${half}`);
        continue;
      }
      const finite = exponent ? (1 + mantissa / 1024) * 2 ** (exponent - 15) : (mantissa / 1024) * 2 ** -14;
      const expected = sign * (exponent === 31 ? Infinity : finite);
      if (!Object.is(data[half], expected)) expect(data[half], `half ${half}`).toBe(expected);
    }
  });

  test('BF16: all 65,536 values are the upper halves of a float32', () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const data = one('BF16', halves, [256, 256]);
    expect(data).toBeInstanceOf(Float32Array);
    expect(new Uint32Array(data.buffer)).toStrictEqual(Uint32Array.from(halves, (half) => half * 65536));
  });
});

describe('files that are read', () => {
  const values = new Float32Array([1.5, -2, 3.25]);

  test('at any alignment, from views and buffers, onto memory of their own', () => {
    for (let pad = 0; pad < 8; pad++) {
      const header = `${JSON.stringify({ b: entry('U8', [1], 0, 1), x: entry('F32', [3], 1, 13) })}${' '.repeat(pad)}`;
      const file = pack(header, [7, ...bytesOf(values)]);
      const shifted = new Uint8Array(file.length + 16).subarray(pad, pad + file.length);
      shifted.set(file);
      for (const bytes of [file, file.buffer, shifted]) {
        const { data } = parseSafetensors(bytes).get('x')!;
        expect(data).toStrictEqual(values);
        expect(data.byteOffset).toBe(0);
        expect(data.buffer.byteLength).toBe(12);
      }
    }
  });

  test('keep the order of the header, whatever that of the data', () => {
    const header = { c: entry('U8', [1], 2, 3), a: entry('U8', [1], 0, 1), b: entry('U8', [1], 1, 2) };
    const tensors = parseSafetensors(pack(header, [10, 11, 12]));
    expect([...tensors].map(([name, { data }]) => [name, data[0]])).toEqual([
      ['c', 12],
      ['a', 10],
      ['b', 11],
    ]);
  });

  test('any name is just a name', () => {
    const names = ['__proto__', 'constructor', 'toString', '', 'a"\\\n\u0000\u007f', 'é', '層', '😀', 'hasOwnProperty'];
    const members = names.map((name, i) => `${JSON.stringify(name)}:${JSON.stringify(entry('U8', [1], i, i + 1))}`);
    const tensors = parseSafetensors(
      pack(
        `{${members}}`,
        names.map((_, i) => i),
      ),
    );
    expect([...tensors.keys()]).toEqual(names);
    expect(tensors.get('__proto__')).toStrictEqual({ data: new Uint8Array([0]), dims: [1], dtype: 'U8' });
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  test('escapes are decoded, in names and in the keywords', () => {
    const name = '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\uDE00"';
    const header = `{"\\u005f_metadata__":{"\\u0061":"\\n"},${name}:{"dty\\u0070e":"\\u00558","shape":[],"data_offsets":[0,1]}}`;
    expect([...parseSafetensors(pack(header, [5])).keys()]).toEqual(['"\\/\b\f\n\r\té😀']);
  });

  test('a long name is read whole', () => {
    for (const name of ['é'.repeat(10_000), '😀'.repeat(5000), `x${'😀'.repeat(5000)}`]) {
      expect([...parseSafetensors(pack({ [name]: entry('U8', [0], 0, 0) })).keys()]).toEqual([name]);
    }
  });

  test.each([
    ['no tensors', '{}', 0],
    ['metadata only', '{"__metadata__":{"format":"pt"}}', 0],
    ['metadata null', '{"__metadata__":null,"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1],
    ['white space', '{ "x"\n:\t{"dtype" : "U8","shape":[ 1 ] ,"data_offsets":[ 0\r,1]} }\n ', 1],
    ['fields in any order', '{"x":{"data_offsets":[0,1],"shape":[1],"dtype":"U8"}}', 1],
    [
      'fields nobody knows',
      '{"x":{"y":[-1.5e+3,0.1,1E2,1e-2,[],{}],"z":{"y":[true,false,null,"\\u0000"]},"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
    ],
    ['a scalar', '{"x":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}', 1],
    [
      'empty tensors at the edges',
      '{"b":{"dtype":"F64","shape":[2,0],"data_offsets":[1,1]},"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"F4","shape":[0],"data_offsets":[0,0]}}',
      1,
    ],
  ])('%s', (_, header, size) => {
    const tensors = parseSafetensors(pack(header, new Uint8Array(size)));
    expect(tensors.get('x')?.data.length ?? 0).toBe(size);
  });

  // What the reference's checked multiplication takes, product by product.
  test.each([
    [0, 9007199254740991],
    [9007199254740991, 0],
    [2147483648, 4294967296, 0],
    [4294967295, 4294967297, 1, 0],
    [0, 4294967296, 4294967296],
  ])('an empty tensor of a large shape: %d, %d ...', (...shape) => {
    const { data, dims } = parseSafetensors(pack({ x: entry('F64', shape, 0, 0) })).get('x')!;
    expect(data).toStrictEqual(new Float32Array(0));
    expect(dims).toEqual(shape);
  });

  test('100,000 tensors in the shortest form', () => {
    const members = Array.from({ length: 100_000 }, (_, i) => {
      return `"${i.toString(36)}":{"dtype":"F4","shape":[0],"data_offsets":[0,0]}`;
    });
    const tensors = parseSafetensors(pack(`{${members}}`));
    expect(tensors.size).toBe(100_000);
    expect([...tensors.keys()][99_999]).toBe((99_999).toString(36));
  });
});

test('parseSafetensors takes bytes and nothing else', () => {
  const gone = pack('{}');
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  for (const wrong of [
    undefined,
    null,
    '{}',
    [...pack('{}')],
    {},
    new DataView(pack('{}').buffer),
    new Uint8ClampedArray(pack('{}')),
    new Int8Array(pack('{}').buffer),
    gone,
    gone.buffer,
  ]) {
    expect(() => parseSafetensors(wrong as Uint8Array)).toThrow(TypeError);
    expect(() => parseSafetensors(wrong as Uint8Array)).toThrow(/^parseSafetensors: "bytes" expected a Uint8Array/);
  }
});
