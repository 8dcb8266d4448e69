import { describe, expect, test } from 'vitest';
import { type AudioModel, loadGuitarML, loadRTNeural } from '../src/audio.ts';
import { bytesUsed } from '../src/index.ts';
import { guitarML, rtneural, torchModules } from './support/audio-files.ts';
import { expectClose, play, refusal, x } from './support/effects.ts';
import { readFixture } from './support/fixtures.ts';
import { gru, sequenceOf } from './support/gru-oracle.ts';
import type { Weights } from './support/oracle.ts';

// GRUs of amps: published answers, a float64 GRU, and what is refused.

type Rows = number[] | number[][];

const tensor = (rows: Rows) => {
  const columns = Array.isArray(rows[0]) ? [rows[0].length] : [];
  return { data: rows.flat(), dims: [rows.length, ...columns] };
};

/** The tensors of a state dict whose names begin with `prefix`, for the oracle. */
const weightsOf = (dict: Record<string, unknown>, prefix: string): Weights =>
  new Map(
    Object.entries(dict).flatMap(([name, rows]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor(rows as Rows)]] : [],
    ),
  );

/** A float64 GRU from zeros. */
const oracle = (weights: Weights, H: number, layers: number, rows: number[][]): number[][] =>
  sequenceOf(
    gru,
    weights,
    layers,
    false,
    rows,
    Array.from({ length: layers }, () => Array<number>(H).fill(0)),
  ).output;

/** A linear layer of one output. */
const linear = (weight: readonly number[], bias: number, rows: number[][]): number[] =>
  rows.map((row) => row.reduce((sum, value, k) => sum + weight[k]! * value, bias));

const samples = (knobs: readonly number[] = []) => [...x].map((value) => [value, ...knobs]);

describe("RTNeural's published answers", () => {
  const read = async (path: string) => new TextDecoder().decode(await readFixture(path));
  const numbers = async (path: string) => Float32Array.from((await read(path)).trim().split('\n'), Number);

  test.each([
    ['gru_1d', 'layers from Keras', 'audio/lstm_1d'],
    ['gru_torch', 'a state dict', '../../examples/guitar-amp/data/rtneural/lstm_torch'],
  ])('%s, %s', async (name, _, inputs) => {
    const expected = await numbers(`audio/${name}_y_python.csv`);
    const input = (await numbers(`${inputs}_x_python.csv`)).subarray(0, expected.length);
    const output = new Float32Array(input.length);
    const model = loadRTNeural(await read(`audio/${name}.json`));
    model.process(input, output);
    model.dispose();
    expect(input.length).toBeGreaterThanOrEqual(64);
    expectClose(output, expected);
  });
});

describe('against a float64 GRU', () => {
  test.each([
    [1, 1, 1, 0],
    [1, 3, 1, 1],
    [2, 8, 2, 1],
    [4, 17, 3, 0],
    [1, 20, 1, 1],
  ])('GuitarML: %i inputs, %i units, %i layers, skip %i', (I, H, layers, skip) => {
    const file = guitarML({ I, H, layers, skip, unit: 'GRU' });
    const knobs = Array.from({ length: I - 1 }, (_, k) => k / 2 - 0.25);
    const h = oracle(weightsOf(file.state_dict, 'rec.'), H, layers, samples(knobs));
    const [[weight], [bias]] = [file.state_dict['lin.weight'], file.state_dict['lin.bias']] as [number[][], number[]];
    const model = loadGuitarML(JSON.stringify(file));
    expect(model.knobs).toBe(I - 1);
    const output = new Float32Array(x.length);
    model.process(x, output, knobs);
    model.dispose();
    expectClose(
      output,
      linear(weight!, bias!, h).map((value, n) => value + skip * x[n]!),
    );
  });

  test.each([
    [1, 2],
    [1, 9],
    [1, 16],
    [3, 5],
  ])("Keras's form: %i inputs, %i units", (I, H) => {
    const file = rtneural({ I, H, unit: 'GRU' });
    const [layer, dense] = file.layers as unknown as [
      { weights: [number[][], number[][], number[][]] },
      { weights: [number[][], number[]] },
    ];
    // Keras has the gates in columns z, r, h
    const rowsOf = (columns: number[][]) => columns[0]!.map((_, c) => columns.map((row) => row[c]!));
    const inOrder = <T>(rows: T[]) => [...rows.slice(H, 2 * H), ...rows.slice(0, H), ...rows.slice(2 * H)];
    const [kernel, recurrent, [bias, recurrentBias]] = layer.weights;
    const weights: Weights = new Map([
      ['weight_ih_l0', tensor(inOrder(rowsOf(kernel)))],
      ['weight_hh_l0', tensor(inOrder(rowsOf(recurrent)))],
      ['bias_ih_l0', tensor(inOrder(bias!))],
      ['bias_hh_l0', tensor(inOrder(recurrentBias!))],
    ]);
    const knobs = Array.from({ length: I - 1 }, (_, k) => 0.5 - k);
    const model = loadRTNeural(file);
    const output = new Float32Array(x.length);
    model.process(x, output, knobs);
    model.dispose();
    const [[column], [b]] = [rowsOf(dense.weights[0]), dense.weights[1]];
    expectClose(output, linear(column!, b!, oracle(weights, H, 1, samples(knobs))));
  });

  test('a state dict with two GRUs, in the order of the file', () => {
    const file = torchModules({
      lstms: [
        ['z', 1, 'GRU'],
        ['a', 2, 'GRU'],
      ],
    });
    const h = oracle(weightsOf(file, 'a.'), 3, 2, oracle(weightsOf(file, 'z.'), 3, 1, samples()));
    const [[weight], [bias]] = [file['dense.weight'], file['dense.bias']] as [number[][], number[]];
    expectClose(play(loadRTNeural(JSON.stringify(file))), linear(weight!, bias!, h));
  });

  test("AIDA-X's fields are those of an LSTM's file", () => {
    const plain = play(loadRTNeural(rtneural({ unit: 'GRU' })));
    const file = { ...rtneural({ unit: 'GRU' }), in_skip: 1, metadata: { samplerate: '48000' } };
    const model = loadRTNeural(file);
    expect(model.sampleRate).toBe(48_000);
    expect(play(model)).toEqual(plain.map((value, n) => value + x[n]!));
  });
});

