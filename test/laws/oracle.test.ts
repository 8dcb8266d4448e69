import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Linear, type LSTM, LSTMCell, type LSTMState, type TensorLike } from '../../src/index.ts';
import { pick, transpose } from '../support/axes.ts';
import { cases, run, SEED, size } from '../support/laws.ts';
import { type State, sequence, step, type Weights } from '../support/oracle.ts';
import { randomTensor } from '../support/tensors.ts';

// Inputs in [-2, 2], states in [-2, 2], weights in ±1/sqrt(H): float32 against float64 stays within 2e-6 of numbers up to 14.
describe('near the float64 oracle', () => {
  const TOLERANCE = 2e-6;

  function expectNear(what: string, got: ArrayLike<number>, wanted: ArrayLike<number>): void {
    expect(got.length, what).toBe(wanted.length);
    for (let i = 0; i < got.length; i++) {
      const error = Math.abs(got[i]! - wanted[i]!);
      // written so that a NaN fails
      if (!(error <= TOLERANCE)) expect(error, `${what}[${i}]`).toBeLessThanOrEqual(TOLERANCE);
    }
  }

  test('LSTM and LSTMCell', () => {
    const property = fc.property(cases, (c) => {
      const plain = (model: LSTM, input: TensorLike, given: LSTMState | undefined) => {
        const weights: Weights = model.stateDict();
        const x = c.batchFirst ? input : transpose(input);
        const { output, hn, cn } = model.forward(input, given);
        const rows = c.batchFirst ? output : transpose(output);
        const layers = c.numLayers * (c.bidirectional ? 2 : 1);
        for (let b = 0; b < c.batch; b++) {
          const states = Array.from(
            { length: layers },
            (_, k): State => ({
              h: given ? [...pick(pick(given.h0, 0, k), 0, b).data] : new Array(c.projSize || c.hiddenSize).fill(0),
              c: given ? [...pick(pick(given.c0, 0, k), 0, b).data] : new Array(c.hiddenSize).fill(0),
            }),
          );
          const own = pick(x, 0, b);
          const vectors = Array.from({ length: c.steps }, (_, t) => pick(own, 0, t).data);
          const wanted = sequence(weights, c.numLayers, c.bidirectional, vectors, states);
          expectNear('output', pick(rows, 0, b).data, wanted.output.flat());
          expectNear(
            'hn',
            pick(hn, 1, b).data,
            wanted.states.flatMap((state) => state.h),
          );
          expectNear(
            'cn',
            pick(cn, 1, b).data,
            wanted.states.flatMap((state) => state.c),
          );
        }
      };
      run(c, plain);
      const cell = new LSTMCell(c.inputSize, c.hiddenSize, { bias: c.bias, seed: c.seed });
      const input = randomTensor([c.inputSize], c.seed);
      const h0 = randomTensor([c.hiddenSize], c.seed + 1);
      const c0 = randomTensor([c.hiddenSize], c.seed + 2);
      const wanted = step(cell.stateDict(), '', input.data, { h: [...h0.data], c: [...c0.data] });
      const { h1, c1 } = cell.forward(input, { h0, c0 });
      expectNear('h1', h1.data, wanted.h);
      expectNear('c1', c1.data, wanted.c);
      cell.dispose();
    });
    fc.assert(property, { seed: SEED, numRuns: 60 });
  });

  test('Linear', () => {
    const property = fc.property(size(67), size(37), fc.boolean(), fc.nat(), (I, O, bias, seed) => {
      const linear = new Linear(I, O, { bias, seed });
      const weights = linear.stateDict();
      const { data } = randomTensor([I], seed);
      const wanted = Array.from({ length: O }, (_, o) =>
        data.reduce(
          (sum, x, i) => sum + x * weights.get('weight')!.data[o * I + i]!,
          weights.get('bias')?.data[o] ?? 0,
        ),
      );
      expectNear('output', linear.forward({ data, dims: [I] }).data, wanted);
      linear.dispose();
    });
    fc.assert(property, { seed: SEED, numRuns: 60 });
  });
});
