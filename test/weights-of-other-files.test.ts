import { expect, test } from 'vitest';
import { parseCheckpoint } from '../src/pytorch.ts';
import { openSafetensors, parseSafetensors } from '../src/safetensors.ts';
import { readFixture } from './support/fixtures.ts';
import { refusal } from './support/refusals.ts';

// What a server, git or a wrong button gives in place of weights: the first line of the error says what it is and what to do.

const text = (value: string) => new TextEncoder().encode(value);
const OTHERS: [what: string, file: Uint8Array<ArrayBuffer>, said: string][] = [
  ['a page', text('<!DOCTYPE html><html><head><title>App</title></head></html>'), 'this is an HTML page: '],
  [
    'a pointer',
    text(`version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 1\n`),
    'git lfs pull',
  ],
  [
    'an index',
    text('{"metadata":{"total_size":8},"weight_map":{"a":"model-00001-of-00002.safetensors"}}'),
    'index of shards',
  ],
  [
    'a model of the ORT format',
    Uint8Array.from([0x20, 0, 0, 0, 0x4f, 0x52, 0x54, 0x4d, ...Array(24).fill(0)]),
    'ORT format',
  ],
  ['nothing', new Uint8Array(0), 'this is an empty file: '],
];

test.each(OTHERS)('%s', async (_, file, said) => {
  for (const [who, read] of [
    ['safetensors', parseSafetensors],
    ['pytorch', parseCheckpoint],
  ] as const) {
    const { message } = refusal(() => read(file));
    expect(message).toContain(said);
    expect(message).toMatch(new RegExp(`^${who}: this is [^\\n]{1,200}$`));
  }
  await expect(openSafetensors(new Blob([file]))).rejects.toThrow(said);
});

test('each of the two in place of the other', async () => {
  const [weights, checkpoint, keras] = await Promise.all(
    ['torch/layers_2.safetensors', 'pytorch/lstm.pt', 'keras/model.keras'].map(readFixture),
  );
  expect(refusal(() => parseCheckpoint(weights!)).message).toContain('read it with lstm-wasm/safetensors');
  expect(refusal(() => parseSafetensors(checkpoint!)).message).toContain('read it with lstm-wasm/pytorch');
  expect(refusal(() => parseCheckpoint(keras!)).message).toContain('read it with lstm-wasm/keras');
});
