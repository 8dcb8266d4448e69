/** A plain float64 LSTM, to be checked by eye against the formulas of torch.nn.LSTM. Nothing here is shared with src/. */

export type Matrix = { data: ArrayLike<number>; dims: readonly number[] };
export type Weights = ReadonlyMap<string, Matrix>;
export interface State {
  h: number[];
  c: number[];
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function multiply(matrix: Matrix, vector: ArrayLike<number>): number[] {
  const [rows, columns] = matrix.dims as [number, number];
  const result = new Array<number>(rows).fill(0);
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < columns; k++) result[r]! += matrix.data[r * columns + k]! * vector[k]!;
  }
  return result;
}

/** One step of one row; `suffix` such as `_l0_reverse`, or `` for a cell. */
export function step(weights: Weights, suffix: string, x: ArrayLike<number>, state: State): State {
  const H = state.c.length;
  const input = multiply(weights.get(`weight_ih${suffix}`)!, x);
  const recurrent = multiply(weights.get(`weight_hh${suffix}`)!, state.h);
  const inputBias = weights.get(`bias_ih${suffix}`)?.data;
  const recurrentBias = weights.get(`bias_hh${suffix}`)?.data;
  const gate = (block: number, unit: number) => {
    const row = block * H + unit;
    return input[row]! + recurrent[row]! + (inputBias?.[row] ?? 0) + (recurrentBias?.[row] ?? 0);
  };
  const c = state.c.map((old, j) => sigmoid(gate(1, j)) * old + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)));
  const h = c.map((value, j) => sigmoid(gate(3, j)) * Math.tanh(value));
  const projection = weights.get(`weight_hr${suffix}`);
  return { h: projection ? multiply(projection, h) : h, c };
}

/**
 * One sequence, unbatched: x [T][I]; states [L·D]. The last states come back in the same order.
 */
export function sequence(
  weights: Weights,
  numLayers: number,
  bidirectional: boolean,
  x: readonly ArrayLike<number>[],
  states: readonly State[],
): { output: number[][]; states: State[] } {
  let input: readonly ArrayLike<number>[] = x;
  const last: State[] = [];
  const directions = bidirectional ? 2 : 1;
  for (let layer = 0; layer < numLayers; layer++) {
    const outputs: number[][] = input.map(() => []);
    for (let direction = 0; direction < directions; direction++) {
      let state = states[layer * directions + direction]!;
      const order = [...input.keys()];
      if (direction === 1) order.reverse();
      for (const t of order) {
        state = step(weights, `_l${layer}${direction ? '_reverse' : ''}`, input[t]!, state);
        outputs[t]!.push(...state.h);
      }
      last.push(state);
    }
    input = outputs;
  }
  return { output: input as number[][], states: last };
}
