import { describe, expect, test } from 'vitest';
import { GRU, RNN } from '../../src/gru.ts';
import {
  type DirectionTrace,
  LSTM,
  type LSTMState,
  type PackedSequence,
  packPaddedSequence,
  type TensorLike,
} from '../../src/index.ts';
import { beside, pick, slice, transpose } from '../support/axes.ts';
import { expectSame, expectSameResult, law } from '../support/laws.ts';
import { randomTensor } from '../support/tensors.ts';

// LSTM.trace(): the states have forward()'s bits, the gates are near float64.

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** A row of a matrix times a vector. */
function dot({ data }: TensorLike, row: number, x: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += data[row * x.length + k]! * x[k]!;
  return sum;
}

/** Gates i, f, g, o of a step in float64 from the inputs that the trace gives: x and the h before it. */
function gates(weights: ReadonlyMap<string, TensorLike>, suffix: string, H: number, x: Float32Array, h: Float32Array) {
  return [sigmoid, sigmoid, Math.tanh, sigmoid].map((activation, gate) =>
    Array.from({ length: H }, (_, unit) => {
      const row = gate * H + unit;
      const biases =
        (weights.get(`bias_ih${suffix}`)?.data[row] ?? 0) + (weights.get(`bias_hh${suffix}`)?.data[row] ?? 0);
      const products =
        dot(weights.get(`weight_ih${suffix}`)!, row, x) + dot(weights.get(`weight_hh${suffix}`)!, row, h);
      return activation(products + biases);
    }),
  );
}

/** The values of one step of one sequence. */
const at = (tensor: TensorLike, t: number, b: number) => pick(pick(tensor, 0, t), 0, b).data;

law('forward() gives the same output and states, and a trace has its steps', (model, input, given, c) => {
  const plain = model.forward(input, given);
  const trace = model.trace(input, given);
  expectSameResult('trace', trace, plain);
  expect(trace.layers.length).toBe(c.numLayers);
  const byStep = (tensor: TensorLike) => (c.batchFirst ? transpose(tensor) : tensor);
  for (const [layer, { forward, reverse }] of trace.layers.entries()) {
    expect(reverse !== undefined, 'reverse').toBe(c.bidirectional);
    const h = reverse ? beside(forward.h, reverse.h) : forward.h;
    if (layer === c.numLayers - 1) expectSame('h of the last layer', h, plain.output);
    for (const [direction, { h, c: cell }] of [forward, reverse].flatMap((one) => one ?? []).entries()) {
      const k = layer * (c.bidirectional ? 2 : 1) + direction;
      const last = direction ? 0 : c.steps - 1;
      expectSame('hn', pick(byStep(h), 0, last), pick(plain.hn, 0, k));
      expectSame('cn', pick(byStep(cell), 0, last), pick(plain.cn, 0, k));
    }
  }
});

law('c after t steps is the last c of a sequence of t steps', (model, input, given, c) => {
  const axis = c.batchFirst ? 1 : 0;
  const trace = model.trace(input, given);
  for (let t = 1; t <= c.steps; t++) {
    const { cn } = model.forward(slice(input, axis, 0, t), given);
    const { forward, reverse } = trace.layers[0]!;
    expectSame('c', pick(forward.c, axis, t - 1), pick(cn, 0, 0));
    if (!reverse) continue;
    const rest = model.forward(slice(input, axis, t - 1, c.steps), given);
    expectSame('c from the end', pick(reverse.c, axis, t - 1), pick(rest.cn, 0, 1));
  }
});

describe('near float64', () => {
  // as the laws of forward(): inputs and states in [-2, 2], weights in ±1/sqrt(H)
  const TOLERANCE = 2e-6;
  test.each([
    { H: 1, layers: 1, bidirectional: false, projSize: 0 },
    { H: 7, layers: 2, bidirectional: true, projSize: 0 },
    { H: 12, layers: 2, bidirectional: true, projSize: 5 },
    { H: 17, layers: 3, bidirectional: false, projSize: 16 },
  ])('gates with %o', ({ H, layers, bidirectional, projSize }) => {
    const [T, B, I] = [5, 3, 6];
    const model = new LSTM(I, H, { numLayers: layers, bidirectional, projSize, seed: H });
    const D = bidirectional ? 2 : 1;
    const h0 = randomTensor([layers * D, B, projSize || H], 1);
    const c0 = randomTensor([layers * D, B, H], 2);
    let input: TensorLike = randomTensor([T, B, I], 3);
    const trace = model.trace(input, { h0, c0 });
    const weights = model.stateDict();
    for (const [layer, { forward, reverse }] of trace.layers.entries()) {
      for (const [direction, own] of [forward, reverse].flatMap((one) => one ?? []).entries()) {
        const suffix = `_l${layer}${direction ? '_reverse' : ''}`;
        for (let t = 0; t < T; t++) {
          for (let b = 0; b < B; b++) {
            const before = direction ? t + 1 : t - 1;
            const isFirst = before < 0 || before === T;
            const h = isFirst ? at(h0, layer * D + direction, b) : at(own.h, before, b);
            const wanted = gates(weights, suffix, H, at(input, t, b), h);
            for (const [n, name] of (['i', 'f', 'g', 'o'] as const).entries()) {
              for (const [unit, value] of at(own[name], t, b).entries()) {
                expect(Math.abs(value - wanted[n]![unit]!)).toBeLessThanOrEqual(TOLERANCE);
              }
            }
          }
        }
      }
      input = reverse ? beside(forward.h, reverse.h) : forward.h;
    }
    model.dispose();
  });
});

