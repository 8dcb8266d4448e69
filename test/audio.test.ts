import { describe, expect, test } from 'vitest';
import { type AudioModel, loadGuitarML, loadNam, loadRTNeural, ModelError } from '../src/audio.ts';
import { bytesUsed } from '../src/index.ts';
import { guitarML, nam, rtneural, torchModules } from './support/audio-files.ts';
import { readFixture } from './support/fixtures.ts';
import { sequence, type Weights } from './support/oracle.ts';
import { uniforms } from './support/random.ts';

const TOLERANCE = 1e-6;

const readText = async (path: string) => new TextDecoder().decode(await readFixture(path));
const readNumbers = async (path: string) => Float32Array.from((await readText(path)).trim().split('\n'), Number);

function noise(count: number, seed = 1): Float32Array {
  const next = uniforms(seed);
  return Float32Array.from({ length: count }, () => 2 * next() - 1);
}

function play(model: AudioModel, input: Float32Array, knobs?: number[]): Float32Array {
  const output = new Float32Array(input.length);
  model.process(input, output, knobs);
  return output;
}

function expectClose(actual: Float32Array, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  const worst = actual.reduce((max, y, n) => Math.max(max, Math.abs(y - expected[n]!)), 0);
  expect(worst).toBeLessThanOrEqual(TOLERANCE);
}

/** The tensors of a state dict whose names begin with `prefix`, for the oracle. */
function weightsOf(dict: Record<string, unknown>, prefix: string): Weights {
  const entries = Object.entries(dict).filter(([name]) => name.startsWith(prefix));
  return new Map(
    entries.map(([name, value]) => {
      const nested = value as number[] | number[][];
      const rows = nested.length;
      const dims = Array.isArray(nested[0]) ? [rows, nested[0].length] : [rows];
      return [name.slice(prefix.length), { data: nested.flat(), dims }];
    }),
  );
}

function oracle(weights: Weights, H: number, layers: number, x: number[][]): number[][] {
  const states = Array.from({ length: layers }, () => ({ h: Array(H).fill(0), c: Array(H).fill(0) }));
  return sequence(weights, layers, false, x, states).output;
}

const dot = (w: readonly number[], h: readonly number[]) => w.reduce((sum, value, k) => sum + value * h[k]!, 0);

describe('the published answers', () => {
  test('of Neural Amp Modeler', async () => {
    const data = '../../examples/guitar-amp/data/nam/';
    const wav = new DataView((await readFixture(`${data}guitar-48k.wav`)).slice(44).buffer);
    const input = Float32Array.from({ length: wav.byteLength / 2 }, (_, n) => wav.getInt16(2 * n, true) / 32768);
    const expected = new Float32Array((await readFixture(`${data}lstm.expected.f32`)).slice().buffer);
    const text = await readText(`${data}lstm.nam`);
    const model = loadNam(text);
    expect(model.sampleRate).toBe(48_000);
    const output = play(model, input);
    expectClose(output, expected);
    expect(play(loadNam(JSON.parse(text)), input)).toEqual(output);
  });

  test.each([
    ['audio/lstm_1d', 'layers from Keras'],
    ['../../examples/guitar-amp/data/rtneural/lstm_torch', 'a state dict'],
  ])("of RTNeural's %s, %s", async (path) => {
    const model = loadRTNeural(await readText(`${path}.json`));
    expect(model.sampleRate).toBeUndefined();
    expectClose(play(model, await readNumbers(`${path}_x_python.csv`)), await readNumbers(`${path}_y_python.csv`));
  });
});

