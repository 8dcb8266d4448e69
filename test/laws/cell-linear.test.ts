import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Linear, type LSTM, LSTMCell } from '../../src/index.ts';
import { pick, transpose } from '../support/axes.ts';
import { expectSame, law, SEED, size } from '../support/laws.ts';
import { randomTensor } from '../support/tensors.ts';

describe('LSTMCell and Linear', () => {
  /** The weights of a module of one layer under a cell's names. */
  const cellOf = (model: LSTM) =>
    LSTMCell.fromStateDict(new Map([...model.stateDict()].map(([key, value]) => [key.replace('_l0', ''), value])));

  law(
    'a cell in a loop, and its streams, equal an LSTM of one layer',
    (model, input, given, c) => {
      const x = c.batchFirst ? transpose(input) : input;
      const cell = cellOf(model);
      const { output, hn, cn } = model.forward(input, given);
      const wanted = c.batchFirst ? transpose(output) : output;
      let state = given && { h0: pick(given.h0, 0, 0), c0: pick(given.c0, 0, 0) };
      for (let t = 0; t < c.steps; t++) {
        const { h1, c1 } = cell.forward(pick(x, 0, t), state);
        expectSame(`step ${t}`, h1, pick(wanted, 0, t));
        state = { h0: h1, c0: c1 };
      }
      expectSame('c', state!.c0, pick(cn, 0, 0));
      expectSame('h', state!.h0, pick(hn, 0, 0));
      // one row, unbatched and as a stream
      const stream = cell.stream();
      let alone = given && { h0: pick(pick(given.h0, 0, 0), 0, 0), c0: pick(pick(given.c0, 0, 0), 0, 0) };
      if (alone) stream.setState(alone);
      for (let t = 0; t < c.steps; t++) {
        const row = pick(pick(x, 0, t), 0, 0);
        const { h1, c1 } = cell.forward(row, alone);
        alone = { h0: h1, c0: c1 };
        stream.input.set(row.data);
        stream.step();
        expectSame(`unbatched step ${t}`, h1, pick(pick(wanted, 0, t), 0, 0));
        expectSame(`stream step ${t}`, { data: stream.output, dims: h1.dims }, h1);
      }
      expectSame('c of the stream', stream.getState().c0, alone!.c0);
      stream.dispose();
      cell.dispose();
    },
    { numLayers: 1, projSize: 0, bidirectional: false },
  );

  test('Linear: rows alone equal rows in a batch of any rank', () => {
    const property = fc.property(
      size(37),
      size(37),
      size(5),
      size(5),
      fc.boolean(),
      fc.nat(),
      (I, O, A, B, bias, seed) => {
        const linear = new Linear(I, O, { bias, seed });
        const input = randomTensor([A, B, I], seed, true);
        const all = linear.forward(input);
        expect(all.dims).toEqual([A, B, O]);
        for (let r = 0; r < A * B; r++) {
          const row = { data: input.data.subarray(r * I, (r + 1) * I), dims: [I] };
          expectSame(`row ${r}`, linear.forward(row), { data: all.data.subarray(r * O, (r + 1) * O), dims: [O] });
        }
        linear.dispose();
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 60 });
  });

  test('Linear: more rows than one pass through linear memory takes', () => {
    const linear = new Linear(5, 7, { seed: 1 });
    const input = randomTensor([20_011, 5], 2);
    const all = linear.forward(input).data;
    for (const [from, to] of [
      [0, 1],
      [8_000, 9_001],
      [20_010, 20_011],
    ] as const) {
      const part = { data: input.data.subarray(from * 5, to * 5), dims: [to - from, 5] };
      const wanted = { data: all.subarray(from * 7, to * 7), dims: [to - from, 7] };
      expectSame(`rows from ${from}`, linear.forward(part), wanted);
    }
    linear.dispose();
  });
});
