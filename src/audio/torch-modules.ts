import type { TensorLike } from '../base/tensor.ts';
import type { Field } from './field.ts';
import { countLstm, densePlan, lstmPlan, type StagePlan } from './plans.ts';

/** Reads the nn.LSTM whose tensors a state dict has under `prefix`, and checks each of them. */
export function planLstm(dict: Field, prefix: string): StagePlan {
  const tensors = new Map<string, TensorLike>();
  const first = dict.get(`${prefix}weight_ih_l0`);
  const [rows, inputSize] = matrixDims(first);
  checkUnit(dict, prefix, rows);
  const H = rows / 4;
  if (!Number.isInteger(H)) first.refuse('wrong-shape', '4 rows for each unit', `${rows} rows`);
  const keys: string[] = [];
  for (let layer = 0; dict.has(`${prefix}weight_ih_l${layer}`); layer++) {
    const field = (name: string) => {
      const key = `${prefix}${name}_l${layer}`;
      keys.push(key);
      return dict.get(key);
    };
    const I = layer === 0 ? inputSize : H;
    const bias = { dims: [4 * H] };
    tensors.set(`weight_ih_l${layer}`, { data: field('weight_ih').matrix(4 * H, I), dims: [4 * H, I] });
    tensors.set(`weight_hh_l${layer}`, { data: field('weight_hh').matrix(4 * H, H), dims: [4 * H, H] });
    tensors.set(`bias_ih_l${layer}`, { data: field('bias_ih').vector(4 * H), ...bias });
    tensors.set(`bias_hh_l${layer}`, { data: field('bias_hh').vector(4 * H), ...bias });
  }
  countLstm(first, inputSize, H, keys.length / 4);
  return lstmPlan(first, tensors, keys);
}

/** Rows for each unit in the weights of other recurrent modules than the LSTM. */
const OTHER_UNITS = [
  ['a GRU', 3],
  ['a plain RNN', 1],
] as const;

/** Refuses the tensors of an nn.GRU or nn.RNN, which have the names of an nn.LSTM's. */
function checkUnit(dict: Field, prefix: string, rows: number): void {
  const key = `${prefix}weight_hh_l0`;
  if (!dict.has(key)) return;
  const [recurrentRows, H] = matrixDims(dict.get(key));
  const [name] = OTHER_UNITS.find(([, gates]) => rows === gates * H && recurrentRows === rows) ?? [];
  if (name) dict.get(`${prefix}weight_ih_l0`).refuse('unsupported', 'an LSTM', name, ': only LSTMs are read');
}

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
