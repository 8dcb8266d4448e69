import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LSTM, type LSTMTrace, type TensorLike } from '../../src/index.ts';
import { serializeSafetensors } from '../../src/safetensors.ts';
import { refuse, succeed, temporaryFolder } from '../support/cli.ts';
import { randomTensor } from '../support/tensors.ts';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const [T, I, H] = [7, 3, 5];
const lstm = new LSTM(I, H, { numLayers: 2, bidirectional: true, seed: 1 });
const x = randomTensor([T, I], 2);
const expected: LSTMTrace = lstm.trace(x);
const two = new Map([...lstm.stateDict('a.'), ...new LSTM(2, 2, { seed: 2 }).stateDict('b.')]);
writeFileSync(path('one.safetensors'), serializeSafetensors(lstm.stateDict('a.')));
writeFileSync(path('two.safetensors'), serializeSafetensors(two));
const rows = Array.from({ length: T }, (_, t) => Array.from(x.data.subarray(t * I, t * I + I)));
writeFileSync(path('x.csv'), rows.map((row) => row.join(',')).join('\n'));
writeFileSync(path('batch.json'), JSON.stringify(rows.map((row) => [row, row.map((value) => -value)])));

const nested = ({ data, dims: [steps = 0, width = 0] }: TensorLike) =>
  Array.from({ length: steps }, (_, t) => Array.from(data.subarray(t * width, (t + 1) * width)));
/** float32 as JSON has them. */
const rounded = (value: unknown): unknown => (Array.isArray(value) ? value.map(rounded) : Math.fround(value as number));

test('all values as JSON are those of LSTM.trace()', () => {
  succeed(['trace', path('one.safetensors'), '--input', path('x.csv'), '--output', path('all.json')]);
  const found = JSON.parse(readFileSync(path('all.json'), 'utf8'));
  const wanted = Object.fromEntries(
    expected.layers.flatMap(({ forward, reverse }, layer) => [
      ...Object.entries(forward).map(([name, value]) => [`${layer}.${name}`, nested(value)]),
      ...Object.entries(reverse!).map(([name, value]) => [`${layer}.reverse.${name}`, nested(value)]),
    ]),
  );
  const { output, hn, cn } = expected;
  for (const [name, value] of Object.entries({ ...wanted, output: nested(output), hn: nested(hn), cn: nested(cn) })) {
    expect(rounded(found[name]), name).toEqual(value);
  }
  expect(Object.keys(found).length).toBe(2 * 2 * 6 + 3);
});

test('one value as csv, and the table counts what is near the ends', () => {
  const csv = succeed(['trace', path('one.safetensors'), '-i', path('x.csv'), '--pick', '1.reverse.f', '-o', '-']);
  const numbers = csv
    .trim()
    .split('\n')
    .map((line) => line.split(',').map((text) => Math.fround(Number(text))));
  expect(numbers).toEqual(nested(expected.layers[1]!.reverse!.f));
  const table = succeed(['trace', path('one.safetensors'), '-i', path('x.csv')]);
  const { data } = expected.layers[0]!.forward.h;
  const near = Math.round((100 * data.filter((value) => Math.abs(value) < 0.05).length) / data.length);
  expect(table).toMatch(new RegExp(`^0\\.h +output +\\[7, 5\\] .* ${near} % +0 %$`, 'm'));
  expect(table.trim().split('\n').length).toBe(1 + 2 * 2 * 6);
});

test('heat maps: a picture and a legend for each value of the layer, of the first sequence of a batch', () => {
  const draw = (input: string, ...more: string[]) =>
    succeed(['trace', path('one.safetensors'), '-i', path(input), '--svg', '-', ...more]);
  const svg = draw('x.csv');
  expect(svg.match(/<image /g)!.length).toBe(2 * 2 * 6);
  expect(svg).toContain('a, layer 1: gates');
  expect(draw('batch.json')).toBe(svg);
  expect(draw('x.csv', '--layer', '0')).not.toBe(svg);
});

test('calls that are wrong, and inputs that do not fit', () => {
  const [one, input] = [path('one.safetensors'), path('x.csv')];
  refuse(['trace', one], 2, /required option '-i, --input <file>'/);
  refuse(['trace', path('two.safetensors'), '-i', input], 2, /--lstm expects one of a, b: there are several/);
  refuse(['trace', one, '-i', input, '--lstm', 'q'], 2, /--lstm expects one of a; got "q"/);
  refuse(['trace', one, '-i', input, '--svg', path('s.svg'), '--layer', '2'], 2, /--layer expects 0 to 1, got 2/);
  refuse(
    ['trace', one, '-i', input, '-o', path('o.npy'), '--pick', '2.c'],
    2,
    /--pick expects one of 0\.i, .*; got "2\.c"/,
  );
  refuse(['trace', one, '-i', input, '--svg', input], 2, /is a file that is read/);
  refuse(['trace', path('two.safetensors'), '--lstm', 'b', '-i', input], 1, /the LSTM takes \[steps, 2\]/);
});
