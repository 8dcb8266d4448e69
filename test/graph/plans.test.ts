import { describe, expect, test } from 'vitest';
import type { Builder, Limits } from '../../src/graph/builder.ts';
import type { Graph, GraphStep } from '../../src/graph/graph.ts';
import type { Feed } from '../../src/graph/plan.ts';
import { Plans } from '../../src/graph/planner.ts';
import type { Value } from '../../src/graph/value.ts';
import { bytesUsed } from '../../src/index.ts';

// How often a graph is planned, which its nodes count, and what its plans hold.

const limits: Limits = { count() {}, spend() {}, make() {}, step() {}, copy: () => limits };
const fail = (error: unknown): never => {
  throw error;
};
const targets = { check() {} };

let lowered = 0;

/** A node y = f(x), element by element. */
const node = (from: number, to: number, apply: (x: number) => number, last: number[] = []): GraphStep => ({
  place: { path: `node ${to}` },
  operands: [from],
  targets: [to],
  branches: undefined,
  repeat: undefined,
  last,
  lower([x], plan: Builder) {
    lowered++;
    const out = plan.make('float32', x!.dims, 'y');
    plan.step([x, out], () => () => {
      for (let i = 0; i < out.count; i++) out.data[i] = apply(Number(x!.data[i]));
    });
    return [out];
  },
});

/** A node that takes as many elements of x as n says. */
const take = (x: number, n: number, to: number): GraphStep => ({
  place: { path: 'take' },
  operands: [x, n],
  targets: [to],
  branches: undefined,
  repeat: undefined,
  last: [],
  lower([value, count], plan: Builder) {
    lowered++;
    return [value!.part(0, [Number(plan.need(count!).data[0])])];
  },
});

const floats = (...values: number[]): Feed => ({
  type: 'float32',
  dims: [values.length],
  count: values.length,
  data: Float32Array.from(values),
  pointer: 0,
});
const ints = (...values: number[]): Feed => ({ ...floats(...values), type: 'int32', data: Int32Array.from(values) });

function make(graph: Graph, slots: number) {
  const plans = new Plans(graph, slots, fail);
  /** Runs it. @returns the outputs, and how often nodes were planned */
  const run = (feeds: Feed[], outputs = graph.outputs.map((_, i) => i)) => {
    lowered = 0;
    const values: readonly Value[] = plans.run(feeds, outputs, () => limits, targets);
    return [values.map(({ data }) => Array.from(data, Number)), lowered] as const;
  };
  return { plans, run };
}

const plus = { steps: [node(0, 1, (x) => x + 1), node(1, 2, (x) => 2 * x, [1])], outputs: [2] };
const ones = (n: number) => floats(...new Array<number>(n).fill(1));
const fours = (n: number) => new Array<number>(n).fill(4);

