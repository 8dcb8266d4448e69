import { ARITHMETIC } from './arithmetic.ts';
import { einsum } from './einsum.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { FILLS } from './fill.ts';
import { FUNCTIONS } from './functions.ts';
import { INSTANCES } from './instance.ts';
import { INTEGER_PRODUCTS } from './integer-products.ts';
import { LOGIC } from './logic.ts';
import { dynamicQuantizeLSTM, lstm } from './lstm.ts';
import { MASKS } from './masks.ts';
import type { Operator } from './node.ts';
import { ORDERS } from './order.ts';
import { pad } from './pad.ts';
import { POOLS } from './pool.ts';
import { PRODUCTS } from './products.ts';
import { QUANTIZED } from './quantize.ts';
import { REDUCTIONS } from './reduce.ts';
import { SCATTERS } from './scatter.ts';
import { SHAPES } from './shape.ts';
import { SLICES } from './slices.ts';

/** Only counts inputs and outputs: a plan runs the branches (graph.ts). */
const branch: Operator = {
  inputs: [1, 1],
  outputs: [1, Number.POSITIVE_INFINITY],
  prepare: (node) => node.wrongBecause('unsupported', 'an If is not run by a kernel', 'branches', 'a kernel'),
};

/** Every operator that is supported, by name. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>(
  [
    [
      ['LSTM', lstm],
      ['com.microsoft.DynamicQuantizeLSTM', dynamicQuantizeLSTM],
      ['If', branch],
      ['Pad', pad],
      ['Einsum', einsum],
    ] as const,
    PRODUCTS,
    INTEGER_PRODUCTS,
    QUANTIZED,
    POOLS,
    ARITHMETIC,
    ELEMENTWISE,
    FUNCTIONS,
    LOGIC,
    REDUCTIONS,
    INSTANCES,
    SHAPES,
    SLICES,
    SCATTERS,
    ORDERS,
    MASKS,
    FILLS,
  ].flat(),
);