const both = torchModules({
  lstms: [
    ['lstm', 1],
    ['gru', 2, 'GRU'],
  ],
});
const models: [string, (json: object) => AudioModel, object, number[]][] = [
  ['GuitarML', loadGuitarML, guitarML({ I: 3, H: 12, unit: 'GRU' }), [0.25, -1]],
  ['RTNeural', loadRTNeural, rtneural({ H: 8, unit: 'GRU' }), []],
  ['a state dict of an LSTM and a GRU', loadRTNeural, both, []],
];

describe.each(models)('%s', (_, load, file, knobs) => {
  test('gives the same bits with any lengths of blocks, in place too, and again after reset()', () => {
    const model = load(file);
    const whole = new Float32Array(x.length);
    model.process(x, whole, knobs);
    for (const lengths of [[1], [128], [7, 1, 0, 333]]) {
      model.reset();
      const output = x.slice();
      for (let at = 0, k = 0; at < x.length; k++) {
        const block = output.subarray(at, at + lengths[k % lengths.length]!);
        model.process(block, block, knobs);
        at += block.length;
      }
      expect(output, `${lengths}`).toEqual(whole);
    }
    model.dispose();
  });

  test('gives its memory back', () => {
    const before = bytesUsed();
    const model = load(file);
    expect(bytesUsed()).toBeGreaterThan(before);
    model.dispose();
    expect(bytesUsed()).toBe(before);
    expect(() => model.reset()).toThrow(/^\w+: used after dispose\(\)$/);
  });
});

test('layers have the weights of the file, in the order of nn.GRU', () => {
  const file = guitarML({ H: 4, layers: 2, unit: 'GRU' });
  const model = loadGuitarML(file);
  const { stateDict, initialState, activation } = model.layers[0]!;
  expect([initialState, activation]).toEqual([undefined, undefined]);
  expect([...stateDict.keys()].map((key) => `rec.${key}`)).toEqual(
    Object.keys(file.state_dict).filter((key) => key.startsWith('rec.')),
  );
  for (const [key, { data, dims }] of stateDict) {
    expect({ data: [...data], dims }).toEqual(tensor((file.state_dict as Record<string, Rows>)[`rec.${key}`]!));
  }
  model.dispose();
});

