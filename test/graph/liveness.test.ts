import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { bytesUsed } from '../../src/index.ts';
import { loadOnnx } from '../../src/onnx.ts';
import { watchPlans } from '../support/poison.ts';
import { type Choice, graphFile, randomGraph } from '../support/random-graphs.ts';

// Buffers of a plan share memory. A graph gives the bits that its nodes give one by one, whatever the memory held before.

const watch = watchPlans();
afterAll(() => watch.stop());

const number = fc.nat(1000);
const choices = fc.array(fc.tuple(number, number, number, number, number, number), { minLength: 15, maxLength: 60 });

/** The bits of elements, those of a NaN aside. */
function bits(data: ArrayLike<number | bigint>): unknown {
  return Array.from(data, (x) => (Number.isNaN(x) ? 'NaN' : Object.is(x, -0) ? '-0' : x));
}

function checkGraph(list: readonly Choice[], outputChoices: readonly number[]): void {
  const graph = randomGraph(list);
  const { values, feeds } = graph;
  // inputs, results in the middle, and the last
  const outputs = [...new Set([values.length - 1, ...outputChoices.map((n) => n % values.length)])];
  watch.forget();
  const before = bytesUsed();
  const session = loadOnnx(graphFile(graph, outputs));
  try {
    for (const variant of [0, 1, 0]) {
      const all = Object.fromEntries(values.slice(0, feeds).map(({ name, results }) => [name, results[variant]!]));
      watch.poison();
      const results = session.run(all);
      for (const place of outputs) {
        const { name, results: expected } = values[place]!;
        const { data, dims, type } = results[name]!;
        const { data: one, ...rest } = expected[variant]!;
        expect({ name, dims, type, data: bits(data) }).toEqual({ name, ...rest, data: bits(one) });
      }
    }
  } finally {
    session.dispose();
  }
  expect(bytesUsed()).toBe(before);
}

test('random graphs', () => {
  fc.assert(
    fc.property(choices, fc.array(number, { maxLength: 3 }), (list, outputs) => checkGraph(list, outputs)),
    { numRuns: Number(globalThis.process?.env.RUNS ?? 100), endOnFailure: true },
  );
});
