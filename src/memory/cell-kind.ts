/** A kind of recurrent cell, which determines the sizes, parameters, panels and states of a module. */
export interface CellKind {
  /** The names of the gates, in the order in which PyTorch stacks them: each has H rows of a matrix. */
  readonly gates: readonly string[];
  /** The names of the states that go from step to step, in the order in which they lie in memory; the first is the output. */
  readonly states: readonly string[];
}

/** torch.nn.LSTM */
export const LSTM_CELL: CellKind = { gates: ['i', 'f', 'g', 'o'], states: ['h', 'c'] };

/** Counts the rows of a matrix of gates of `hiddenSize` units. */
export function gateRows({ gates }: CellKind, hiddenSize: number): number {
  return gates.length * hiddenSize;
}
