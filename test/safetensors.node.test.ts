import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { LSTM } from '../src/index.ts';
import { ModelError, openSafetensors, parseSafetensors } from '../src/safetensors.ts';
import { entry, pack } from './support/safetensors-files.ts';
import { soon } from './support/work.ts';

const MALFORMED = new URL('./fixtures/malformed/', import.meta.url);
const { cases } = JSON.parse(readFileSync(new URL('index.json', MALFORMED), 'utf8'));

/** The code that each file of the fixtures is refused with; none where only its use as an LSTM is to fail. */
const CODES: Record<string, string | undefined> = {
  'empty.safetensors': 'truncated',
  'truncated_header.safetensors': 'truncated',
  'header_length_huge.safetensors': 'header-too-large',
  'overlapping_offsets.safetensors': 'overlap',
  'offsets_out_of_range.safetensors': 'offsets-out-of-range',
  'unknown_dtype.safetensors': 'unknown-dtype',
  'duplicate_key.safetensors': 'duplicate-key',
  'negative_dim.safetensors': 'invalid-shape',
  'dims_overflow.safetensors': 'invalid-shape',
  'nan_in_json.safetensors': 'invalid-json',
  'deep_json.safetensors': 'invalid-metadata',
  'header_not_utf8.safetensors': 'invalid-utf8',
};

test.each(cases as { file: string; stage: string }[])('$file', ({ file, stage }) => {
  let code: string | undefined;
  try {
    soon(() => parseSafetensors(readFileSync(new URL(file, MALFORMED))), file);
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    code = (error as ModelError).code;
  }
  expect(code).toBe(CODES[file]);
  expect(code !== undefined).toBe(stage === 'read');
});

test.each([
  ['lstm_wrong_shape.safetensors', 'wrong-shape', 'weight_hh_l0'],
  ['lstm_missing_weight_hh.safetensors', 'missing-key', 'weight_hh_l0'],
])('%s cannot be loaded', (file, code, path) => {
  const dict = parseSafetensors(readFileSync(new URL(file, MALFORMED)));
  const { input_size, hidden_size } = cases.find((row: { file: string }) => row.file === file).args;
  const lstm = new LSTM(input_size, hidden_size, { seed: 1 });
  const before = lstm.stateDict();
  for (const load of [() => lstm.loadStateDict(dict), () => LSTM.fromStateDict(dict)]) {
    expect(load).toThrow(expect.objectContaining({ name: 'ModelError', code, path }));
  }
  expect(lstm.stateDict()).toEqual(before);
  lstm.dispose();
});

test('a Buffer is read, and the arrays do not share its memory', () => {
  const buffer = Buffer.from(pack({ x: entry('U8', [2], 0, 2) }, [1, 2]));
  const { data } = parseSafetensors(buffer).get('x')!;
  buffer.fill(0);
  expect(data).toStrictEqual(new Uint8Array([1, 2]));
});

test('bytes of another realm are read, shared memory is not', () => {
  const bytes = [...pack({ x: entry('U8', [1], 0, 1) }, [7])];
  const array = runInNewContext(`new Uint8Array(${JSON.stringify(bytes)})`);
  expect(array).not.toBeInstanceOf(Uint8Array);
  for (const foreign of [array, array.buffer]) expect(parseSafetensors(foreign).get('x')!.data[0]).toBe(7);

  const shared = new SharedArrayBuffer(bytes.length);
  for (const wrong of [shared, new Uint8Array(shared)]) {
    expect(() => parseSafetensors(wrong as never)).toThrow(TypeError);
  }
});

test('one tensor at a time from a file on disk', async () => {
  const url = new URL('./fixtures/torch/bi_layers_1.safetensors', import.meta.url);
  const handle = await open(url);
  try {
    const file = await openSafetensors(handle);
    const expected = parseSafetensors(readFileSync(url));
    for (const name of file.tensors.keys()) expect(await file.read(name)).toEqual(expected.get(name));
    expect(file.tensors.size).toBe(expected.size);
  } finally {
    await handle.close();
  }
});
