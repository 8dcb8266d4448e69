import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GRU, GRUCell, RNN, RNNCell } from '../../src/gru.ts';
import { pick, transpose } from '../support/axes.ts';
import { type Arithmetic, type Cell, FLOAT32, gru, rnn, sequenceOf } from '../support/gru-oracle.ts';
import { cases, SEED, size } from '../support/laws.ts';
import { randomTensor } from '../support/tensors.ts';

// Results are as near to float64 as twice the error of a float32 reference, which sums from either end, or as two units in the last
// place of their largest number, at least of 1. Inputs and states are in [-2, 2], weights in ±1/sqrt(H).
const LEAST = 2 ** -22;

function expectNear(
  what: string,
  got: ArrayLike<number>,
  wanted: (arithmetic?: Arithmetic) => readonly number[],
): void {
  const exact = wanted();
  expect(got.length, what).toBe(exact.length);
  const worst = (values: ArrayLike<number>) =>
    exact.reduce((most, value, i) => Math.max(most, Math.abs(values[i]! - value)), 0);
  const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const error = Math.max(...FLOAT32.map((arithmetic) => worst(wanted(arithmetic))));
  expect(worst(got), what).toBeLessThanOrEqual(Math.max(2 * error, LEAST * largest));
}

const KINDS: Record<
  string,
  { cell: Cell; one: typeof GRUCell | typeof RNNCell; all: typeof GRU | typeof RNN; options?: object }
> = {
  GRU: { cell: gru, one: GRUCell, all: GRU },
  'RNN of tanh': { cell: rnn('tanh'), one: RNNCell, all: RNN },
  'RNN of relu': { cell: rnn('relu'), one: RNNCell, all: RNN, options: { nonlinearity: 'relu' } },
};

test.each(Object.entries(KINDS))('%s: sequences', (_, { cell, all, options }) => {
  const property = fc.property(cases, ({ inputSize, hiddenSize, batch, steps, projSize, state, ...rest }) => {
    const { numLayers, bidirectional, batchFirst, bias, seed } = rest;
    const model = new all(inputSize, hiddenSize, { numLayers, bidirectional, batchFirst, bias, seed, ...options });
    const layers = numLayers * (bidirectional ? 2 : 1);
    const x = randomTensor([batch, steps, inputSize], seed + 1);
    const h0 = randomTensor([layers, batch, hiddenSize], seed + 2);
    const { output, hn } = model.forward(batchFirst ? x : transpose(x), state ? { h0 } : null);
    const rows = batchFirst ? output : transpose(output);
    const weights = model.stateDict();
    const wanted = (arithmetic?: Arithmetic) =>
      Array.from({ length: batch }, (_, b) => {
        const own = pick(x, 0, b);
        const vectors = Array.from({ length: steps }, (_, t) => pick(own, 0, t).data);
        const states = Array.from({ length: layers }, (_, k) =>
          state ? [...pick(pick(h0, 0, k), 0, b).data] : new Array<number>(hiddenSize).fill(0),
        );
        return sequenceOf(cell, weights, numLayers, bidirectional, vectors, states, arithmetic);
      });
    const got = [...rows.data, ...transpose(hn).data];
    expectNear('output and hn', got, (arithmetic) => {
      const all = wanted(arithmetic);
      return [...all.flatMap(({ output }) => output.flat()), ...all.flatMap(({ states }) => states.flat())];
    });
    model.dispose();
  });
  fc.assert(property, { seed: SEED, numRuns: 30 });
});

test.each(Object.entries(KINDS))('%s: cells', (_, { cell, one, options }) => {
  const property = fc.property(size(19), size(37), fc.boolean(), size(4), fc.nat(), (I, H, bias, batch, seed) => {
    const module = new one(I, H, { bias, seed, ...options });
    const input = randomTensor([batch, I], seed + 1);
    const h0 = randomTensor([batch, H], seed + 2);
    const { h1 } = module.forward(input, { h0 });
    expect(h1.dims).toEqual([batch, H]);
    const weights = module.stateDict();
    const rows = Array.from({ length: batch }, (_, b) => [pick(input, 0, b), pick(h0, 0, b)] as const);
    expectNear('h1', h1.data, (arithmetic) =>
      rows.flatMap(([x, h]) => cell(weights, '', x.data, [...h.data], arithmetic)),
    );
    for (const [b, [x, h]] of rows.entries()) {
      expect(module.forward(x, { h0: h })).toEqual({ h1: { data: pick(h1, 0, b).data, dims: [H] } });
    }
    const zeros = { data: new Float32Array(batch * H), dims: [batch, H] };
    expect(module.forward(input)).toEqual(module.forward(input, { h0: zeros }));
    module.dispose();
  });
  fc.assert(property, { seed: SEED, numRuns: 30 });
});

test('sums that saturate every gate give no NaN, and a NaN stays in its row', () => {
  const model = new GRU(2, 5, { seed: 1 });
  model.loadStateDict(
    new Map([...model.stateDict()].map(([key, { data, dims }]) => [key, { data: data.map((x) => 1000 * x), dims }])),
  );
  const x = Float32Array.of(1e4, -1e4, 3e37, 1, -3e37, 0, 0, 0);
  const { output, hn } = model.forward(
    { data: x, dims: [4, 1, 2] },
    { h0: { data: new Float32Array(5).fill(700), dims: [1, 1, 5] } },
  );
  expect(output.data.every((h) => Math.abs(h) <= 700)).toBe(true);
  const rows = model.forward({ data: Float32Array.of(NaN, 0, 1, 1), dims: [1, 2, 2] });
  expect([...rows.output.data.slice(0, 5)].every(Number.isNaN)).toBe(true);
  expect([...rows.output.data.slice(5)].some(Number.isNaN)).toBe(false);
  expect(hn.data.length).toBe(5);
});

test('h decays to 0, not to subnormal numbers', () => {
  const zero = (...dims: number[]) => ({ data: new Float32Array(dims.reduce((a, b) => a * b)), dims });
  const gru = GRU.fromStateDict({ weight_ih_l0: zero(12, 1), weight_hh_l0: zero(12, 4) });
  // z = 1/2 and n = 0: h halves at each step
  const { output } = gru.forward(zero(200, 1), { h0: { data: new Float32Array(4).fill(1), dims: [1, 4] } });
  const h = Array.from({ length: 200 }, (_, t) => output.data[4 * t]!);
  expect(h[99]).toBe(2 ** -100);
  expect(h.every((value) => value === 0 || value >= 2 ** -110)).toBe(true);
  expect(h.at(-1)).toBe(0);
});
