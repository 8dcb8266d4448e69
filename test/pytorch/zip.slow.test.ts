import { deflateSync } from 'fflate/browser';
import { describe, expect, test } from 'vitest';
import { parseCheckpoint } from '../../src/pytorch.ts';
import {
  checkpoint,
  dict,
  type Entry,
  global,
  ORDERED_DICT,
  pickle,
  STORAGE,
  tensor,
  text,
  tuple,
  type ZipOptions,
  zip,
} from '../support/checkpoint-files.ts';
import { codeOf, PICKLE, valid } from '../support/checkpoint-refusals.ts';
import { readFixture } from '../support/fixtures.ts';

test('what the tables below are changes of is read', () => {
  expect(parseCheckpoint(valid)).toEqual(
    new Map([['w', { data: Float32Array.of(1, 2, 3, 4), dims: [4], dtype: 'F32' }]]),
  );
  expect(parseCheckpoint(valid.buffer)).toEqual(parseCheckpoint(valid));
});

test('a parameter with attributes is its tensor', () => {
  const state = dict([text('note'), text('x')]);
  const parameter = [
    global('torch._utils', '_rebuild_parameter_with_state'),
    tuple(tensor(), '\x88', ORDERED_DICT, state),
    'R',
  ];
  expect(parseCheckpoint(checkpoint(pickle(dict([text('w'), parameter]))))).toEqual(parseCheckpoint(valid));
});

test.each(['lstm', 'deflated', 'zip64', 'newer_torch', 'nested_model'])(
  'every prefix of %s, and any byte more',
  async (name) => {
    const file = await readFixture(`pytorch/${name}.pt`);
    const key = name === 'nested_model' ? 'model' : undefined;
    expect(parseCheckpoint(file, { key }).size).toBeGreaterThan(0);
    const codes = ['truncated', 'not-a-zip', 'invalid-zip'];
    for (let size = 0; size < file.length; size++) expect(codes).toContain(codeOf(file.subarray(0, size), key));
    expect(codeOf(new Uint8Array([...file, 0]), key)).toBe('truncated');
  },
);

