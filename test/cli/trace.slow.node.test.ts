import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LSTM, type LSTMTrace, type TensorLike } from '../../src/index.ts';
import { loadKeras } from '../../src/keras.ts';
import { loadOnnx } from '../../src/onnx.ts';
import { serializeSafetensors } from '../../src/safetensors.ts';
import { fixture, refuse, succeed, temporaryFolder } from '../support/cli.ts';
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

describe('whole models', () => {
  const model = loadKeras({ h5: readFileSync(fixture('keras/model.h5')) });
  const steps = randomTensor([4, 2], 3);
  const { outputs, nodes } = model.trace([{ data: steps.data, dims: [1, 4, 2] }]);
  writeFileSync(
    path('keras.csv'),
    nested(steps)
      .map((row) => row.join(','))
      .join('\n'),
  );
  const call = ['trace', fixture('keras/model.h5'), '--input', path('keras.csv')];

  test('Keras: every layer and direction by name, and the outputs', () => {
    succeed([...call, '--output', path('keras.json')]);
    const found = JSON.parse(readFileSync(path('keras.json'), 'utf8'));
    const [output] = model.outputs;
    const wanted: Record<string, TensorLike> = { [output!.name]: outputs[0]! };
    for (const [name, { forward, reverse }] of Object.entries(nodes)) {
      for (const [value, tensor] of Object.entries(forward)) wanted[`${name}.${value}`] = tensor;
      for (const [value, tensor] of Object.entries(reverse ?? {})) wanted[`${name}.reverse.${value}`] = tensor;
    }
    expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
    for (const [name, { data }] of Object.entries(wanted)) {
      expect([found[name]].flat(9).map(Math.fround), name).toEqual([...data]);
    }
    const table = succeed(call).trim().split('\n');
    expect(table.length).toBe(1 + 6 + 12);
    expect(
      succeed([...call, '--lstm', 'bi'])
        .trim()
        .split('\n').length,
    ).toBe(1 + 12);
    expect(succeed([...call, '--lstm', 'bi', '--svg', '-']).match(/<image /g)!.length).toBe(2 * 12);
  });

  test('ONNX: the turns of a Scan', () => {
    const session = loadOnnx(readFileSync(fixture('onnx-loops/scan_of_lstm.onnx')));
    const input = randomTensor([7, 1, 5], 4);
    writeFileSync(path('scan.json'), JSON.stringify(nested({ data: input.data, dims: [7, 5] }).map((row) => [row])));
    const { forward } = session.trace({ x: input }).nodes['four[2]']!;
    const scan = ['trace', fixture('onnx-loops/scan_of_lstm.onnx'), '--input', `x=${path('scan.json')}`];
    const csv = succeed([...scan, '--pick', 'four[2].f', '--output', '-']);
    expect(
      csv
        .trim()
        .split(',')
        .map((text) => Math.fround(Number(text))),
    ).toEqual([...forward.f.data]);
    expect(succeed([...scan, '--lstm', 'four[6]'])).toMatch(/^four\[6\]\.h +output +\[1, 1, 4\]/m);
    session.dispose();
  });

  test('calls that are wrong', () => {
    refuse([...call, '--lstm', 'q'], 2, /--lstm expects one of lstm, bi; got "q"/);
    refuse([...call, '--layer', '0'], 2, /--layer is for LSTMs of several layers/);
    refuse([...call, '--input', path('x.csv')], 1, /the input fits nowhere/);
    refuse([...call.slice(0, 3), path('x.csv')], 1, /expected \[\?, 4, 2\], got \[7, 3\]/);
    refuse([...call, '--set', 'q=1'], 2, /the model has no input "q"/);
    refuse(['trace', path('one.safetensors'), '-i', path('x.csv'), '--set', 'q=1'], 2, /--set is for models/);
    refuse(['trace', path('one.safetensors'), '-i', path('x.csv'), '-i', path('x.csv')], 2, /an LSTM has one --input/);
    refuse(['trace', '-', '-i', '-'], 2, /standard input can be read once/);
    refuse([...call, '--svg', path('keras.csv')], 2, /is a file that is read/);
  });
});
