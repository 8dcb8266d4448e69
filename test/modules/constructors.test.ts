import { describe, expect, test } from 'vitest';
import { Embedding, Linear, LSTM, LSTMCell } from '../../src/index.ts';
import { bits } from '../support/bits.ts';
import { type ErrorClass, expectRefusal } from '../support/refusals.ts';
import type { Any } from '../support/tensors.ts';

const [T, R] = [TypeError, RangeError];

describe('constructors', () => {
  const names = { LSTM, LSTMCell, Linear, Embedding };
  type Name = keyof typeof names;
  const make = (name: Name, ...args: Any[]) => new (names[name] as Any)(...args);

  test.each<[string, ErrorClass, Name, ...Any[]]>([
    ['LSTM: "inputSize" expected an integer from 0 to 2147483647, got undefined', T, 'LSTM'],
    ['LSTM: "inputSize" expected an integer from 0 to 2147483647, got "4"', T, 'LSTM', '4', 8],
    ['LSTM: "hiddenSize" expected an integer from 1 to 2147483647, got undefined', T, 'LSTM', 4],
    ['LSTM: "inputSize" expected an integer from 0…, got 4.5', R, 'LSTM', 4.5, 8],
    ['LSTM: "inputSize" expected an integer from 0…, got -1', R, 'LSTM', -1, 8],
    ['LSTM: "inputSize" expected an integer from 0…, got NaN', R, 'LSTM', NaN, 8],
    ['LSTM: "hiddenSize" expected an integer from 1…, got 0', R, 'LSTM', 4, 0],
    ['LSTM: "hiddenSize" expected an integer from 1…, got Infinity', R, 'LSTM', 4, Infinity],
    ['LSTM: "hiddenSize" expected an integer from 1…, got 2147483648', R, 'LSTM', 4, 2 ** 31],
    ['LSTM: "options" expected an object, got null', T, 'LSTM', 4, 8, null],
    ['LSTM: "options" expected an object, got 2', T, 'LSTM', 4, 8, 2],
    ['LSTM: unknown option "batch_first", expected one of numLayers, …', T, 'LSTM', 4, 8, { batch_first: true }],
    ['LSTM: "numLayers" expected an integer from 1…, got 0', R, 'LSTM', 4, 8, { numLayers: 0 }],
    ['LSTM: "numLayers" expected an integer from 1 to 10000, got "2"', T, 'LSTM', 4, 8, { numLayers: '2' }],
    ['LSTM: "bias" expected a boolean, got 1', T, 'LSTM', 4, 8, { bias: 1 }],
    ['LSTM: "batchFirst" expected a boolean, got "yes"', T, 'LSTM', 4, 8, { batchFirst: 'yes' }],
    ['LSTM: "bidirectional" expected a boolean, got 0', T, 'LSTM', 4, 8, { bidirectional: 0 }],
    ['LSTM: "dropout" expected a number from 0 to 1, got 1.1', R, 'LSTM', 4, 8, { dropout: 1.1 }],
    ['LSTM: "dropout" expected a number from 0 to 1, got -0.1', R, 'LSTM', 4, 8, { dropout: -0.1 }],
    ['LSTM: "dropout" expected a number from 0 to 1, got NaN', R, 'LSTM', 4, 8, { dropout: NaN }],
    ['LSTM: "dropout" expected a number from 0 to 1, got true', T, 'LSTM', 4, 8, { dropout: true }],
    ['LSTM: "projSize" expected an integer from 0 to 7, got 8', R, 'LSTM', 4, 8, { projSize: 8 }],
    ['LSTM: "projSize" expected an integer from 0 to 7, got -1', R, 'LSTM', 4, 8, { projSize: -1 }],
    ['LSTM: "seed" expected an integer from 0 to 9007199254740991, got -1', R, 'LSTM', 4, 8, { seed: -1 }],
    ['LSTM: "seed" expected an integer from 0…, got 1.5', R, 'LSTM', 4, 8, { seed: 1.5 }],
    ['LSTM: "seed" expected an integer from 0…, got 9007199254740992', R, 'LSTM', 4, 8, { seed: 2 ** 53 }],
    ['LSTM: "seed" expected an integer from 0…, got NaN', R, 'LSTM', 4, 8, { seed: NaN }],
    ['LSTM: "seed" expected an integer from 0 to 9007199254740991, got "7"', T, 'LSTM', 4, 8, { seed: '7' }],
    ['LSTMCell: "hiddenSize" expected an integer from 1…, got 0', R, 'LSTMCell', 4, 0],
    ['LSTMCell: unknown option "numLayers", expected one of bias, seed', T, 'LSTMCell', 4, 8, { numLayers: 2 }],
    ['LSTMCell: "seed" expected an integer from 0 to 9007199254740991, got null', T, 'LSTMCell', 4, 8, { seed: null }],
    ['Linear: "outFeatures" expected an integer from 0…, got -1', R, 'Linear', 4, -1],
    ['Linear: unknown option "dropout", …', T, 'Linear', 4, 8, { dropout: 0 }],
    ['Embedding: "paddingIdx" expected an integer from -4 to 3, got 4', R, 'Embedding', 4, 8, { paddingIdx: 4 }],
    ['Embedding: "paddingIdx" expected an integer from -4 to 3, got -5', R, 'Embedding', 4, 8, { paddingIdx: -5 }],
    ['Embedding: "paddingIdx" expected an integer from -4 to 3, got 1.5', R, 'Embedding', 4, 8, { paddingIdx: 1.5 }],
    ['Embedding: "paddingIdx" expected an integer…, got 0', R, 'Embedding', 0, 8, { paddingIdx: 0 }],
    ['…memory…cannot grow…4 GiB…', R, 'LSTM', 2 ** 31 - 1, 2 ** 31 - 1],
    ['…memory…cannot grow…4 GiB…', R, 'LSTM', 20_000, 20_000],
    ['LSTM: "numLayers" expected an integer from 1 to 10000, got 10001', R, 'LSTM', 1, 1, { numLayers: 10_001 }],
    ['…memory…cannot grow…4 GiB…', R, 'LSTM', 1, 2 ** 20, { projSize: 2 ** 19 }],
    ['…memory…cannot grow…4 GiB…', R, 'LSTMCell', 2 ** 31 - 1, 2 ** 31 - 1],
    ['…memory…cannot grow…4 GiB…', R, 'Linear', 2 ** 31 - 1, 2 ** 31 - 1],
    ['…memory…cannot grow…4 GiB…', R, 'Embedding', 2 ** 31 - 1, 2 ** 31 - 1],
  ])('refuse: %s', (message, error, name, ...args) => expectRefusal(() => make(name, ...args), error, message));

  test.each<[Name, Any[]]>([
    ['LSTM', [3, 5, { numLayers: 2, bidirectional: true, projSize: 2 }]],
    ['LSTMCell', [3, 5]],
    ['Linear', [3, 5]],
    ['Embedding', [3, 5]],
  ])('%s: a seed decides every bit, no seed makes each module another', (name, [a, b, options]) => {
    const weights = (seed?: number) =>
      [
        ...make(name, a, b, { ...options, seed })
          .stateDict()
          .values(),
      ].flatMap(bits);
    expect(weights(7)).toEqual(weights(7));
    const seeds = [0, 1, 7, 2 ** 32, 2 ** 32 + 7, 2 ** 53 - 1];
    expect(new Set(seeds.map((seed) => weights(seed).join())).size).toBe(seeds.length);
    // without a seed modules are counted: one may well be that of a seed
    expect(new Set([weights(), weights(), weights()].map((list) => list.join())).size).toBe(3);
  });

  const weightsOf = (module: LSTM | LSTMCell | Linear) =>
    [...module.stateDict().values()].flatMap(({ data }) => [...data]);
  test.each<[string, LSTM | LSTMCell | Linear, number]>([
    ['LSTM', new LSTM(10, 16, { numLayers: 2, projSize: 3, seed: 1 }), 1 / 4],
    ['LSTMCell', new LSTMCell(10, 16, { seed: 1 }), 1 / 4],
    ['Linear', new Linear(64, 40, { seed: 1 }), 1 / 8],
  ])('%s starts uniform in its bounds', (_, module, bound) => {
    const values = weightsOf(module);
    const mean = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...values)).toBeGreaterThan(0.99 * bound);
    expect(Math.min(...values)).toBeLessThan(-0.99 * bound);
    // four standard errors of a uniform variable
    expect(Math.abs(mean(values))).toBeLessThan((4 * bound) / Math.sqrt(3 * values.length));
    expect(Math.abs(mean(values.map((value) => value ** 2)) / (bound ** 2 / 3) - 1)).toBeLessThan(0.1);
  });

  test.each([undefined, 3, 0, -1, -1000])('Embedding starts near N(0, 1), paddingIdx %s as zeros', (paddingIdx) => {
    const embedding = new Embedding(1000, 50, { seed: 1, paddingIdx });
    const { data } = embedding.stateDict().get('weight')!;
    const row = paddingIdx !== undefined && paddingIdx < 0 ? 1000 + paddingIdx : paddingIdx;
    expect(embedding.paddingIdx).toBe(row);
    const zeroRows = Array.from({ length: 1000 }, (_, r) => r).filter((r) =>
      data.subarray(50 * r, 50 * r + 50).every((x) => x === 0),
    );
    expect(zeroRows).toEqual(row === undefined ? [] : [row]);
    const n = data.length;
    const moment = (power: number) => data.reduce((sum, value) => sum + value ** power, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(0.02);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.03);
    // twelve uniforms have kurtosis 2.9, a normal variable 3
    expect(Math.abs(moment(4) - 2.9)).toBeLessThan(0.15);
    expect(data.every((value) => Math.abs(value) <= 6)).toBe(true);
  });
});
