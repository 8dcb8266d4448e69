import { ARITHMETIC } from './arithmetic.ts';
import { einsum } from './einsum.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { FILLS } from './fill.ts';
import { FUNCTIONS } from './functions.ts';
import { gru, rnn } from './gru.ts';
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

/** Only counts inputs and outputs: a plan runs the graphs of the node (src/graph/segment.ts). */
const graphs = (inputs: Operator['inputs'], since?: number): Operator => ({
  inputs,
  outputs: [1, Number.POSITIVE_INFINITY],
  ...(since && { since }),
  prepare: (node) => node.wrongBecause('unsupported', 'its graphs are not run by a kernel', 'graphs', 'a kernel'),
});

/** Any number of inputs, of which some may be left out. */
const MANY = 2 ** 31;

/** Every operator that is supported, by name. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>(
  [
    [
      ['LSTM', lstm],
      ['GRU', gru],
      ['RNN', rnn],
      ['com.microsoft.DynamicQuantizeLSTM', dynamicQuantizeLSTM],
      ['If', graphs([1, 1])],
      ['Loop', graphs([0, MANY])],
      ['Scan', graphs([1, MANY], 9)],
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