describe('against plain formulas', () => {
  const x = noise(300);

  test.each([
    [1, 1, 1, 0],
    [1, 20, 1, 1],
    [2, 7, 2, 1],
    [4, 5, 3, 0],
  ])('GuitarML: %i inputs, %i units, %i layers, skip %i', (I, H, layers, skip) => {
    for (const bias of [true, false]) {
      const file = guitarML({ I, H, layers, skip, bias });
      const knobs = Array.from({ length: I - 1 }, (_, k) => k / 2 - 0.25);
      const h = oracle(
        weightsOf(file.state_dict, 'rec.'),
        H,
        layers,
        [...x].map((v) => [v, ...knobs]),
      );
      const [[w], [b = 0] = []] = [file.state_dict['lin.weight'], file.state_dict['lin.bias']] as [
        number[][],
        number[]?,
      ];
      expectClose(
        play(loadGuitarML(JSON.stringify(file)), x, knobs),
        h.map((row, n) => dot(w!, row) + b + skip * x[n]!),
      );
    }
  });

  test('knobs may change from block to block', () => {
    const file = guitarML({ I: 2, H: 4, skip: 0 });
    const model = loadGuitarML(file);
    const h = oracle(
      weightsOf(file.state_dict, 'rec.'),
      4,
      1,
      [...x].map((v, n) => [v, n < 100 ? 0.1 : 0.9]),
    );
    const [[w], [b]] = [file.state_dict['lin.weight'], file.state_dict['lin.bias']] as [number[][], number[]];
    const output = new Float32Array(300);
    model.process(x.subarray(0, 100), output.subarray(0, 100), [0.1]);
    model.process(x.subarray(100), output.subarray(100), [0.9]);
    expectClose(
      output,
      h.map((row) => dot(w!, row) + b!),
    );
  });

  const softmax = (row: number[]) => row.map((v) => Math.exp(v) / row.reduce((sum, u) => sum + Math.exp(u), 0));
  test.each<[string, (row: number[]) => number[]]>([
    ['', (row) => row],
    ['linear', (row) => row],
    ['tanh', (row) => row.map(Math.tanh)],
    ['sigmoid', (row) => row.map((v) => 1 / (1 + Math.exp(-v)))],
    ['relu', (row) => row.map((v) => Math.max(0, v))],
    ['elu', (row) => row.map((v) => (v > 0 ? v : Math.expm1(v)))],
    ['softmax', softmax],
  ])('a dense layer with the activation "%s"', (name, activation) => {
    const file = rtneural({
      H: 5,
      dense: [
        [6, name],
        [3, name],
        [1, ''],
      ],
    });
    const [lstm, ...dense] = file.layers as unknown as { weights: [number[][], any, number[]] }[];
    const [kernel, recurrent, bias] = lstm!.weights;
    const transposed = (m: number[][]) => ({
      data: m[0]!.flatMap((_, c) => m.map((row) => row[c]!)),
      dims: [m[0]!.length, m.length],
    });
    const weights: Weights = new Map([
      ['weight_ih_l0', transposed(kernel)],
      ['weight_hh_l0', transposed(recurrent)],
      ['bias_ih_l0', { data: bias, dims: [20] }],
    ]);
    const expected = oracle(
      weights,
      5,
      1,
      [...x].map((v) => [v]),
    ).map((h) =>
      dense.reduce((row, { weights: [w, b] }, i) => {
        const sums = (b as number[]).map(
          (value, o) =>
            value +
            dot(
              w.map((column) => column[o]!),
              row,
            ),
        );
        return i < 2 ? activation(sums) : sums;
      }, h),
    );
    expectClose(play(loadRTNeural(file), x), expected.flat());
  });

  test('a state dict has its LSTMs in the natural order of their names', () => {
    const lstms: [string, number][] = [
      ['lstm', 1],
      ['lstm2', 2],
      ['lstm10', 1],
    ];
    const file = torchModules({ lstms });
    let h = [...x].map((v) => [v]);
    for (const [name, layers] of lstms) h = oracle(weightsOf(file, `${name}.`), 3, layers, h);
    const [[w], [b]] = [file['dense.weight'], file['dense.bias']] as [number[][], number[]];
    expectClose(
      play(loadRTNeural(file), x),
      h.map((row) => dot(w!, row) + b!),
    );
  });

  test("AIDA-X's in_skip adds the input", () => {
    const plain = play(loadRTNeural(rtneural()), x);
    expect(play(loadRTNeural({ ...rtneural(), in_skip: 1 }), x)).toEqual(plain.map((y, n) => y + x[n]!));
  });
});

const models: [string, (json: object | string) => AudioModel, object, number[]][] = [
  ['NAM', loadNam, nam({ H: 9, layers: 2 }), []],
  [
    'RTNeural',
    loadRTNeural,
    rtneural({
      H: 8,
      dense: [
        [5, 'elu'],
        [1, 'tanh'],
      ],
    }),
    [],
  ],
  [
    'RTNeural, wide',
    loadRTNeural,
    rtneural({
      H: 2,
      dense: [
        [700, 'relu'],
        [1, ''],
      ],
    }),
    [],
  ],
  [
    'a state dict',
    loadRTNeural,
    torchModules({
      lstms: [
        ['a', 2],
        ['b', 1],
      ],
    }),
    [],
  ],
  ['GuitarML', loadGuitarML, guitarML({ I: 3, H: 12 }), [0.25, -1]],
];

