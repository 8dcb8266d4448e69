import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LSTM } from '../src/index.ts';
import { parseCheckpoint } from '../src/pytorch.ts';
import { parseSafetensors } from '../src/safetensors.ts';
import { refusal } from './support/refusals.ts';
import { bytesOf } from './support/safetensors-files.ts';

// Checkpoints that torch wrote, against what torch.load reads from them, and those that have to be refused.

interface Case {
  name: string;
  file: string;
  must: string;
  expected?: string;
  key?: string | string[];
  /** What the message has to name; of a list any one */
  names: (string | string[])[];
  tensors: Record<string, { stored: string; dtype: string; shape: number[] }>;
}

const FOLDER = new URL('./fixtures/pytorch/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, FOLDER));
const { cases }: { cases: Case[] } = JSON.parse(read('index.json').toString());
const withMust = (must: string) => cases.filter((row) => row.must === must);

test('the fixtures are all there', () => {
  expect(withMust('read')).toHaveLength(25);
  expect(withMust('refuse')).toHaveLength(26);
  expect(cases).toHaveLength(52);
});

test.each(withMust('read'))('$name', ({ file, key, expected, tensors }) => {
  const found = parseCheckpoint(read(file), { key });
  const wanted = parseSafetensors(read(expected!));
  expect([...found.keys()]).toEqual([...wanted.keys()]);
  for (const [name, { data, dims }] of wanted) {
    const tensor = found.get(name)!;
    expect(tensor.dtype, name).toBe(tensors[name]!.stored);
    expect(tensor.dims, name).toEqual(dims);
    expect(tensor.data.constructor, name).toBe(data.constructor);
    expect(bytesOf(tensor.data), name).toEqual(bytesOf(data));
  }
});

test.each(withMust('refuse'))('$name is refused', ({ file, key, names }) => {
  const error = refusal(() => parseCheckpoint(read(file), { key }));
  expect(error.message).toMatch(/^pytorch: [^\n\0]{1,500}$/);
  for (const wanted of names) {
    const any = [wanted].flat().map((text) => text.toLowerCase());
    expect(
      any.some((text) => error.message.toLowerCase().includes(text)),
      `${any} in: ${error.message}`,
    ).toBe(true);
  }
});

test('what BUILD gives a state dict changes nothing', () => {
  expect(parseCheckpoint(read('malformed/proto_in_build.pt')).size).toBeGreaterThan(0);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test('a checkpoint makes an LSTM', () => {
  const lstm = LSTM.fromStateDict(parseCheckpoint(read('lstm_linear.pt')), { prefix: 'lstm.' });
  expect([lstm.inputSize, lstm.hiddenSize, lstm.numLayers, lstm.bidirectional]).toEqual([5, 6, 2, true]);
  lstm.dispose();
});
