/** A kind of recurrent cell. Sizes, parameters, panels and states of a module follow from it. */
export interface CellKind {
  /** Gates by name, in the order in which PyTorch stacks them: each has H rows of a matrix. */
  readonly gates: readonly string[];
  /** States that go from step to step, in the order in which they lie in memory; the first is the output. */
  readonly states: readonly string[];
}

/** torch.nn.LSTM */
export const LSTM_CELL: CellKind = { gates: ['i', 'f', 'g', 'o'], states: ['h', 'c'] };

/** Rows of a matrix of gates of `hiddenSize` units. */
export function gateRows({ gates }: CellKind, hiddenSize: number): number {
  return gates.length * hiddenSize;
}
