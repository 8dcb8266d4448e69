import { expect, test } from 'vitest';
import { type Graph, type GraphDraft, withLast } from '../../src/graph/graph.ts';

// Functions that call each other within branches lie some two hundred deep.

test('a step in branches in branches is looked at once, however deep it lies', () => {
  let looks = 0;
  const operands: number[] = [0];
  operands[Symbol.iterator] = () => {
    looks++;
    return [0].values();
  };
  const draft = (reads: number[], slot: number, branches: GraphDraft['branches']): GraphDraft => {
    return { place: { path: '' }, operands: reads, targets: [slot], lower: () => [], branches, repeat: undefined };
  };
  let graph: Graph = { steps: withLast([draft(operands, 1, undefined)], [1]), outputs: [1] };
  const first = looks;
  for (let slot = 2; slot < 100; slot++) {
    graph = { steps: withLast([draft([0], slot, [graph])], [slot]), outputs: [slot] };
  }
  expect(looks - first).toBe(1);
  // slots that the branches read of the graph around them are still known there
  const around = withLast([draft([], 0, undefined), draft([], 100, [graph]), draft([100], 101, undefined)], [101]);
  expect(around.map(({ last }) => last)).toEqual([[], [0], [100]]);
});
