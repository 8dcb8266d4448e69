import { expect, test } from 'vitest';
import { parseSafetensors } from '../src/safetensors.ts';
import { entry, pack, refusal } from './support/safetensors-files.ts';

const valid = pack({ a: entry('F32', [2], 0, 8), b: entry('U8', [3], 8, 11) }, new Uint8Array(11));

test('every prefix, and any byte more', () => {
  for (let size = 0; size < valid.length; size++) {
    const { code } = refusal(valid.slice(0, size));
    expect(['truncated', 'offsets-out-of-range'], `${size} bytes`).toContain(code);
  }
  expect(refusal(new Uint8Array([...valid, 0])).code).toBe('hole');
});

const x = '"dtype":"U8","shape":[4],"data_offsets":[0,4]';
const shape = (text: string) => `{"x":{"dtype":"U8","shape":${text},"data_offsets":[0,4]}}`;
const offsets = (text: string) => `{"x":{"dtype":"U8","shape":[4],"data_offsets":${text}}}`;
test.each([
  // JSON
  ['invalid-json', 'byte 8', ''],
  ['invalid-json', 'byte 8', '[]'],
  ['invalid-json', 'byte 8', ` {"x":{${x}}}`],
  ['invalid-json', 'byte 8', `\ufeff{"x":{${x}}}`],
  ['invalid-json', 'byte 9', '{'],
  ['invalid-json', 'byte 9', `{,"x":{${x}}}`],
  ['invalid-json', 'byte 12', '{"x"}'],
  ['invalid-json', 'byte 61', `{"x":{${x}},}`],
  ['invalid-json', 'byte 61', `{"x":{${x}} x`],
  ['invalid-json', 'byte 61', `{"x":{${x}}}\0`],
  ['invalid-json', 'byte 10', '{"'],
  ['invalid-json', 'byte 11', '{"x\n":1}'],
  ['invalid-json', 'byte 11', '{"\\x":1}'],
  ['invalid-json', 'byte 11', '{"\\u00g0":1}'],
  ['invalid-json', 'byte 16', '{"\\ud800":1}'],
  ['invalid-json', 'byte 22', '{"\\ud800\\u0041":1}'],
  ['invalid-json', 'byte 22', '{"\\ud800\\ue000":1}'],
  ['invalid-json', 'byte 16', '{"\\udfff":1}'],
  ['invalid-json', 'byte 11', '{"x\u001f":1}'],
  ['invalid-json', 'byte 16', '{"\\udc00\\ud800":1}'],
  ['invalid-json', 'byte 36', shape('[NaN]')],
  ['invalid-json', 'byte 37', shape('[01]')],
  ['invalid-json', 'byte 37', shape('[+]').replace('+', '-')],
  ['invalid-json', 'byte 38', shape('[1.]')],
  ['invalid-json', 'byte 38', shape('[1e]')],
  ['invalid-json', 'byte 38', shape('[4,]')],
  ['invalid-json', 'byte 36', shape('[nul]')],
  ['invalid-json', 'byte 37', shape('[4}')],
  // the form of the header
  ['invalid-entry', 'x', '{"x":null}'],
  ['invalid-entry', 'x', '{"x":["U8",[4],[0,4]]}'],
  ['missing-field', 'x', '{"x":{}}'],
  ['missing-field', 'x', '{"x":{"dtype":"U8","shape":[4]}}'],
  ['missing-field', 'x', '{"x":{"dtype":"U8","data_offsets":[0,4]}}'],
  ['invalid-metadata', '__metadata__', `{"__metadata__":[],"x":{${x}}}`],
  ['invalid-metadata', '__metadata__', `{"__metadata__":{"a":1},"x":{${x}}}`],
  ['invalid-metadata', '__metadata__', `{"__metadata__":{"a":null},"x":{${x}}}`],
  ['invalid-metadata', '__metadata__', `{"__metadata__":{${x}}}`],
  ['invalid-metadata', '__metadata__', `{"\\u005f_metadata__":{"a":1}}`],
  ['duplicate-key', '__metadata__', `{"__metadata__":null,"\\u005f_metadata__":null}`],
  ['duplicate-key', 'x', `{"x":{${x}},"x":{${x}}}`],
  ['duplicate-key', 'x', `{"x":{${x}},"\\u0078":{${x}}}`],
  ['duplicate-key', '__proto__', `{"__proto__":{${x}},"__proto__":{${x}}}`],
  ['duplicate-key', 'x', `{"x":{${x},"dtype":"U8"}}`],
  ['duplicate-key', 'x', `{"x":{${x},"shap\\u0065":[4]}}`],
  ['duplicate-key', 'x', `{"x":{"data_offsets":[0,4],${x}}}`],
  ['duplicate-key', '__metadata__', `{"__metadata__":{},"x":{${x}},"__metadata__":{}}`],
  ['duplicate-key', 'a', `{"__metadata__":{"a":"1","a":"1"},"x":{${x}}}`],
  // dtype
  ['unknown-dtype', 'x', '{"x":{"dtype":"u8","shape":[4],"data_offsets":[0,4]}}'],
  ['unknown-dtype', 'x', '{"x":{"dtype":"constructor","shape":[4],"data_offsets":[0,4]}}'],
  ['unknown-dtype', 'x', '{"x":{"dtype":8,"shape":[4],"data_offsets":[0,4]}}'],
  ['unknown-dtype', 'x', '{"x":{"dtype":{"U8":null},"shape":[4],"data_offsets":[0,4]}}'],
  // shape
  ['invalid-shape', 'x', shape('4')],
  ['invalid-shape', 'x', shape('[4.0]')],
  ['invalid-shape', 'x', shape('[4e0]')],
  ['invalid-shape', 'x', shape('[-4]')],
  ['invalid-shape', 'x', shape('[-0]')],
  ['invalid-shape', 'x', shape('["4"]')],
  ['invalid-shape', 'x', shape('[[4]]')],
  ['invalid-shape', 'x', shape('[null]')],
  ['invalid-shape', 'x', shape('[9007199254740992]')],
  ['invalid-shape', 'x', shape('[18446744073709551620]')],
  ['invalid-shape', 'x', shape('[4294967296,4294967296,4]')],
  ['invalid-shape', 'x', shape('[4294967296,4294967296,0]')],
  ['invalid-shape', 'x', shape('[77158673929,8854646,27,0]')], // 2^64 + 2, less when the first product is rounded
  ['size-mismatch', 'x', shape('[4294967296,4294967295]')],
  ['size-mismatch', 'x', shape('[3]')],
  ['size-mismatch', 'x', shape('[4,2]')],
  ['size-mismatch', 'x', shape('[0]')],
  ['size-mismatch', 'x', '{"x":{"dtype":"F4","shape":[7],"data_offsets":[0,4]}}'],
  ['size-mismatch', 'x', '{"x":{"dtype":"F6_E2M3","shape":[5],"data_offsets":[0,4]}}'],
  // offsets
  ['invalid-offsets', 'x', offsets('null')],
  ['invalid-offsets', 'x', offsets('[]')],
  ['invalid-offsets', 'x', offsets('[4]')],
  ['invalid-offsets', 'x', offsets('[0,4,4]')],
  ['invalid-offsets', 'x', offsets('[4,0]')],
  ['invalid-offsets', 'x', offsets('[-0,4]')],
  ['invalid-offsets', 'x', offsets('[0,4.0]')],
  ['offsets-out-of-range', 'x', offsets('[1,5]')],
  ['offsets-out-of-range', 'x', offsets('[9007199254740987,9007199254740991]')],
  ['overlap', 'b', { a: entry('U8', [3], 0, 3), b: entry('U8', [2], 2, 4) }],
  ['overlap', 'a', { b: entry('U8', [4], 0, 4), a: entry('U8', [4], 0, 4) }],
  ['overlap', 'b', { a: entry('U8', [4], 0, 4), b: entry('U8', [0], 2, 2) }],
  ['hole', 'b', { b: entry('U8', [2], 2, 4), a: entry('U8', [1], 0, 1) }],
  ['hole', 'a', { a: entry('U8', [3], 1, 4) }],
  ['hole', 'byte 3 of the data', { a: entry('U8', [3], 0, 3) }],
  ['hole', 'byte 0 of the data', '{}'],
])('%s at %s: %s', (code, path, header) => {
  const error = refusal(pack(header, [1, 2, 3, 4]));
  expect({ code: error.code, path: error.path }).toEqual({ code, path });
  expect(error.message).toMatch(/^safetensors: [^\n\0]{1,300}$/);
});

