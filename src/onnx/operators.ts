import { lstm } from './lstm.ts';
import type { Operator } from './node.ts';

/** Every operator that is supported, by name; If is done in graph.ts. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([['LSTM', lstm]]);
