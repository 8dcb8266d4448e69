import { KINDS } from './activation-kinds.ts';
import type { CellOptions, Cells } from './cells.ts';
import { RareCells } from './rare.ts';
import { StandardCells } from './standard.ts';

/** The functions of PyTorch's cells. */
const FUNCTIONS = { LSTM: ['sigmoid', 'tanh', 'tanh'], GRU: ['sigmoid', 'tanh'], RNN: ['tanh'] } as const;

/** Tells whether a cell is PyTorch's, but for peepholes. */
export function isStandard({
  cell = 'LSTM',
  functions,
  clip,
  inputForget,
  resetAfter,
}: Pick<CellOptions, 'cell' | 'functions' | 'clip' | 'inputForget' | 'resetAfter'>): boolean {
  if (clip !== undefined || inputForget || (cell === 'GRU' && !resetAfter)) return false;
  const wanted = FUNCTIONS[cell];
  const first = functions[0]!.kind;
  // both directions of an nn.RNN have the same function
  if (cell === 'RNN' && first === KINDS.relu) return functions.every(({ kind }) => kind === first);
  return functions.every(({ kind }, i) => kind === KINDS[wanted[i % wanted.length]!]);
}

/** Makes a layer: PyTorch's cells run on the kernels of LSTM, GRU and RNN, every other cell on kernels of its own. */
export function makeCells(options: CellOptions): Cells {
  const hasPeepholes = options.directions.some(({ peepholes }) => peepholes);
  return !hasPeepholes && isStandard(options) ? new StandardCells(options) : new RareCells(options);
}
