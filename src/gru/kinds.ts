import { wrongValue } from '../base/tensor.ts';
import type { CellKind } from '../memory/cell-kind.ts';
import { gruKernels } from './kernels.ts';

// The cells of lstm-gru.wasm. Each has one state, h, and rows of its matrices keep their order in panels.

const run: CellKind['run'] = (model, call, from, to) => gruKernels().cells_run(model, call, from, to);

/** torch.nn.GRU. Its reset gate multiplies W_hn h + b_hn, so that recurrent sums and biases stay apart from those of the input. */
export const GRU_CELL: CellKind = {
  code: 1,
  gates: ['r', 'z', 'n'],
  states: ['h'],
  sums: 2,
  run,
};

/** torch.nn.RNN with tanh */
export const TANH_CELL: CellKind = {
  code: 3,
  gates: ['h'],
  states: ['h'],
  sums: 1,
  run,
};

/** torch.nn.RNN with relu */
export const RELU_CELL: CellKind = { ...TANH_CELL, code: 7 };

/** The function that makes h of the sums of an RNN. */
export type Nonlinearity = 'tanh' | 'relu';

/** The kind of an RNN. @throws RangeError if `nonlinearity` is another */
export function kindOf(who: string, nonlinearity: Nonlinearity): CellKind {
  if (nonlinearity === 'tanh') return TANH_CELL;
  if (nonlinearity === 'relu') return RELU_CELL;
  throw wrongValue(who, 'nonlinearity', '"tanh" or "relu"', nonlinearity);
}
