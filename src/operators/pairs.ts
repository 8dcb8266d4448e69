import { formatDims } from '../base/tensor.ts';
import type { Builder } from '../graph/builder.ts';
import { broadcastDims, stretchedSteps, walk } from '../graph/layout.ts';
import type { ValueType } from '../graph/types.ts';
import type { Value } from '../graph/value.ts';
import type { OperatorNode } from './node.ts';

// Operators of two inputs, element by element, after they are stretched to the same dims by numpy's rules of broadcasting.

/** The dims that both stretch to. */
export function stretch(node: OperatorNode, a: readonly number[], b: readonly number[]): readonly number[] {
  const dims = broadcastDims(a, b);
  if (dims) return dims;
  const found = `${formatDims(a)} and ${formatDims(b)}`;
  return node.wrongBecause(
    'wrong-shape',
    `inputs expected dims that stretch to each other, got ${found}`,
    'such dims',
    found,
  );
}

/** Calls `visit` for each row along the last axis of `dims`: its place in the result, and start and step in both inputs. */
export function rows(
  a: readonly number[],
  b: readonly number[],
  dims: readonly number[],
  visit: (at: number, end: number, i: number, di: number, j: number, dj: number) => void,
): void {
  const x = stretchedSteps(a, dims);
  const y = stretchedSteps(b, dims);
  const length = dims.at(-1) ?? 1;
  let at = 0;
  walk(dims.slice(0, -1), [x, y], (i, j) => {
    visit(at, at + length, i, x.at(-1) ?? 0, j, y.at(-1) ?? 0);
    at += length;
  });
}

/** Applies a function to two values of any type, element by element. */
export function pairs(
  node: OperatorNode,
  a: Value,
  b: Value,
  type: ValueType,
  plan: Builder,
  apply: (x: never, y: never) => number | bigint | boolean,
): Value {
  const dims = stretch(node, a.dims, b.dims);
  const out = plan.make(type, dims, node.path);
  if (out.count === 0) return out;
  plan.step([a, b, out], () => () => {
    const data = out.data as unknown as (number | bigint | boolean)[];
    const x = a.data;
    const y = b.data;
    rows(a.dims, b.dims, dims, (at, end, i, di, j, dj) => {
      for (; at < end; at++, i += di, j += dj) data[at] = apply(x[i] as never, y[j] as never);
    });
  });
  return out;
}

/** Checks that two inputs have the same type, one of `types`. */
export function sameType(node: OperatorNode, a: Value, b: Value, types: readonly ValueType[]): void {
  if (!types.includes(a.type)) node.wrongType('input 0', types.join(', '), a.type);
  if (a.type !== b.type) node.wrongType('input 1', a.type, b.type);
}
