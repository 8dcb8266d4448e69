import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { OperatorNode } from './node.ts';

/** Reads a list of integers: an attribute before operator set `asInput`, from then on input `index`; undefined if left out. */
export function integersOf(
  node: OperatorNode,
  name: string,
  index: number,
  asInput: number,
): (inputs: readonly (Value | undefined)[], plan: Builder) => number[] | undefined {
  if (node.opset < asInput) {
    const list = node.ints(name);
    return () => list;
  }
  return (inputs, plan) => inputs[index] && node.integers(name, inputs[index], plan);
}

/** Checks the sizes that a node asks for in its result. */
export function checkSizes(node: OperatorNode, what: string, sizes: readonly number[]): readonly number[] {
  const wrong = sizes.find((size) => !(size >= 0 && size < 2 ** 31));
  if (wrong === undefined) return sizes;
  return node.wrong('out-of-range', what, '0 .. 2^31 - 1', wrong);
}
