import type { Cells } from '../cells/cells.ts';
import { makeCells } from '../cells/make-cells.ts';
import { panelBytes } from '../memory/pack.ts';
import type { LstmConfig } from './lstm-config.ts';
import { transpose } from './matrix.ts';

/** Counts about the bytes of a cell in linear memory: its matrices, and its bias as it was loaded and as sums of gates. */
export function cellBytes(inputs: number, units: number): number {
  const gates = 4 * units;
  return panelBytes(gates, inputs) + panelBytes(gates, units) + 3 * panelBytes(gates, 1);
}

/**
 * Makes the cell of an LSTM.
 * @param weights kernel (I, 4H), recurrent kernel (H, 4H) and an optional bias (4H), with the gates i, f, c, o: PyTorch's i, f,
 * g, o
 */
export function makeCell(config: LstmConfig, [kernel, recurrent, bias]: readonly Float32Array[]): Cells {
  const { units, activation, recurrentActivation } = config;
  const gates = 4 * units;
  const I = kernel!.length / gates;
  return makeCells({
    I,
    H: units,
    directions: [
      {
        ih: transpose(kernel!, I, gates).data,
        hh: transpose(recurrent!, units, gates).data,
        bias: bias && [bias, new Float32Array(gates)],
      },
    ],
    functions: [recurrentActivation, activation, activation],
    batchFirst: true,
  });
}
