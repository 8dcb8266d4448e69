import { ELEMENTWISE } from './elementwise.ts';
import { lstm } from './lstm.ts';
import type { Operator } from './node.ts';
import { PRODUCTS } from './products.ts';
import { REDUCTIONS } from './reduce.ts';
import { SHAPES } from './shape.ts';

/** graph.ts runs the branches. */
const branch: Operator = {
  inputs: [1, 1],
  outputs: [1, Number.POSITIVE_INFINITY],
  prepare: (node) => node.refuse('unsupported', 'an If is not run by a kernel', 'branches', 'a kernel'),
};

/** Every operator that is supported, by name. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['LSTM', lstm],
  ['If', branch],
  ...PRODUCTS,
  ...ELEMENTWISE,
  ...REDUCTIONS,
  ...SHAPES,
]);