describe('plans', () => {
  test('eight shapes in turn are planned once each, nine each time', () => {
    const { plans, run } = make(plus, 3);
    for (let round = 0; round < 3; round++) {
      for (let n = 1; n <= 8; n++) expect(run([ones(n)])).toEqual([[fours(n)], round ? 0 : 2]);
    }
    for (let round = 0; round < 3; round++) {
      for (let n = 1; n <= 9; n++) expect(run([ones(n)])).toEqual([[fours(n)], round || n === 9 ? 2 : 0]);
    }
    plans.dispose();
  });

  test('the shape that was used last stays the longest', () => {
    const { plans, run } = make(plus, 3);
    for (let n = 1; n <= 8; n++) run([ones(n)]);
    run([ones(1)]);
    run([ones(9)]);
    expect(run([ones(1)])).toEqual([[fours(1)], 0]);
    expect(run([ones(2)])).toEqual([[fours(2)], 2]);
    plans.dispose();
  });

  test('only what the outputs need is planned, once for each choice of outputs', () => {
    const steps = [node(0, 1, (x) => x + 1), node(1, 2, (x) => 2 * x)];
    const { plans, run } = make({ steps, outputs: [1, 2] }, 3);
    expect(run([ones(2)], [0])).toEqual([[[2, 2]], 1]);
    expect(run([ones(2)], [1])).toEqual([[[4, 4]], 2]);
    expect(run([ones(2)], [1, 0])).toEqual([
      [
        [4, 4],
        [2, 2],
      ],
      2,
    ]);
    for (const outputs of [[0], [1], [1, 0]]) expect(run([ones(2)], outputs)[1]).toBe(0);
    plans.dispose();
  });

  test('a plan belongs to the values of a feed of few integers only where planning needs them', () => {
    const graph = { steps: [node(0, 2, (x) => x + 1), take(2, 1, 3), node(3, 4, (x) => 2 * x)], outputs: [4] };
    const { plans, run } = make(graph, 5);
    const x = floats(1, 2, 3, 4);
    expect(run([x, ints(2)])[0]).toEqual([[4, 6]]);
    expect(run([x, ints(3)])).toEqual([[[4, 6, 8]], 3]);
    for (let k = 0; k < 4; k++) {
      expect(run([x, ints(2)])).toEqual([[[4, 6]], 0]);
      expect(run([floats(5, 6, 7, 8), ints(3)])).toEqual([[[12, 14, 16]], 0]);
    }
    plans.dispose();
    const other = make({ steps: [node(0, 2, (x) => x + 1), node(1, 3, (x) => x)], outputs: [2, 3] }, 4);
    other.run([x, ints(2)]);
    expect(other.run([x, ints(3)])).toEqual([[[2, 3, 4, 5], [3]], 0]);
    other.plans.dispose();
  });

  test('what is computed from a feed of few integers needs the feed, not a split', () => {
    const graph = { steps: [node(1, 2, (x) => x + 1), take(0, 2, 3), node(3, 4, (x) => -x)], outputs: [4] };
    const { plans, run } = make(graph, 5);
    for (const n of [1, 0, 2, 1, 0, 2]) {
      const [[y]] = run([floats(1, 2, 3, 4), ints(n)]);
      expect(y).toEqual([-1, -2, -3, -4].slice(0, n + 1));
    }
    for (const n of [0, 1, 2]) expect(run([floats(1, 2, 3, 4), ints(n)])[1]).toBe(0);
    plans.dispose();
  });

  test('a feed of many integers splits the plan, which is planned on for each value', () => {
    const many = (n: number) => ints(n, ...new Array<number>(99).fill(7));
    const { plans, run } = make({ steps: [node(0, 2, (x) => x), take(2, 1, 3)], outputs: [3] }, 4);
    const x = floats(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    expect(run([x, many(2)])[0]).toEqual([[1, 2]]);
    for (let n = 1; n <= 8; n++) run([x, many(n)]);
    for (let n = 1; n <= 8; n++) expect(run([x, many(n)])).toEqual([[[1, 2, 3, 4, 5, 6, 7, 8].slice(0, n)], 0]);
    // the way that was taken last stays
    run([x, many(1)]);
    run([x, many(9)]);
    expect(run([x, many(1)])).toEqual([[[1]], 0]);
    expect(run([x, many(2)])).toEqual([[[1, 2]], 1]);
    plans.dispose();
  });

  test('feeds that are needed one after the other are planned for at most nine times', () => {
    const count = 40;
    const steps = Array.from({ length: count }, (_, i) => take(0, 1 + i, 1 + count + i));
    const { plans, run } = make({ steps, outputs: steps.flatMap(({ targets }) => targets) }, 1 + 2 * count);
    const feeds = [floats(1, 2, 3), ...Array.from({ length: count }, (_, i) => ints(1 + (i % 3)))];
    const [outputs, planned] = run(feeds);
    expect(outputs.map(({ length }) => length)).toEqual(Array.from({ length: count }, (_, i) => 1 + (i % 3)));
    expect(planned).toBeLessThanOrEqual(2 * count);
    expect(run(feeds)[1]).toBe(0);
    plans.dispose();
  });

  test.each([1000, 8000])('%i nodes are planned once each', (count) => {
    const steps = Array.from({ length: count }, (_, i) => node(i, i + 1, (x) => x + 1, i ? [i] : []));
    const before = bytesUsed();
    const { plans, run } = make({ steps, outputs: [count] }, count + 1);
    expect(run([floats(1, 2)])).toEqual([[[count + 1, count + 2]], count]);
    expect(run([floats(3)])).toEqual([[[count + 3]], count]);
    expect(run([floats(2, 1)])).toEqual([[[count + 2, count + 1]], 0]);
    // results that are read soon share two places
    expect(bytesUsed() - before).toBeLessThan(1024);
    plans.dispose();
    expect(bytesUsed()).toBe(before);
  });
});

describe('what plans hold', () => {
  test('large plans do not stay', () => {
    const before = bytesUsed();
    const { plans, run } = make(plus, 3);
    const large = (n: number): Feed => {
      const count = (1 << 19) + n;
      return { type: 'float32', dims: [count], count, data: new Float32Array(count), pointer: 0 };
    };
    for (let n = 0; n < 20; n++) run([large(n)]);
    expect(bytesUsed() - before).toBeLessThanOrEqual(64 << 20);
    plans.dispose();
    expect(bytesUsed()).toBe(before);
  });

  test('a plan of several splits does not keep every way', () => {
    const before = bytesUsed();
    const firsts = [1, 2, 3].map((i) => node(0, 10 + i, (x) => x));
    const takes = [1, 2, 3].map((i) => take(i === 1 ? 0 : 20 + i - 1, i, 20 + i));
    const { plans, run } = make({ steps: [...firsts, ...takes], outputs: [23] }, 24);
    const count = 9;
    const x = floats(...Array.from({ length: count }, (_, i) => i));
    const many = (n: number) => ints(n, ...new Array<number>(99).fill(7));
    let most = 0;
    for (let i = 0; i < 600; i++) {
      const [a, b, c] = [9 - (i % 3), 6 - (i % 4), 1 + ((i * 7) % 3)];
      expect(run([x, many(a), many(b), many(c)])[0]).toEqual([[0, 1, 2].slice(0, c)]);
      if (i === 100) most = bytesUsed();
    }
    expect(bytesUsed() - before).toBeLessThan(1 << 16);
    expect(most).toBeGreaterThan(before);
    plans.dispose();
    expect(bytesUsed()).toBe(before);
  });

  test('planning that fails leaves nothing', () => {
    const before = bytesUsed();
    const broken: GraphStep = {
      ...node(1, 2, (x) => x),
      lower([x], plan) {
        plan.step([x], () => {
          throw new Error('no step');
        });
        return [x!];
      },
    };
    const { plans, run } = make({ steps: [node(0, 1, (x) => x), broken], outputs: [2] }, 3);
    for (let k = 0; k < 3; k++) expect(() => run([floats(1)])).toThrow('no step');
    expect(bytesUsed()).toBe(before);
    plans.dispose();
  });
});
