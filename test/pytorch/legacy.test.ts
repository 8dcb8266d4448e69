import { expect, test } from 'vitest';
import { parseCheckpoint } from '../../src/pytorch.ts';
import { bytes, type Code, dict, global, int, pickle, text, tuple } from '../support/checkpoint-files.ts';
import { codeOf, refusal } from '../support/checkpoint-refusals.ts';
import { readFixture } from '../support/fixtures.ts';
import { type LegacyParts, legacy, legacyTensor, list, stored } from '../support/legacy-files.ts';

// The format before torch 1.6: no zip, and no bytes but those that the pickles and the storages account for.

const tensors = new Map([
  ['w', { data: Float32Array.of(1, 2), dims: [2], dtype: 'F32' }],
  ['v', { data: Float32Array.of(3, 4), dims: [2], dtype: 'F32' }],
]);

test('the storages are in the order of their list, the tensors in that of the dict', () => {
  const found = parseCheckpoint(legacy());
  expect(found).toEqual(tensors);
  expect([...found.keys()]).toEqual(['w', 'v']);
});

test.each<[what: string, Code]>([
  ['an OrderedDict of lists', [global('collections', 'OrderedDict'), tuple(pairs()), 'R']],
  ['strings of bytes', bytesAsText(dict([text('w'), legacyTensor('11')], [text('v'), legacyTensor('10')]))],
])('as Python 2 wrote it: %s', (_, value) => {
  expect(parseCheckpoint(legacy({ value }))).toEqual(tensors);
});

function pairs(): Code {
  return list(list(text('w'), legacyTensor('11')), list(text('v'), legacyTensor('10')));
}

/** SHORT_BINSTRING in place of BINUNICODE. */
function bytesAsText(code: Code): Code {
  if (!Array.isArray(code)) return code;
  const [first, length] = code;
  if (first === 'X' && code.length === 6) return ['U', length!, code[5]!];
  return code.map(bytesAsText);
}

test('_rebuild_tensor of torch before 0.4', () => {
  const storage = [tuple(text('storage'), global('torch', 'FloatStorage'), text('10'), text('cpu'), int(2), 'N'), 'Q'];
  const args = tuple(storage, int(0), tuple(int(2)), tuple(int(1)));
  const value = dict([text('v'), [global('torch._utils', '_rebuild_tensor'), args, 'R']]);
  const file = legacy({ value, keys: list(text('10')), storages: [Float32Array.of(3, 4)] });
  expect(parseCheckpoint(file).get('v')).toEqual(tensors.get('v'));
});

test('a part of a storage', () => {
  const part = (first: number, count: number) => tuple(text('x'), int(first), int(count));
  const file = (part: Code, offset = 0) =>
    legacy({
      value: dict([text('w'), legacyTensor('10', { elements: 4, offset, part })]),
      keys: list(text('10')),
      storages: [Float32Array.of(1, 2, 3, 4)],
    });
  expect([...parseCheckpoint(file(part(1, 2))).get('w')!.data]).toEqual([2, 3]);
  expect([...parseCheckpoint(file(part(1, 3), 1)).get('w')!.data]).toEqual([3, 4]);
  for (const wrong of [part(3, 2), part(-1, 2), part(1, -2), part(2 ** 31, 1), 'J\x01\x00\x00\x00', ')']) {
    expect(codeOf(file(wrong))).toBe('out-of-range');
  }
  // its own end counts, not that of the storage
  expect(codeOf(file(part(0, 2), 1))).toBe('out-of-range');
});

const other = list(text('10'), text('12'));
const short = [Float32Array.of(3, 4), Float32Array.of(1)];

test.each<[code: string, what: string, LegacyParts]>([
  ['unsupported-version', 'version 1000', { version: int(1000) }],
  ['unsupported-version', 'no version', { version: 'N' }],
  ['unsupported-byte-order', 'big-endian', { machine: dict([text('little_endian'), '\x89']) }],
  ['unsupported-byte-order', 'no facts', { machine: 'N' }],
  ['invalid-pickle', 'no list', { keys: 'N' }],
  ['invalid-pickle', 'a list of numbers', { keys: list(int(10)) }],
  ['invalid-pickle', 'a storage that nobody names', { keys: other }],
  ['invalid-pickle', 'a storage twice', { keys: list(text('10'), text('10')) }],
  ['missing-entry', 'a storage that is not there', { keys: list(text('10')), storages: [Float32Array.of(3, 4)] }],
  ['size-mismatch', 'a storage of one element', { storages: short }],
  ['truncated', 'no storages', { storages: [] }],
  ['truncated', '2^62 elements', { storages: [stored(Float32Array.of(3, 4), 2n ** 62n), Float32Array.of(1, 2)] }],
  ['truncated', '-1 elements', { storages: [stored(Float32Array.of(3, 4), -1), Float32Array.of(1, 2)] }],
  ['hole', 'bytes behind', { storages: [Float32Array.of(3, 4), Float32Array.of(1, 2), Uint8Array.of(0)] }],
  [
    'invalid-pickle',
    'a storage of two types',
    { value: dict([text('w'), legacyTensor('11')], [text('v'), legacyTensor('11', { type: 'IntStorage' })]) },
  ],
  [
    'unsupported-global',
    'a value of a class',
    { value: [global('torch.nn.modules.rnn', 'LSTM'), ')\x81}b'], keys: ']', storages: [] },
  ],
])('%s: %s', (code, _, parts) => {
  expect(codeOf(legacy(parts))).toBe(code);
});

test('every prefix of a file of torch', async () => {
  const file = await readFixture('pytorch/legacy_format.pt');
  expect(parseCheckpoint(file).size).toBe(4);
  for (let size = 0; size < file.length; size++) {
    expect(['truncated', 'not-a-zip']).toContain(codeOf(file.subarray(0, size)));
  }
  expect(codeOf(bytes([...file], 0))).toBe('hole');
});

test('storages of other types are passed over with a key, as far as their size is known', () => {
  const state = dict([text('v'), legacyTensor('10')]);
  const file = (type: string, size: number) =>
    legacy({
      value: dict([text('model'), state], [text('other'), legacyTensor('12', { type })]),
      keys: other,
      storages: [Float32Array.of(3, 4), bytes(2, Array(7).fill(0), Array(2 * size).fill(1))],
    });
  const key = 'model';
  expect(parseCheckpoint(file('ComplexFloatStorage', 8), { key }).get('v')).toEqual(tensors.get('v'));
  expect(parseCheckpoint(file('QInt8Storage', 1), { key }).get('v')).toEqual(tensors.get('v'));
  expect(refusal(file('OddStorage', 1), key)).toMatchObject({ code: 'unsupported-global', path: 'torch.OddStorage' });
});

test('a tar, as torch wrote before 0.1.10, is named', () => {
  const tar = new Uint8Array(1024);
  tar.set(bytes('ustar'), 257);
  const { code, message } = refusal(tar);
  expect(code).toBe('legacy-format');
  expect(message).toContain('torch.save(state_dict, path)');
});

test('protocol 4 has frames', () => {
  const magic = [...pickle(['\x8a', 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19])].slice(2);
  const framed = bytes('\x80', 4, '\x95', magic.length, Array(7).fill(0), magic, [...legacy()].slice(2 + magic.length));
  expect(parseCheckpoint(framed)).toEqual(tensors);
});
