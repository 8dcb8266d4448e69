import { describe, expect, test } from 'vitest';
import { parseSafetensorsShards, serializeSafetensors } from '../src/safetensors.ts';
import { refusal } from './support/refusals.ts';

// A model in several files, with the index that Hugging Face writes beside them.

const FILES = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
const tensor = (value: number) => ({ data: Float32Array.of(value, value), dims: [2] });
const one = serializeSafetensors({ 'lstm.a': tensor(1), 'lstm.c': tensor(3) });
const two = serializeSafetensors({ 'lstm.b': tensor(2), __proto__x: tensor(4) });
const files = { [FILES[0]]: one, [FILES[1]]: two };
const weight_map = { __proto__x: FILES[1], 'lstm.a': FILES[0], 'lstm.b': FILES[1], 'lstm.c': FILES[0] };
const index = { metadata: { total_size: 32 }, weight_map };
const expected = [4, 1, 2, 3].map((value, i) => [Object.keys(weight_map)[i], { ...tensor(value), dtype: 'F32' }]);

test.each([
  ['text', JSON.stringify(index)],
  ['bytes', new TextEncoder().encode(JSON.stringify(index))],
  ['a buffer', new TextEncoder().encode(JSON.stringify(index)).buffer],
  ['with a byte order mark', new TextEncoder().encode(`\ufeff${JSON.stringify(index)}`)],
  ['parsed', index],
])('an index: %s', (_, given) => {
  expect([...parseSafetensorsShards(given, files)]).toEqual(expected);
  expect([...parseSafetensorsShards(given, new Map(Object.entries(files)))]).toEqual(expected);
});

test('files that the index does not name are not read', () => {
  const more = { ...files, 'config.json': new Uint8Array(3) };
  expect(parseSafetensorsShards(index, more).size).toBe(4);
  expect(parseSafetensorsShards({ weight_map: {} }, more).size).toBe(0);
});

describe('refused', () => {
  const read = (map: unknown, given: object = files) =>
    refusal(() => parseSafetensorsShards(map as never, given as never));

  test.each<[code: string, path: string, what: string, map: unknown, given?: object]>([
    ['missing-file', FILES[1], 'a file', index, { [FILES[0]]: one }],
    ['missing-file', 'toString', 'a name that objects inherit', { weight_map: { a: 'toString' } }],
    ['missing-file', '../a', 'a path', { weight_map: { a: '../a' } }],
    ['missing-key', 'x', 'a tensor', { weight_map: { ...weight_map, x: FILES[0] } }],
    ['unexpected-key', 'lstm.c', 'a tensor more', { weight_map: { ...weight_map, 'lstm.c': undefined } }],
    ['unexpected-key', 'lstm.a', 'a tensor elsewhere', { weight_map: { ...weight_map, 'lstm.a': FILES[1] } }],
    ['unexpected-key', 'lstm.a', 'one file for the other', index, { [FILES[0]]: two, [FILES[1]]: one }],
    ['invalid-index', 'weight_map', 'no map', {}],
    ['invalid-index', 'weight_map', 'an array', '{"weight_map":[]}'],
    ['invalid-index', 'weight_map', 'JSON of something else', '[1]'],
    ['invalid-index', 'a', 'a number as a file', '{"weight_map":{"a":1}}'],
    ['duplicate-key', 'a', 'a name twice', '{"weight_map":{"a":"x","a":"y"}}'],
    ['invalid-json', 'byte 0', 'no JSON', '<html>'],
    ['truncated', 'byte 0', 'a file of three bytes', index, { ...files, [FILES[0]]: new Uint8Array(3) }],
  ])('%s %s: %s', (code, path, _, map, given) => {
    const clean = JSON.parse(JSON.stringify(typeof map === 'string' ? { text: map } : map));
    const found = read('text' in clean ? clean.text : clean, given);
    expect(found.code).toBe(code);
    if (code !== 'unexpected-key' || path === 'lstm.c') expect(found.path).toBe(path);
    expect(found.message).toMatch(/^safetensors: [^\n\0]{1,300}$/);
  });

  test('a million tensors of an index cost no more than its bytes allow', () => {
    const names = Array.from({ length: 300_000 }, (_, i) => `"${i}":""`);
    expect(read(`{"weight_map":{${names}}}`).code).toBe('too-large');
  });

  test('arguments of wrong types', () => {
    for (const wrong of [undefined, null, 3, [1], new Float32Array(2)]) {
      expect(() => parseSafetensorsShards(wrong as never, files)).toThrow('parseSafetensorsShards: "index" expected');
    }
    for (const wrong of [undefined, [one, two], one]) {
      expect(() => parseSafetensorsShards(index, wrong as never)).toThrow('parseSafetensorsShards: "files" expected');
    }
    expect(() => parseSafetensorsShards(index, { ...files, [FILES[0]]: 'x' } as never)).toThrow(TypeError);
  });
});
