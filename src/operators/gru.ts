import type { CellName } from '../cells/cells.ts';
import type { Operator } from './node.ts';
import { packCells, planCells } from './recurrent.ts';
import { B, R, readSettings, W } from './recurrent-settings.ts';

function recurrent(cell: CellName): Operator {
  return {
    inputs: [3, 6],
    outputs: [0, 2],
    prepare(node) {
      const settings = readSettings(node, cell);
      const { constants, present } = node;
      const I = constants[W]?.dims[2] ?? 0;
      const isConstant = [W, R, B].every((i) => !present[i] || constants[i]);
      return planCells(node, settings, isConstant ? packCells(node, settings, I, [...constants]) : undefined, I);
    },
  };
}

/** GRU, https://onnx.ai/onnx/operators/onnx__GRU.html; what its text leaves open is as with LSTM. */
export const gru: Operator = recurrent('GRU');

/** RNN, https://onnx.ai/onnx/operators/onnx__RNN.html; what its text leaves open is as with LSTM. */
export const rnn: Operator = recurrent('RNN');
