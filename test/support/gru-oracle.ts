import type { Matrix, Weights } from './oracle.ts';

/** A plain float64 GRU and RNN, to be checked by eye against the formulas of torch.nn.GRU and RNN. Nothing here is shared with src/. */

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** How numbers are computed: each operation rounded, and products summed from the first on or from the last. */
export interface Arithmetic {
  round(x: number): number;
  readonly order: 'first' | 'last';
}
const FLOAT64: Arithmetic = { round: (x) => x, order: 'first' };
/** float32 references: their error against float64 is what float32 costs. */
export const FLOAT32: readonly Arithmetic[] = (['first', 'last'] as const).map((order) => ({
  round: Math.fround,
  order,
}));

/** W x + b */
function affine(
  matrix: Matrix,
  bias: Matrix | undefined,
  x: ArrayLike<number>,
  { round, order }: Arithmetic,
): number[] {
  const [rows, columns] = matrix.dims as [number, number];
  return Array.from({ length: rows }, (_, r) => {
    let sum = bias?.data[r] ?? 0;
    for (let i = 0; i < columns; i++) {
      const k = order === 'first' ? i : columns - 1 - i;
      sum = round(sum + round(matrix.data[r * columns + k]! * x[k]!));
    }
    return sum;
  });
}

export type Cell = (
  weights: Weights,
  suffix: string,
  x: ArrayLike<number>,
  h: readonly number[],
  arithmetic?: Arithmetic,
) => number[];

function sums(weights: Weights, suffix: string, x: ArrayLike<number>, h: readonly number[], arithmetic: Arithmetic) {
  const of = (kind: string, vector: ArrayLike<number>) =>
    affine(weights.get(`weight_${kind}${suffix}`)!, weights.get(`bias_${kind}${suffix}`), vector, arithmetic);
  return [of('ih', x), of('hh', h)] as const;
}

/** Gates r, z and n of one step of one row; `suffix` such as `_l0_reverse`, or `` for a cell. */
export function gruGates(
  weights: Weights,
  suffix: string,
  x: ArrayLike<number>,
  h: readonly number[],
  arithmetic = FLOAT64,
): { r: number[]; z: number[]; n: number[] } {
  const H = h.length;
  const { round } = arithmetic;
  const [input, recurrent] = sums(weights, suffix, x, h, arithmetic);
  const gate = (block: number) =>
    h.map((_, j) => round(sigmoid(round(input[block * H + j]! + recurrent[block * H + j]!))));
  const [r, z] = [gate(0), gate(1)] as [number[], number[]];
  const n = h.map((_, j) => round(Math.tanh(round(input[2 * H + j]! + round(r[j]! * recurrent[2 * H + j]!)))));
  return { r, z, n };
}

/** h' = (1 - z) n + z h */
export const gru: Cell = (weights, suffix, x, h, arithmetic = FLOAT64) => {
  const { round } = arithmetic;
  const { z, n } = gruGates(weights, suffix, x, h, arithmetic);
  return h.map((old, j) => round(round(round(1 - z[j]!) * n[j]!) + round(z[j]! * old)));
};

/** h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or its relu */
export const rnn =
  (nonlinearity: 'tanh' | 'relu'): Cell =>
  (weights, suffix, x, h, arithmetic = FLOAT64) => {
    const [input, recurrent] = sums(weights, suffix, x, h, arithmetic);
    return input.map((sum, j) => {
      const z = arithmetic.round(sum + recurrent[j]!);
      return nonlinearity === 'tanh' ? arithmetic.round(Math.tanh(z)) : Math.max(z, 0);
    });
  };

/** One sequence, unbatched: x [T][I]; states [L·D][H]. The last states come back in the same order. */
export function sequenceOf(
  cell: Cell,
  weights: Weights,
  numLayers: number,
  bidirectional: boolean,
  x: readonly ArrayLike<number>[],
  states: readonly (readonly number[])[],
  arithmetic = FLOAT64,
): { output: number[][]; states: number[][] } {
  let input: readonly ArrayLike<number>[] = x;
  const last: number[][] = [];
  const directions = bidirectional ? 2 : 1;
  for (let layer = 0; layer < numLayers; layer++) {
    const outputs: number[][] = input.map(() => []);
    for (let direction = 0; direction < directions; direction++) {
      let h = [...states[layer * directions + direction]!];
      const order = [...input.keys()];
      if (direction === 1) order.reverse();
      for (const t of order) {
        h = cell(weights, `_l${layer}${direction ? '_reverse' : ''}`, input[t]!, h, arithmetic);
        outputs[t]!.push(...h);
      }
      last.push(h);
    }
    input = outputs;
  }
  return { output: input as number[][], states: last };
}