describe('refused, by the place in the file', () => {
  /** The file with the value at `path` changed, or removed where it is undefined. */
  function changed(file: object, path: string, value: unknown): object {
    const copy = structuredClone(file);
    const keys = path.split('/');
    const last = keys.pop()!;
    const parent = keys.reduce<any>((object, key) => object[key], copy);
    if (value === undefined) delete parent[last];
    else parent[last] = value;
    return copy;
  }

  const keras = rtneural({ unit: 'GRU' });
  const [kernel, , bias] = keras.layers[0]!.weights as [number[][], number[][], number[][]];
  test.each<[path: string, value: unknown, code: string, at?: string]>([
    ['layers/0/type', 'lstm', 'wrong-length', 'layers[0].weights[2]'],
    ['layers/0/activation', 'relu', 'unsupported'],
    ['layers/0/shape', [null, null, 4], 'size-mismatch'],
    ['layers/0/weights', [kernel, kernel], 'wrong-length'],
    ['layers/0/weights/0', kernel.concat(kernel), 'wrong-length'],
    ['layers/0/weights/0', [kernel[0]!.slice(1)], 'wrong-length', 'layers[0].weights[0][0]'],
    ['layers/0/weights/0/0/8', '1', 'not-a-number'],
    ['layers/0/weights/1', kernel, 'wrong-length'],
    ['layers/0/weights/2', [], 'wrong-length'],
    ['layers/0/weights/2', [[], []], 'wrong-length', 'layers[0].weights[2][0]'],
    ['layers/0/weights/2', [bias[0]], 'wrong-length'],
    ['layers/0/weights/2', [...bias, bias[0]], 'wrong-length'],
    ['layers/0/weights/2', [null, null], 'wrong-type', 'layers[0].weights[2][0]'],
    ['layers/0/weights/2', Array(9).fill(0), 'unsupported'],
    ['layers/0/weights/2/0', Array(8).fill(0), 'wrong-length'],
    ['layers/0/weights/2/1', Array(6).fill(0), 'wrong-length'],
    ['layers/0/weights/2/1/3', null, 'not-a-number'],
  ])("Keras's form, %s: %j", (path, value, code, at) => {
    const error = refusal(() => loadRTNeural(changed(keras, path, value)));
    expect({ code: error.code, path: error.path }).toEqual({
      code,
      path: at ?? path.replace(/\/(\d+)/g, '[$1]').replaceAll('/', '.'),
    });
  });

  const torch = guitarML({ I: 2, layers: 2, unit: 'GRU' });
  test.each<[path: string, value: unknown, code: string, at?: string]>([
    ['model_data/unit_type', 'LSTM', 'unsupported', 'state_dict.rec.weight_ih_l0'],
    ['model_data/unit_type', 'gru', 'unsupported'],
    ['model_data/hidden_size', 4, 'size-mismatch'],
    ['model_data/num_layers', 1, 'size-mismatch'],
    ['model_data/input_size', 1, 'size-mismatch'],
    ['state_dict/rec.weight_ih_l0', Array(8).fill([1, 2]), 'wrong-shape'],
    ['state_dict/rec.weight_ih_l0', Array(12).fill([1, 2]), 'wrong-length', 'state_dict.rec.weight_hh_l0'],
    ['state_dict/rec.weight_hh_l0', undefined, 'missing-field'],
    ['state_dict/rec.weight_hh_l0', Array(9).fill([1, 2]), 'wrong-length', 'state_dict.rec.weight_hh_l0[0]'],
    ['state_dict/rec.weight_hh_l1', Array(8).fill([1, 2, 3]), 'wrong-length'],
    ['state_dict/rec.bias_hh_l0', undefined, 'missing-field'],
    ['state_dict/rec.bias_ih_l1', Array(12).fill(0), 'wrong-length'],
    ['state_dict/rec.weight_ih_l0_reverse', [[1]], 'unexpected-key'],
  ])('GuitarML, %s: %j', (path, value, code, at) => {
    const error = refusal(() => loadGuitarML(changed(torch, path, value)));
    expect({ code: error.code, path: error.path }).toEqual({ code, path: at ?? path.replaceAll('/', '.') });
  });

  test.each<[path: string, value: unknown, code: string, at?: string]>([
    ['gru.weight_ih_l0', Array(8).fill([1]), 'wrong-shape'],
    ['gru.weight_ih_l0', undefined, 'missing-field', ''],
    ['gru.bias_ih_l0', undefined, 'missing-field'],
    ['gru.bias_ih_l0', Array(12).fill(0), 'wrong-length'],
    ['gru.weight_hr_l0', [[1]], 'unexpected-key'],
  ])('a state dict, %s: %j', (path, value, code, at) => {
    const error = refusal(() => loadRTNeural(changed(torchModules({ lstms: [['gru', 1, 'GRU']] }), path, value)));
    expect({ code: error.code, path: error.path }).toEqual({ code, path: at ?? path });
  });
});