describe.each(models)('%s', (_, load, file, knobs) => {
  const x = noise(3000, 7);

  test('gives the same bits with any lengths of blocks, in place too, and again after reset()', () => {
    const model = load(file);
    const whole = play(model, x, knobs);
    for (const lengths of [[1], [128], [7, 1, 0, 333], [1024, 1], [2999, 1]]) {
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
    play(model, x, knobs);
    expect(bytesUsed()).toBeGreaterThan(before);
    model.dispose();
    model.dispose();
    expect(bytesUsed()).toBe(before);
    expect(() => play(model, x, knobs)).toThrow(/^\w+: used after dispose\(\)$/);
    expect(() => model.reset()).toThrow(/^\w+: used after dispose\(\)$/);
  });

  test('has the same bits from its text', () => {
    const text = JSON.stringify(file, null, 1);
    expect(play(load(text), x, knobs)).toEqual(play(load(file), x, knobs));
  });
});

test('NAM starts from the state in the file, and returns to it', () => {
  const file = nam({ H: 2 });
  const x = noise(50);
  const first = play(loadNam(file), x);
  const other = structuredClone(file);
  other.weights[file.weights.length - 1 - 2 - 1]! += 0.5; // the last number of c
  const model = loadNam(other);
  const second = play(model, x);
  expect(second).not.toEqual(first);
  model.reset();
  expect(play(model, x)).toEqual(second);
});

describe('wrong arguments', () => {
  const model = loadGuitarML(guitarML({ I: 3 }));
  const x = noise(8);
  const y = new Float32Array(8);
  const before = play(model, x, [0, 0]);

  test.each<[string, unknown[], new () => Error, RegExp]>([
    ['no input', [undefined, y, [0, 0]], TypeError, /"input" expected a Float32Array/],
    ['doubles', [new Float64Array(8), y, [0, 0]], TypeError, /"input" expected a Float32Array/],
    ['no output', [x, [], [0, 0]], TypeError, /"output" expected a Float32Array/],
    ['another length', [x, new Float32Array(7), [0, 0]], RangeError, /"output" expected 8 samples.* got 7/],
    ['an overlap', [y.subarray(0, 6), y.subarray(2), [0, 0]], RangeError, /"output" expected "input" itself/],
    ['no knobs', [x, y], RangeError, /"knobs\[0\]" expected a finite number, got undefined; the model has 2 knobs/],
    ['a missing knob', [x, y, [0]], RangeError, /"knobs\[1\]" expected a finite number, got undefined/],
    ['a superfluous knob', [x, y, [0, 0, 0]], RangeError, /"knobs\[2\]" is superfluous: the model has 2 knobs, got 3/],
    ['NaN', [x, y, [0, Number.NaN]], RangeError, /"knobs\[1\]" expected a finite number, got NaN/],
    ['beyond float32', [x, y, [1e39, 0]], RangeError, /"knobs\[0\]" expected a finite number/],
    ['a string', [x, y, ['0', 0]], RangeError, /"knobs\[0\]" expected a finite number/],
    ['no array', [x, y, 7], TypeError, /"knobs" expected an array of numbers, got 7/],
  ])('%s', (_, args, type, message) => {
    model.reset();
    expect(() => (model.process as (...args: unknown[]) => void)(...args)).toThrow(type);
    expect(() => (model.process as any).apply(model, args)).toThrow(message);
    expect(play(model, x, [0, 0])).toEqual(before);
  });

  test.each([undefined, null, 7, [], new Uint8Array(3), new Map()])('a file that is %s', (file) => {
    for (const load of [loadNam, loadRTNeural, loadGuitarML]) {
      expect(() => load(file as never)).toThrow(TypeError);
    }
  });

  test('a superfluous knob of a model without', () => {
    expect(() => play(loadNam(nam()), x, [1])).toThrow('NAM: "knobs[0]" is superfluous: the model has 0 knobs, got 1');
  });
});

test('what is wrong is a ModelError of the package', () => {
  expect(() => loadNam('{}')).toThrow(ModelError);
});
