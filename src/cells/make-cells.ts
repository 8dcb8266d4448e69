import { isStandard } from './activations.ts';
import type { CellOptions, Cells } from './cells.ts';
import { RareCells } from './rare.ts';
import { StandardCells } from './standard.ts';

/** Makes a layer: PyTorch's cell runs on the kernels of LSTM, every other cell on kernels of its own. */
export function makeCells(options: CellOptions): Cells {
  const { cell, directions, functions, clip, inputForget } = options;
  const rare =
    (cell && cell !== 'LSTM') || directions.some(({ peepholes }) => peepholes) || clip !== undefined || inputForget;
  return !rare && isStandard(functions) ? new StandardCells(options) : new RareCells(options);
}
