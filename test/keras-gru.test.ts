import { describe, expect, test } from 'vitest';
import { bytesUsed } from '../src/index.ts';
import { loadKeras } from '../src/keras.ts';
import { type LayerConfig, lstmWeights, noise, sequential, tfjs, type Weight } from './support/keras-files.ts';
import { onnxGru, onnxRnn } from './support/onnx-gru.ts';
import { refusal } from './support/refusals.ts';

// GRU and SimpleRNN of Keras against the oracle of ONNX's; what Keras and TensorFlow.js answer is in test/keras-answers.node.test.ts.

const [B, T, I, H] = [2, 5, 3, 4];
const KERAS2 = '2.15.0';
const GATES = { GRU: 3, SimpleRNN: 1 } as const;
type Class = keyof typeof GATES;

/** Weights of a layer by the names of TensorFlow.js; `isDouble`: a bias (2, G H). */
function weightsOf(name: string, className: Class, isDouble: boolean, seed = 1): Record<string, Weight> {
  const rows = GATES[className] * H;
  return {
    [`${name}/kernel`]: noise([I, rows], seed),
    [`${name}/recurrent_kernel`]: noise([H, rows], seed + 1),
    [`${name}/bias`]: noise(isDouble ? [2, rows] : [rows], seed + 2),
  };
}

const turned = ({ data, dims: [rows, columns] }: Weight) =>
  Float32Array.from(data, (_, i) => data[(i % rows!) * columns! + Math.floor(i / rows!)]!);

/** The outputs (B, T, H) of a layer by the formulas; gates z, r, h are ONNX's too. */
function expected(weights: Record<string, Weight>, className: Class, resetAfter: boolean, input: Weight): number[] {
  const [kernel, recurrent, bias] = Object.values(weights) as [Weight, Weight, Weight];
  const rows = GATES[className] * H;
  const both = new Float32Array(2 * rows);
  both.set(bias.data);
  const x = Float32Array.from({ length: input.data.length }, (_, i) => {
    const [t, b, k] = [Math.floor(i / (B * I)), Math.floor(i / I) % B, i % I];
    return input.data[(b * T + t) * I + k]!;
  });
  const functions = [{ name: 'Sigmoid' }, { name: 'Tanh' }].map((one) => ({ ...one, alpha: 0, beta: 0 }));
  const { Y } = (className === 'GRU' ? onnxGru : onnxRnn)({
    ...{ T, batch: B, I, H, direction: 'forward', x, B: both },
    W: turned(kernel),
    R: turned(recurrent),
    functions: className === 'GRU' ? functions : functions.slice(1),
    linearBeforeReset: resetAfter,
  });
  return Array.from({ length: B * T * H }, (_, i) => {
    const [b, t, u] = [Math.floor(i / (T * H)), Math.floor(i / H) % T, i % H];
    return Y[(t * B + b) * H + u]!;
  });
}

function load(layers: LayerConfig[], weights: Record<string, Weight>, version = KERAS2, steps: number | null = T) {
  return loadKeras(tfjs(sequential(layers, [null, steps, I]), weights, version));
}

function expectClose(data: ArrayLike<number>, wanted: readonly number[]): void {
  expect(data.length).toBe(wanted.length);
  for (const [i, number] of wanted.entries()) expect(Math.abs(data[i]! - number), `[${i}]`).toBeLessThan(1e-6);
}

const input = noise([B, T, I], 9);
const FORMS = [
  ['GRU', true],
  ['GRU', false],
  ['SimpleRNN', false],
] as const;
const options = (className: Class, resetAfter: boolean) =>
  className === 'GRU' ? { recurrent_activation: 'sigmoid', reset_after: resetAfter } : {};