describe('the zip', () => {
  const deflated = deflateSync(STORAGE.data);
  test.each<[code: string, what: string, entries: Entry[], options?: ZipOptions]>([
    ['missing-entry', 'no pickle', [STORAGE]],
    ['missing-entry', 'two pickles', [PICKLE, { ...PICKLE, name: 'other/data.pkl' }, STORAGE]],
    ['missing-entry', 'a storage in another folder', [PICKLE, { ...STORAGE, name: 'other/data/0' }]],
    ['torchscript', 'constants.pkl', [PICKLE, STORAGE, { ...PICKLE, name: 'archive/constants.pkl' }]],
    ['duplicate-entry', 'a name twice', [PICKLE, STORAGE, STORAGE]],
    ['unsafe-path', 'a path upwards', [PICKLE, STORAGE, { ...STORAGE, name: 'archive/../../x' }]],
    ['unsafe-path', 'a path upwards, with backslashes', [PICKLE, STORAGE, { ...STORAGE, name: 'archive\\..\\x' }]],
    ['hole', 'bytes between entries', [{ ...PICKLE, gap: 1 }, STORAGE]],
    ['hole', 'bytes before the directory', [PICKLE, { ...STORAGE, gap: 30 }]],
    ['overlap', 'two entries at one place', [PICKLE, STORAGE, { ...STORAGE, name: 'archive/data/1', offset: 0 }]],
    ['overlap', 'all sizes the whole file', [{ ...PICKLE, zippedSize: 200, size: 200 }, STORAGE]],
    ['hole', 'an offset past the file', [PICKLE, { ...STORAGE, offset: 2 ** 31 }]],
    ['hole', 'the largest offset without a zip64 field', [PICKLE, { ...STORAGE, offset: 2 ** 32 - 1 }]],
    ['truncated', 'a size past the file', [PICKLE, { ...STORAGE, zippedSize: 5000, size: 5000 }]],
    ['truncated', 'a size of 4 GiB', [PICKLE, { ...STORAGE, zippedSize: 2 ** 32 - 2, size: 2 ** 32 - 2 }]],
    ['truncated', 'an extra field past the file', [PICKLE, { ...STORAGE, extra: 0, zippedSize: 400, size: 400 }]],
    ['size-mismatch', 'stored, with two sizes', [PICKLE, { ...STORAGE, size: 15 }]],
    ['size-mismatch', 'a ratio of thousands', [PICKLE, { ...STORAGE, zipped: deflated, method: 8, size: 2 ** 30 }]],
    ['size-mismatch', 'deflated, too much', [PICKLE, { ...STORAGE, zipped: deflated, method: 8, size: 15 }]],
    ['size-mismatch', 'deflated, too little', [PICKLE, { ...STORAGE, zipped: deflated, method: 8, size: 17 }]],
    ['invalid-deflate', 'no deflate data', [PICKLE, { ...STORAGE, zipped: new Uint8Array([7]), method: 8 }]],
    ['size-mismatch', 'deflated to nothing', [PICKLE, { ...STORAGE, zipped: new Uint8Array(0), method: 8 }]],
    ['invalid-deflate', 'cut deflate data', [PICKLE, { ...STORAGE, zipped: deflated.slice(0, -3), method: 8 }]],
    ['wrong-checksum', 'another CRC-32', [PICKLE, { ...STORAGE, crc: 1 }]],
    ['unsupported-zip', 'encryption', [PICKLE, { ...STORAGE, flags: 1 }]],
    ['unsupported-zip', 'an encrypted directory', [PICKLE, { ...STORAGE, flags: 0x2000 }]],
    ['unsupported-zip', 'bzip2', [PICKLE, { ...STORAGE, method: 12 }]],
    ['invalid-zip', 'another name in the local header', [PICKLE, { ...STORAGE, localName: 'archive/data/1' }]],
    ['invalid-zip', 'a count too large', [PICKLE, STORAGE], { count: 3 }],
    ['invalid-zip', 'a count too small', [PICKLE, STORAGE], { count: 1 }],
    ['invalid-zip', 'a directory elsewhere', [PICKLE, STORAGE], { begin: 3 }],
    ['invalid-zip', 'a directory past the end', [PICKLE, STORAGE], { begin: 2 ** 32 - 2 }],
    ['invalid-zip', 'a directory without a size', [PICKLE, STORAGE], { size: 0 }],
    ['truncated', 'a comment', [PICKLE, STORAGE], { comment: 'hello' }],
    ['not-a-zip', 'no entry', []],
  ])('%s: %s', (code, _, entries, options) => {
    expect(codeOf(zip(entries, options))).toBe(code);
  });

  test('what is legal is read: data descriptors, deflate, padding, a name in any script', () => {
    const entries = [
      { ...PICKLE, name: 'é😀/data.pkl', flags: 0x0808, extra: 5 },
      { ...STORAGE, name: 'é😀/data/0', zipped: deflated, method: 8, flags: 8 },
      { name: 'é😀/__proto__', data: new Uint8Array(3) },
    ];
    expect(parseCheckpoint(zip(entries))).toEqual(parseCheckpoint(valid));
  });

  test('a wrong data descriptor', () => {
    const file = zip([{ ...PICKLE, flags: 8 }, STORAGE]);
    const at = file.findIndex((_, i) => file[i] === 0x50 && file[i + 1] === 0x4b && file[i + 2] === 7);
    for (const field of [0, 4, 8, 12]) {
      const changed = file.slice();
      changed[at + field]! ^= 1;
      expect(codeOf(changed), `${field}`).toBe('invalid-zip');
    }
  });

  test('the sizes of zip64, each wrong', async () => {
    const file = await readFixture('pytorch/zip64.pt');
    const locator = file.length - 22 - 20;
    const end64 = locator - 56;
    const fields = [locator, locator + 4, locator + 8, locator + 15, locator + 16, end64, end64 + 4];
    for (const at of [...fields, end64 + 16, end64 + 20, end64 + 24, end64 + 32, end64 + 40, end64 + 47, end64 + 48]) {
      const changed = file.slice();
      changed[at]! ^= 1;
      expect(['invalid-zip', 'truncated'], `byte ${at}`).toContain(codeOf(changed));
    }
  });
});

describe('other files', () => {
  const ascii = (value: string) => new TextEncoder().encode(value);
  test.each<[string, Uint8Array, string]>([
    ['text', ascii('not a model'), 'not-a-zip'],
    ['JSON', ascii('{}'), 'not-a-zip'],
    ['zeros', new Uint8Array(100), 'not-a-zip'],
    ['a zip behind something else', new Uint8Array([0, ...valid]), 'not-a-zip'],
    [
      'a safetensors file with a zip at its end',
      new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 123, 125, ...valid]),
      'not-a-zip',
    ],
    ['two zips', new Uint8Array([...valid, ...valid]), 'invalid-zip'],
    ['a local header and no more', valid.slice(0, 40), 'truncated'],
    ['the signature and no more', valid.slice(0, 4), 'truncated'],
  ])('%s', (_, file, code) => expect(codeOf(file)).toBe(code));
});
