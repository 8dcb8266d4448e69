import { formatDims, sameDims } from '../base/tensor.ts';
import type { Activation } from '../cells/activations.ts';
import { CELLS, type CellName, type CellOptions } from '../cells/cells.ts';
import { isStandard } from '../cells/make-cells.ts';
import type { Value } from '../graph/value.ts';
import { readActivations } from './activations.ts';
import type { OperatorNode } from './node.ts';

// Attributes and weights of recurrent nodes.

/** The inputs of a node; GRU and RNN have the first six. After those of LSTM come the scales of 8-bit weights. */
export const [X, W, R, B, LENGTHS, H0, C0, P, W_SCALES, R_SCALES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** The attributes of a node. */
export interface Settings {
  readonly cell: CellName;
  readonly H: number;
  readonly D: number;
  readonly reverse: boolean;
  /** The batch comes first in X, Y and the states. */
  readonly batchFirst: boolean;
  readonly functions: readonly Activation[];
  readonly clip: number | undefined;
  readonly inputForget: boolean;
  readonly resetAfter: boolean;
}

/** The activation functions of a direction, unless a node names others. */
const FUNCTIONS = { LSTM: ['Sigmoid', 'Tanh', 'Tanh'], GRU: ['Sigmoid', 'Tanh'], RNN: ['Tanh'] } as const;

/** Reads the attributes of a node. */
export function readSettings(node: OperatorNode, cell: CellName): Settings {
  const H = node.int('hidden_size', 0);
  if (!(H > 0 && H < 2 ** 24)) {
    node.wrongAttribute('hidden_size', 'a size from 1 to 16777215', H);
  }
  const direction = node.string('direction', 'forward');
  if (!['forward', 'reverse', 'bidirectional'].includes(direction)) {
    node.wrongAttribute('direction', 'forward, reverse or bidirectional', direction);
  }
  const layout = node.int('layout', 0);
  if (layout !== 0 && layout !== 1) {
    node.wrongAttribute('layout', '0 or 1', layout);
  }
  const clip = node.has('clip') ? node.float('clip', 0) : undefined;
  if (clip !== undefined && !(clip > 0)) {
    node.wrongAttribute('clip', 'a number above 0', clip);
  }
  const D = direction === 'bidirectional' ? 2 : 1;
  return {
    cell,
    H,
    D,
    reverse: direction === 'reverse',
    batchFirst: layout === 1,
    functions: readActivations(node, FUNCTIONS[cell], D),
    clip,
    inputForget: cell === 'LSTM' && node.flag('input_forget'),
    resetAfter: cell === 'GRU' && node.flag('linear_before_reset'),
  };
}

/** Whether the cell is another than PyTorch's. */
export function isRare(node: OperatorNode, settings: Settings): boolean {
  return Boolean(node.present[P]) || !isStandard(settings);
}

/** Checks a float32 input. */
export function checkDims(
  node: OperatorNode,
  what: string,
  value: Value,
  dims: readonly number[],
): Value<Float32Array> {
  const float = node.float32(what, value);
  if (!sameDims(value.dims, dims)) node.wrongShape(what, formatDims(dims), value.dims);
  return float;
}

/** Checks the rank of W. @returns the size of the input */
function sizeOfInput(node: OperatorNode, { cell, H, D }: Settings, { dims }: Value): number {
  const I = dims[2] ?? 0;
  if (dims.length !== 3 || I === 0) node.wrongShape('W', `[${D}, ${CELLS[cell].gates * H}, input_size]`, dims);
  return I;
}

/** The layer that the settings and weights of a node are. */
export function readCells(node: OperatorNode, settings: Settings, inputs: readonly (Value | undefined)[]): CellOptions {
  const { cell, H, D, functions, clip, inputForget, resetAfter } = settings;
  const G = CELLS[cell].gates;
  const w = inputs[W]!;
  const I = sizeOfInput(node, settings, w);
  const optional = (what: string, value: Value | undefined, size: number) =>
    value && checkDims(node, what, value, [D, size]).data;
  const ih = checkDims(node, 'W', w, [D, G * H, I]).data;
  const hh = checkDims(node, 'R', inputs[R]!, [D, G * H, H]).data;
  const bias = optional('B', inputs[B], 2 * G * H);
  const peepholes = optional('P', inputs[P], 3 * H);
  const [wScales, rScales] = [inputs[W_SCALES], inputs[R_SCALES]] as (Value<Float32Array> | undefined)[];
  const directions = Array.from({ length: D }, (_, d) => ({
    ih: reorder(cell, ih, d, H * I),
    hh: reorder(cell, hh, d, H * H),
    scales: wScales && rScales && ([reorder(cell, wScales.data, d, H), reorder(cell, rScales.data, d, H)] as const),
    bias: bias && ([reorder(cell, bias, 2 * d, H), reorder(cell, bias, 2 * d + 1, H)] as const),
    peepholes: peepholes?.slice(3 * d * H, 3 * (d + 1) * H),
  }));
  return { cell, I, H, directions, functions, clip, inputForget, resetAfter };
}

/** Where the blocks of H rows of PyTorch's gates, i, f, g, o or r, z, n, are among ONNX's, i, o, f, c or z, r, h. */
const ORDERS = { LSTM: [0, 2, 3, 1], GRU: [1, 0, 2], RNN: [0] } as const;

/** The `d`-th blocks of `size` numbers, one for each gate, in PyTorch's order. */
function reorder(cell: CellName, values: Float32Array, d: number, size: number): Float32Array {
  const order = ORDERS[cell];
  const out = new Float32Array(order.length * size);
  for (const [to, at] of order.entries()) {
    const from = (order.length * d + at) * size;
    out.set(values.subarray(from, from + size), to * size);
  }
  return out;
}

/** Checks weights that a run computes. @returns the size of the input */
export function checkWeights(node: OperatorNode, settings: Settings, inputs: readonly (Value | undefined)[]): number {
  const { cell, H, D } = settings;
  const G = CELLS[cell].gates;
  const [, w, r, b, , , , p] = inputs;
  const I = sizeOfInput(node, settings, w!);
  checkDims(node, 'W', w!, [D, G * H, I]);
  checkDims(node, 'R', r!, [D, G * H, H]);
  if (b) checkDims(node, 'B', b, [D, 2 * G * H]);
  if (p) checkDims(node, 'P', p, [D, 3 * H]);
  return I;
}
