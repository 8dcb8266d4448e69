import { wasm } from './wasm.ts';

/** A kind of recurrent cell, which determines the sizes, parameters, panels, states and kernels of a module. */
export interface CellKind {
  /** 4 minus the number of gates, and 4 more for each further kind with so many: in saved states and as `cell` in assembly/model.ts. */
  readonly code: number;
  /** The names of the gates, in the order in which PyTorch stacks them: each has H rows of a matrix. */
  readonly gates: readonly string[];
  /** The names of the states that go from step to step, in the order in which they lie in memory; the first is the output. */
  readonly states: readonly string[];
  /** Rows of sums of a row: 1, to which the recurrent product adds, or 2 if that has its own, and bias_hh is not added to bias_ih. */
  readonly sums: number;
  /** Runs layers `from` to `to` - 1: pointers of a Model and a Run, as lstm_run takes them. */
  run(model: number, run: number, from: number, to: number): void;
}

/** torch.nn.LSTM */
export const LSTM_CELL: CellKind = {
  code: 0,
  gates: ['i', 'f', 'g', 'o'],
  states: ['h', 'c'],
  sums: 1,
  run: (model, run, from, to) => wasm().lstm_run(model, run, from, to),
};

/** PyTorch's classes by the number of their gates. */
const CLASSES: Readonly<Record<number, string>> = { 4: 'LSTM', 3: 'GRU', 1: 'RNN' };

/** Names the class of a kind with so many gates, or if `cell` its class of one step; undefined if there is none. */
export function classOf(gates: number, cell?: unknown): string | undefined {
  const name = CLASSES[gates];
  return name && cell ? `${name}Cell` : name;
}
