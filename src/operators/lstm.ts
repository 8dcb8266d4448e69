import { makeCells } from '../cells/make-cells.ts';
import type { StandardCells } from '../cells/standard.ts';
import type { Value } from '../graph/value.ts';
import { dequantizeInputs } from './lstm-quantized.ts';
import { reportLSTM } from './lstm-report.ts';
import type { Lower, Operator, OperatorNode } from './node.ts';
import { packCells, planCells } from './recurrent.ts';
import { B, isRare, P, R, readCells, readSettings, type Settings, W } from './recurrent-settings.ts';

/**
 * LSTM, https://onnx.ai/onnx/operators/onnx__LSTM.html. What its text leaves open is as ONNX Runtime has it: clip does not bound
 * what h() is given, a sequence of length 0 has states of zeros, hidden_size is needed.
 */
export const lstm: Operator = { inputs: [3, 8], outputs: [0, 3], prepare: (node) => prepareLSTM(node, node.constants) };

/**
 * com.microsoft's: its weights keep their integers. ONNX Runtime rounds inputs and states to 8 bits, all of a batch with one scale;
 * here each row is rounded to 14 bits.
 */
export const dynamicQuantizeLSTM: Operator = {
  inputs: [3, 12],
  outputs: [0, 3],
  limits: 'weights that a run computes',
  prepare(node) {
    const dequantize = (inputs: readonly (Value | undefined)[]) => dequantizeInputs(node, inputs);
    const lower = prepareLSTM(node, dequantize(node.constants));
    // those that are not packed
    return (inputs, plan) => lower(inputs[W] ? dequantize(inputs) : inputs, plan);
  },
};

/** @param inputs the constant inputs of an LSTM, and perhaps the scales of its weights */
function prepareLSTM(node: OperatorNode, inputs: readonly (Value | undefined)[]): Lower {
  const settings = readSettings(node, 'LSTM');
  const constants = [...inputs];
  const isConstant = [W, R, B, P].every((i) => !node.present[i] || constants[i]);
  const inputSize = constants[W]?.dims[2] ?? 0;
  const make = () => makeCells(readCells(node, settings, constants));
  const cells = isConstant ? packCells(node, settings, inputSize, constants) : undefined;
  // the report below keeps make(), which is not needed any more
  if (cells) constants.length = 0;
  node.report = reportLSTM(
    node.name,
    node.constants,
    settings.reverse,
    settings.batchFirst,
    whyOther(node, settings, isConstant),
    () => {
      const used = (cells ?? make()) as StandardCells;
      try {
        return used.stateDict();
      } finally {
        if (!cells) used.dispose();
      }
    },
  );
  return planCells(node, settings, cells, inputSize);
}

/** Tells why the weights are not those of an nn.LSTM. */
function whyOther(node: OperatorNode, settings: Settings, isConstant: boolean): string | undefined {
  if (!isConstant) return 'its weights are not constants of the model';
  return isRare(node, settings) ? 'nn.LSTM has no peepholes, clip, input_forget or other activations' : undefined;
}