test('the message names the key, the byte offset, what was expected and found', () => {
  const error = refusal(pack({ 'lstm.weight': entry('F32', [4, 3], 0, 40) }, new Uint8Array(40)));
  expect(error).toBeInstanceOf(Error);
  expect(error.name).toBe('ModelError');
  expect(error.message).toBe(
    'safetensors: the bytes of "lstm.weight", shape [4,3] of F32, expected 48, got 40 (at byte 9)',
  );
  expect({ ...error }).toMatchObject({ code: 'size-mismatch', path: 'lstm.weight', expected: 48, found: 40 });
});

test('the message stays short and on one line, whatever the key', () => {
  const key = `\n\u0000${'k'.repeat(100_000)}end`;
  const error = refusal(pack({ [key]: 1 }));
  expect(error.path).toBe(key);
  expect(error.message).toMatch(/^safetensors: "\\n\\u0000k{78}…k{27}end" entry expected an object, got 1/);
  expect(error.message.length).toBeLessThan(250);
});

test('what was found is shown in printable ASCII, 40 bytes of it', () => {
  const text = (header: string) => refusal(pack(header)).message;
  expect(text('{"x":"\u007f\n\tré~ ')).toBe('safetensors: "x" entry expected an object, got "???r??~  (at byte 13)');
  expect(text(`{"x":${'1'.repeat(40)}`)).toContain(`got ${'1'.repeat(40)} (at`);
  expect(text(`{"x":${'1'.repeat(41)}`)).toContain(`got ${'1'.repeat(40)}… (at`);
  expect(text('{"x":')).toContain('got the end (at byte 13)');
});