describe.each(FORMS)('%s, reset_after %s', (className, resetAfter) => {
  const weights = weightsOf('a', className, resetAfter);
  const config = { name: 'a', units: H, ...options(className, resetAfter), return_sequences: true };

  test('the formulas; no trace', () => {
    const before = bytesUsed();
    const model = load([[className, config]], weights);
    const result = model.predict(input);
    expectClose(result.data, expected(weights, className, resetAfter, input));
    expect(model.trace(input)).toEqual({ outputs: result, nodes: {} });
    model.dispose();
    expect(bytesUsed()).toBe(before);
  });

  test('a stateful layer goes on until it is reset, and its last output is its state', () => {
    const whole = load([[className, config]], weights);
    const wanted = whole.predict(input).data;
    const model = load([[className, { ...config, stateful: true }]], weights, KERAS2, null);
    for (let round = 0; round < 2; round++) {
      for (const [from, to] of [
        [0, 2],
        [2, T],
      ] as const) {
        const part = { data: new Float32Array(B * (to - from) * I), dims: [B, to - from, I] };
        for (let b = 0; b < B; b++)
          part.data.set(input.data.subarray((b * T + from) * I, (b * T + to) * I), b * (to - from) * I);
        const { data } = model.predict(part);
        for (let b = 0; b < B; b++) {
          const own = data.subarray(b * (to - from) * H, (b + 1) * (to - from) * H);
          expect([...own]).toEqual([...wanted.subarray((b * T + from) * H, (b * T + to) * H)]);
        }
      }
      model.resetStates();
    }
    const last = load([[className, { ...config, return_sequences: false }]], weights);
    const { data, dims } = last.predict(input);
    expect(dims).toEqual([B, H]);
    for (let b = 0; b < B; b++) {
      expect([...data.subarray(b * H, (b + 1) * H)]).toEqual([
        ...wanted.subarray((b * T + T - 1) * H, (b + 1) * T * H),
      ]);
    }
    for (const one of [whole, model, last]) one.dispose();
  });

  test('masked steps are skipped', () => {
    const some = { data: input.data.slice(), dims: input.dims };
    for (const t of [0, 3]) some.data.fill(0, t * I, (t + 1) * I);
    const model = load(
      [
        ['Masking', {}],
        [className, { ...config, return_sequences: false }],
      ],
      weights,
    );
    const short = load([[className, { ...config, return_sequences: false }]], weights, KERAS2, null);
    const kept = [1, 2, 4].flatMap((t) => [...input.data.subarray(t * I, (t + 1) * I)]);
    const wanted = short.predict({ data: Float32Array.from(kept), dims: [1, 3, I] });
    expect([...model.predict(some).data.subarray(0, H)]).toEqual([...wanted.data]);
    for (const one of [model, short]) one.dispose();
  });

  test('weights of other layers and shapes are refused by name', () => {
    const before = bytesUsed();
    const refused = (own: Record<string, Weight>) => refusal(() => load([[className, config]], own)).message;
    expect(refused(lstmWeights('a', I, H))).toMatch(/kernel" of "a" expected \[3, (12|4)\], got \[3, 16\]/);
    const rows = GATES[className] * H;
    const bias = resetAfter ? [rows] : [2, rows];
    expect(refused({ ...weights, 'a/bias': noise(bias) })).toMatch(/bias" of "a" expected \[.*\], got \[/);
    expect(refused({ ...weights, 'a/recurrent_kernel': noise([H + 1, rows]) })).toContain('recurrent_kernel');
    const { 'a/kernel': kernel, 'a/recurrent_kernel': recurrent } = weights;
    expect(refused({ 'a/kernel': kernel!, 'a/recurrent_kernel': recurrent! })).toContain('bias');
    expect(bytesUsed()).toBe(before);
  });
});

test('a file that does not say reset_after: true in Keras 3, false before and in TensorFlow.js', () => {
  const config = { name: 'a', units: H, recurrent_activation: 'sigmoid', return_sequences: true };
  for (const [version, resetAfter] of [
    ['3.8.0', true],
    ['2.0.9', false],
    ['tfjs-layers 4.22.0', false],
  ] as const) {
    const weights = weightsOf('a', 'GRU', resetAfter);
    const model = load([['GRU', config]], weights, version);
    expectClose(model.predict(input).data, expected(weights, 'GRU', resetAfter, input));
    model.dispose();
  }
});

test('CuDNNGRU: matrices of each gate transposed, two biases in a list', () => {
  const weights = weightsOf('a', 'GRU', true);
  const model = load([['GRU', { name: 'a', units: H, recurrent_activation: 'sigmoid', reset_after: true }]], weights);
  /** Each gate (rows, H) as its transpose (H, rows), read as (rows, H). */
  const laid = ({ data, dims: [rows] }: Weight): Weight => {
    const out = new Float32Array(data.length);
    for (let gate = 0; gate < 3; gate++) {
      for (let row = 0; row < rows!; row++) {
        for (let u = 0; u < H; u++) {
          const n = u * rows! + row;
          out[Math.floor(n / H) * 3 * H + gate * H + (n % H)] = data[row * 3 * H + gate * H + u]!;
        }
      }
    }
    return { data: out, dims: [rows!, 3 * H] };
  };
  const cudnn = load([['CuDNNGRU', { name: 'a', units: H }]], {
    'a/kernel': laid(weights['a/kernel']!),
    'a/recurrent_kernel': laid(weights['a/recurrent_kernel']!),
    'a/bias': { data: weights['a/bias']!.data, dims: [6 * H] },
  });
  expect(cudnn.predict(input)).toEqual(model.predict(input));
  for (const one of [model, cudnn]) one.dispose();
});

test('a Bidirectional of two classes, and cells that are not supported, are refused by name', () => {
  const inner = (class_name: string) => ({ class_name, config: { name: class_name, units: H } });
  const both = { name: 'both', layer: inner('GRU'), backward_layer: inner('SimpleRNN') };
  const other = { name: 'rnn', cell: { class_name: 'MyCell', config: { units: H } } };
  const { message, code } = refusal(() =>
    load(
      [
        ['Bidirectional', both],
        ['RNN', other],
      ],
      {},
    ),
  );
  expect(code).toBe('unsupported');
  expect(message).toContain('layers of "both" that differ in cell');
  expect(message).toContain('RNN of MyCell ("rnn")');
});