const NAMES = ['i', 'f', 'g', 'o', 'c', 'h'] as const;

test.each([false, true])(
  'packed input: each sequence has the bits that it has alone (bidirectional: %s)',
  (bidirectional) => {
    const lengths = [2, 5, 1, 4];
    const model = new LSTM(3, 5, { numLayers: 2, bidirectional, seed: 4 });
    const padded = randomTensor([5, 4, 3], 5);
    const packed = packPaddedSequence(padded, lengths, { enforceSorted: false });
    const trace = model.trace(packed);
    const plain = model.forward(packed);
    expectSame('output', trace.output.data, plain.output.data);
    expectSame('hn', trace.hn, plain.hn);
    expectSame('cn', trace.cn, plain.cn);
    expect(trace.output.batchSizes).toEqual(packed.batchSizes);
    for (const [b, length] of lengths.entries()) {
      const alone = model.trace(slice(pick(padded, 1, b), 0, 0, length));
      for (const [layer, { forward, reverse }] of trace.layers.entries()) {
        const compare = (got: DirectionTrace<PackedSequence>, wanted: DirectionTrace) => {
          for (const name of NAMES) {
            const { data, batchSizes, sortedIndices } = got[name];
            const row = sortedIndices!.indexOf(b);
            for (let t = 0, first = 0; t < length; first += batchSizes[t++]!) {
              expectSame(name, pick(data, 0, first + row), pick(wanted[name], 0, t));
            }
          }
        };
        compare(forward, alone.layers[layer]!.forward);
        if (reverse) compare(reverse, alone.layers[layer]!.reverse!);
      }
    }
  },
);

test('8-bit weights: the bits of the 8-bit forward()', () => {
  const model = new LSTM(9, 21, { numLayers: 2, bidirectional: true, seed: 6 }).quantize();
  const input = randomTensor([4, 2, 9], 7);
  expectSameResult('trace', model.trace(input), model.forward(input));
});

test('the state is only read, and dropout is not applied', () => {
  const model = new LSTM(3, 4, { numLayers: 2, dropout: 0.5, seed: 8 });
  const input = randomTensor([3, 2, 3], 9);
  const state: LSTMState = { h0: randomTensor([2, 2, 4], 10), c0: randomTensor([2, 2, 4], 11) };
  const copies = [state.h0, state.c0].map(({ data }) => data.slice());
  model.train();
  const trace = model.trace(input, state);
  expect([state.h0.data, state.c0.data]).toEqual(copies);
  expectSameResult('trace', trace, model.eval().forward(input, state));
});

test('empty input features, and what is wrong', () => {
  const none = new LSTM(0, 2, { seed: 1 });
  const empty = { data: new Float32Array(0), dims: [3, 1, 0] };
  expectSameResult('no features', none.trace(empty), none.forward(empty));
  const model = new LSTM(3, 4, { seed: 1 });
  expect(() => model.trace(randomTensor([2, 1, 2], 1))).toThrow(
    'LSTM: "input" expected [T, B, 3] or [T, 3], got [2, 1, 2]',
  );
  const h0 = randomTensor([1, 1, 3], 1);
  expect(() => model.trace(randomTensor([2, 1, 3], 1), { h0, c0: h0 })).toThrow('"h0" expected [1, 1, 4]');
  model.dispose();
  expect(() => model.trace(randomTensor([2, 1, 3], 1))).toThrow('LSTM: used after dispose()');
});

test.each([
  ['LSTM', LSTM],
  ['GRU', GRU],
  ['RNN', RNN],
])('an empty batch has empty traces, and leaves memory as it is: %s', (_, Module) => {
  for (const options of [{}, { bidirectional: true, numLayers: 2 }, { batchFirst: true }]) {
    const model = new Module(3, 4, { seed: 1, ...options });
    const input = randomTensor([2, 3, 3], 5);
    const before = model.forward(input);
    const dims = model.batchFirst ? [0, 2, 3] : [2, 0, 3];
    const empty = { data: new Float32Array(0), dims };
    const { layers, ...results } = model.trace(empty);
    expect(results).toEqual(model.forward(empty));
    for (const { forward } of layers) {
      for (const tensor of Object.values(forward)) expect(tensor).toEqual({ ...empty, dims: [...dims.slice(0, 2), 4] });
    }
    expect(layers.length).toBe(model.numLayers);
    const again = new Module(3, 4, { seed: 1, ...options });
    for (const one of [model, again]) {
      expectSame('output', one.forward(input).output, before.output);
      one.dispose();
    }
  }
});