test('a header of no bytes', () => {
  expect(refusal(pack('', [0x7b, 0x7d])).code).toBe('invalid-json');
});

test('a header length beyond the file or the limit', () => {
  const file = pack('{}');
  const view = new DataView(file.buffer);
  for (const [low, high, code] of [
    [3, 0, 'truncated'],
    [100_000_000, 0, 'truncated'],
    [100_000_001, 0, 'header-too-large'],
    [2 ** 31, 0, 'header-too-large'],
    [2, 1, 'header-too-large'],
    [2 ** 32 - 1, 2 ** 32 - 1, 'header-too-large'],
  ] as const) {
    view.setUint32(0, low, true);
    view.setUint32(4, high, true);
    expect(refusal(file).code).toBe(code);
  }
});

test.each([
  ['a continuation alone', [0x80]],
  ['an overlong /', [0xc0, 0xaf]],
  ['an overlong 2-byte form', [0xc1, 0xbf]],
  ['an overlong 3-byte form', [0xe0, 0x9f, 0xbf]],
  ['an overlong 4-byte form', [0xf0, 0x8f, 0xbf, 0xbf]],
  ['a high surrogate', [0xed, 0xa0, 0x80]],
  ['a low surrogate', [0xed, 0xbf, 0xbf]],
  ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['a lead byte F5', [0xf5, 0x80, 0x80, 0x80]],
  ['FF', [0xff]],
  ['a cut 2-byte form', [0xc3]],
  ['a cut 3-byte form', [0xe2, 0x82]],
  ['a cut 4-byte form', [0xf0, 0x9f, 0x98]],
  ['a bad second byte', [0xe2, 0x28, 0xa1]],
  ['a bad third byte', [0xe2, 0x82, 0xc0]],
  ['a bad fourth byte', [0xf0, 0x9f, 0x98, 0x20]],
])('ill-formed UTF-8: %s', (_, bad) => {
  const [before, after] = ['{"a', 'b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'].map((part) => [
    ...new TextEncoder().encode(part),
  ]);
  const inside = refusal(pack(new Uint8Array([...before!, ...bad, ...after!])));
  expect({ code: inside.code, path: inside.path }).toEqual({ code: 'invalid-utf8', path: 'byte 11' });
  const atEnd = refusal(pack(new Uint8Array([...before!, ...bad]), [0x80, 0x80, 0x80]));
  expect({ code: atEnd.code, path: atEnd.path }).toEqual({ code: 'invalid-utf8', path: 'byte 11' });
});

test('the first and last code points of every length are UTF-8', () => {
  const names = ['\u007f', '\u0080', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'];
  const header = Object.fromEntries(names.map((name) => [name, entry('U8', [0], 0, 0)]));
  expect([...parseSafetensors(pack(header)).keys()]).toEqual(names);
});

test('values nested deeper than the reference takes', () => {
  const nested = (depth: number, open: string, close: string) =>
    pack(`{"x":{"y":${open.repeat(depth)}1${close.repeat(depth)},${x}}}`, [1, 2, 3, 4]);
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    expect(parseSafetensors(nested(125, open, close)).size).toBe(1);
    expect(refusal(nested(126, open, close)).code).toBe('too-deep');
    expect(refusal(nested(200_000, open, '')).code).toBe('too-deep');
  }
});

test('100,000 keys of metadata are read; the first of them once more, escaped or not, is refused', () => {
  const keys = Array.from({ length: 100_000 }, (_, i) => `"é${i}":""`);
  const header = (last: string) => pack(`{"__metadata__":{${[...keys, last]}}}`);
  expect(parseSafetensors(header('"":""')).size).toBe(0);
  for (const last of ['"é0":""', '"\\u00e90":""', '"\\u00e9\\u0030":""']) {
    const { code, path } = refusal(header(last));
    expect([code, path]).toEqual(['duplicate-key', 'é0']);
  }
});
