import type { TensorLike } from '../base/tensor.ts';
import type { Field } from './field.ts';
import { countRecurrent, densePlan, GATES, recurrentPlan, type StagePlan, type Unit } from './plans.ts';

/**
 * Reads the nn.LSTM or nn.GRU whose tensors a state dict has under `prefix`, and checks each of them.
 * @param wanted which of the two the file says it is; undefined: the weights tell
 */
export function planRecurrent(dict: Field, prefix: string, wanted?: Unit): StagePlan {
  const tensors = new Map<string, TensorLike>();
  const first = dict.get(`${prefix}weight_ih_l0`);
  const [rows, inputSize] = matrixDims(first);
  const unit = unitOf(dict, prefix, rows, wanted);
  const H = rows / GATES[unit];
  if (!Number.isInteger(H)) first.refuse('wrong-shape', `${GATES[unit]} rows for each unit`, `${rows} rows`);
  const keys: string[] = [];
  for (let layer = 0; dict.has(`${prefix}weight_ih_l${layer}`); layer++) {
    const field = (name: string) => {
      const key = `${prefix}${name}_l${layer}`;
      keys.push(key);
      return dict.get(key);
    };
    const I = layer === 0 ? inputSize : H;
    const bias = { dims: [rows] };
    tensors.set(`weight_ih_l${layer}`, { data: field('weight_ih').matrix(rows, I), dims: [rows, I] });
    tensors.set(`weight_hh_l${layer}`, { data: field('weight_hh').matrix(rows, H), dims: [rows, H] });
    tensors.set(`bias_ih_l${layer}`, { data: field('bias_ih').vector(rows), ...bias });
    tensors.set(`bias_hh_l${layer}`, { data: field('bias_hh').vector(rows), ...bias });
  }
  countRecurrent(first, unit, inputSize, H, keys.length / 4);
  return recurrentPlan(first, unit, tensors, keys);
}

/** Recurrent modules by the rows that their matrices have for each unit. */
const NAMES: Readonly<Record<number, string>> = { 4: 'an LSTM', 3: 'a GRU', 1: 'a plain RNN' };

/** Tells an nn.LSTM from an nn.GRU, whose tensors have the same names, by the recurrent matrix; refuses an nn.RNN. */
function unitOf(dict: Field, prefix: string, rows: number, wanted?: Unit): Unit {
  const key = `${prefix}weight_hh_l0`;
  if (!dict.has(key)) return wanted ?? 'lstm';
  const [recurrentRows, H] = matrixDims(dict.get(key));
  const gates = recurrentRows / H;
  // where the matrices differ, one of them is wrong, and its shape is the error
  const name = rows === recurrentRows ? NAMES[gates] : undefined;
  if (name && (wanted ? gates !== GATES[wanted] : gates === 1)) {
    const expected = wanted ? NAMES[GATES[wanted]] : 'an LSTM or GRU';
    const note = wanted ? ', which "unit_type" says it is' : '';
    dict.get(`${prefix}weight_ih_l0`).refuse('unsupported', `${expected}${note}`, name, gates === 1 ? RNN_NOTE : '');
  }
  return wanted ?? (gates === GATES.gru ? 'gru' : 'lstm');
}

const RNN_NOTE = ': only LSTMs and GRUs are read';

/** Reads the nn.Linear whose tensors a state dict has under `prefix`; a missing bias is zeros. */
export function planLinear(dict: Field, prefix: string): StagePlan {
  const keys = [`${prefix}weight`, `${prefix}bias`].filter((key, i) => i === 0 || dict.has(key));
  const field = dict.get(keys[0]!);
  const [outputSize, inputSize] = matrixDims(field);
  const weight = field.matrix(outputSize, inputSize);
  const bias = keys[1] === undefined ? new Float32Array(outputSize) : dict.get(keys[1]).vector(outputSize);
  return densePlan(field, weight, bias, { keys });
}

/** Checks that every tensor of a state dict belongs to one of `plans`. */
export function checkKeys(dict: Field, plans: readonly StagePlan[]): void {
  const known = new Set(plans.flatMap(({ keys }) => keys));
  const odd = dict.keys().find((key) => !known.has(key));
  if (odd !== undefined) dict.get(odd).refuse('unexpected-key', 'no such tensor', 'one');
}

/** Reads the shape of a matrix, by its first row. */
function matrixDims(field: Field): [rows: number, columns: number] {
  const rows = field.length;
  const columns = rows > 0 ? field.at(0).length : 0;
  if (columns === 0) field.refuse('wrong-shape', 'rows of numbers', `${rows} rows of ${columns}`);
  return [rows, columns];
}
