import { formatDims, sameDims } from '../base/tensor.ts';
import { type Activation, isStandard } from '../cells/activations.ts';
import type { CellOptions, Cells, PaddedBatch } from '../cells/cells.ts';
import { makeCells } from '../cells/make-cells.ts';
import { StandardCells } from '../cells/standard.ts';
import type { Builder } from '../graph/builder.ts';
import { strides } from '../graph/layout.ts';
import type { Value } from '../graph/value.ts';
import { FLOAT32 } from '../memory/abi.ts';
import { int8Form } from '../memory/int8.ts';
import { panelBytes } from '../memory/pack.ts';
import { readActivations } from './activations.ts';
import { dequantizeInputs } from './lstm-quantized.ts';
import { reportLSTM } from './lstm-report.ts';
import { runRows } from './lstm-rows.ts';
import { traceNode } from './lstm-trace.ts';
import type { Lower, Operator, OperatorNode } from './node.ts';
import { planSequence } from './sequence.ts';

/** The attributes of a node. */
interface Settings {
  readonly H: number;
  readonly D: number;
  readonly reverse: boolean;
  /** The batch comes first in X, Y and the states. */
  readonly batchFirst: boolean;
  readonly functions: readonly Activation[];
  readonly clip: number | undefined;
  readonly inputForget: boolean;
}

/** The cost of a row of a step besides its products, in multiplications. */
const ROW = 256;
/** Bytes counted for the objects of an LSTM. */
const OBJECTS = 4096;
/** The cost of a row in lists, in elements. */
const LISTED = 8;

const [X, W, R, B, LENGTHS, H0, C0, P, W_SCALES, R_SCALES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

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
  const settings = readSettings(node);
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
  return planLSTM(node, settings, cells, inputSize);
}

/** A number in words that tell both zeros apart. */
function sign(x: number): string {
  return Object.is(x, -0) ? '-0' : `${x}`;
}

/** Packs constant weights, once for all nodes that have them; undefined if the model holds too much already. */
function packCells(
  node: OperatorNode,
  settings: Settings,
  I: number,
  constants: readonly (Value | undefined)[],
): Cells | undefined {
  const { H, D, functions, clip, inputForget } = settings;
  const names = functions.map(({ kind, alpha, beta }) => `${kind} ${sign(alpha)} ${sign(beta)}`);
  const layout = `LSTM ${H} ${D} ${names} ${clip} ${inputForget}`;
  const form = isRare(node, settings) ? FLOAT32 : constants[W_SCALES] ? int8Form() : node.form;
  const bytes = D * (panelBytes(4 * H, I, form) + panelBytes(4 * H, H, form) + panelBytes(4 * H, 1) + 32 * H) + OBJECTS;
  return node.pack(node.present.length > P + 1 ? [W, R, B, P, 8, 9, 10, 11] : [W, R, B, P], layout, bytes, () => {
    const options = readCells(node, settings, constants);
    if (form === FLOAT32) return makeCells(options);
    node.checkFinite('W', constants[W] as Value<Float32Array>);
    node.checkFinite('R', constants[R] as Value<Float32Array>);
    return makeCells({ ...options, int8: true });
  });
}

/** Tells why the weights are not those of an nn.LSTM. */
function whyOther(node: OperatorNode, settings: Settings, isConstant: boolean): string | undefined {
  if (!isConstant) return 'its weights are not constants of the model';
  return isRare(node, settings) ? 'nn.LSTM has no peepholes, clip, input_forget or other activations' : undefined;
}

/** Whether the cell is another than PyTorch's. */
function isRare(node: OperatorNode, { functions, clip, inputForget }: Settings): boolean {
  return node.present[P] || clip !== undefined || inputForget || !isStandard(functions);
}

function readSettings(node: OperatorNode): Settings {
  const H = node.int('hidden_size', 0);
  if (!(H > 0 && H < 2 ** 24)) {
    node.wrongAttribute('hidden_size', 'a size above 0', H);
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
    H,
    D,
    reverse: direction === 'reverse',
    batchFirst: layout === 1,
    functions: readActivations(node, D),
    clip,
    inputForget: node.flag('input_forget'),
  };
}

function checkDims(node: OperatorNode, what: string, value: Value, dims: readonly number[]): Value<Float32Array> {
  const float = node.float32(what, value);
  if (!sameDims(value.dims, dims)) node.wrongShape(what, formatDims(dims), value.dims);
  return float;
}

/** The layer that the settings and weights of a node are. */
function readCells(node: OperatorNode, settings: Settings, inputs: readonly (Value | undefined)[]): CellOptions {
  const { H, D, functions, clip, inputForget } = settings;
  const w = inputs[W]!;
  const I = w.dims[2] ?? 0;
  if (w.dims.length !== 3 || I === 0) node.wrongShape('W', `[${D}, ${4 * H}, input_size]`, w.dims);
  const optional = (what: string, value: Value | undefined, size: number) =>
    value && checkDims(node, what, value, [D, size]).data;
  const ih = checkDims(node, 'W', w, [D, 4 * H, I]).data;
  const hh = checkDims(node, 'R', inputs[R]!, [D, 4 * H, H]).data;
  const bias = optional('B', inputs[B], 8 * H);
  const peepholes = optional('P', inputs[P], 3 * H);
  const [wScales, rScales] = [inputs[W_SCALES], inputs[R_SCALES]] as (Value<Float32Array> | undefined)[];
  const directions = Array.from({ length: D }, (_, d) => ({
    ih: reorder(ih, d, H * I),
    hh: reorder(hh, d, H * H),
    scales: wScales && rScales && ([reorder(wScales.data, d, H), reorder(rScales.data, d, H)] as const),
    bias: bias && ([reorder(bias, 2 * d, H), reorder(bias, 2 * d + 1, H)] as const),
    peepholes: peepholes?.slice(3 * d * H, 3 * (d + 1) * H),
  }));
  return { I, H, directions, functions, clip, inputForget };
}

/** Where blocks i, f, g, o of H rows are among ONNX's i, o, f, c. */
const ORDER = [0, 2, 3, 1];

/** The `d`-th four blocks of `size` numbers, in the order i, f, g, o. */
function reorder(values: Float32Array, d: number, size: number): Float32Array {
  const out = new Float32Array(4 * size);
  for (const [to, at] of ORDER.entries()) {
    const from = (4 * d + at) * size;
    out.set(values.subarray(from, from + size), to * size);
  }
  return out;
}

/** Inputs of a node, checked. X is [T][batch][I], states are [D][batch][H]. */
interface Sequences {
  readonly x: Value<Float32Array>;
  readonly T: number;
  readonly batch: number;
  readonly lengths: Value | undefined;
  readonly h0: Value<Float32Array> | undefined;
  readonly c0: Value<Float32Array> | undefined;
}

function planLSTM(node: OperatorNode, settings: Settings, constant: Cells | undefined, inputSize: number): Lower {
  const { H, D, batchFirst } = settings;
  return (inputs, plan) => {
    const I = constant ? inputSize : checkWeights(node, settings, inputs);
    const sequences = readSequences(node, settings, inputs, I, plan);
    const { T, batch } = sequences;
    // states are made and rows are listed even where there is no step
    plan.count((T + 2) * batch * D * H + LISTED * batch, node.path);
    plan.spend(T * batch * D * (4 * H * (I + H) + ROW), node.path);
    if (!constant) plan.spend(D * 4 * H * (I + H), node.path);
    const y = plan.buffer('float32', [T, batch, D, H]);
    const h = plan.buffer('float32', [D, batch, H]);
    const c = plan.buffer('float32', [D, batch, H]);
    const trace = traceNode(plan, node, [T, batch, H, D]);
    if (!trace && (T === 0 || batch === 0))
      plan.step([y, h, c], () => () => [y, h, c].forEach(({ data }) => void data.fill(0)));
    else if (!trace && constant instanceof StandardCells && isPlain(sequences)) {
      const { x, h0, c0 } = sequences;
      const turned = settings.reverse ? turnSteps(plan, x) : x;
      const out = settings.reverse ? plan.buffer('float32', y.dims) : y;
      planSequence(plan, constant, turned, h0, c0, out, h, c);
      if (settings.reverse) copySteps(plan, out, y);
    } else {
      // lengths may differ from run to run, and rare cells and traces run in JavaScript
      plan.step([...inputs, sequences.x, sequences.h0, sequences.c0, y, h, c], () => () => {
        const cells = constant ?? makeCells(readCells(node, settings, inputs));
        try {
          const values: Float32Array[] | undefined = trace && [];
          const states = runRows(cells, settings, readBatch(node, sequences), values);
          trace?.(values!);
          y.data.set(states.y);
          h.data.set(states.h);
          c.data.set(states.c);
        } finally {
          if (!constant) cells.dispose();
        }
      });
    }
    const state = (value: Value) => (batchFirst ? plan.permute(value, [1, 0, 2]) : value);
    return [plan.permute(y, batchFirst ? [1, 0, 2, 3] : [0, 2, 1, 3]), state(h), state(c)];
  };
}

/** Whether all sequences are known to be T long. */
function isPlain({ lengths, T }: Sequences): boolean {
  return !lengths || (lengths.known && lengths.data.every((length) => length === T));
}

/** Copies the steps of [T][...] in reverse order. */
function copySteps(plan: Builder, from: Value, to: Value): void {
  const steps = strides(from.dims);
  const [T = 0] = from.dims;
  plan.copy(from, (T - 1) * steps[0]!, steps.with(0, -steps[0]!), to);
}

function turnSteps(plan: Builder, x: Value<Float32Array>): Value<Float32Array> {
  const turned = plan.buffer('float32', x.dims);
  copySteps(plan, x, turned);
  return turned;
}

/** Checks weights that a run computes. @returns the size of the input */
function checkWeights(node: OperatorNode, { H, D }: Settings, inputs: readonly (Value | undefined)[]): number {
  const w = inputs[W]!;
  const I = w.dims[2] ?? 0;
  if (w.dims.length !== 3 || I === 0) node.wrongShape('W', `[${D}, ${4 * H}, input_size]`, w.dims);
  checkDims(node, 'W', w, [D, 4 * H, I]);
  checkDims(node, 'R', inputs[R]!, [D, 4 * H, H]);
  if (inputs[B]) checkDims(node, 'B', inputs[B], [D, 8 * H]);
  if (inputs[P]) checkDims(node, 'P', inputs[P], [D, 3 * H]);
  return I;
}

function readSequences(
  node: OperatorNode,
  { H, D, batchFirst }: Settings,
  inputs: readonly (Value | undefined)[],
  I: number,
  plan: Builder,
): Sequences {
  let x = node.float32('X', inputs[X]!);
  if (x.dims.length !== 3 || x.dims[2] !== I) {
    node.wrongShape('X', batchFirst ? `[batch, T, ${I}]` : `[T, batch, ${I}]`, x.dims);
  }
  if (batchFirst) x = plan.permute(x, [1, 0, 2]);
  const [T, batch] = x.dims as [number, number];
  const state = (what: string, value: Value | undefined): Value<Float32Array> | undefined => {
    if (!value) return undefined;
    if (!batchFirst) return checkDims(node, what, value, [D, batch, H]);
    return plan.permute(checkDims(node, what, value, [batch, D, H]), [1, 0, 2]);
  };
  const lengths = inputs[LENGTHS];
  if (lengths) {
    if (lengths.type !== 'int32') node.wrongType('sequence_lens', 'int32', lengths.type);
    if (!sameDims(lengths.dims, [batch])) node.wrongShape('sequence_lens', formatDims([batch]), lengths.dims);
    if (lengths.known) readLengths(node, lengths, T);
  }
  return { x, T, batch, lengths, h0: state('initial_h', inputs[H0]), c0: state('initial_c', inputs[C0]) };
}

/** Copies a batch out of linear memory, which may grow while it runs. */
function readBatch(node: OperatorNode, { x, T, batch, lengths, h0, c0 }: Sequences): PaddedBatch {
  return {
    x: x.data.slice(),
    T,
    batch,
    lengths: lengths && readLengths(node, lengths, T),
    h0: h0?.data.slice(),
    c0: c0?.data.slice(),
  };
}

/** undefined if all are T long */
function readLengths(node: OperatorNode, value: Value, T: number): readonly number[] | undefined {
  const lengths = Array.from(value.data as Int32Array);
  const wrong = lengths.find((length) => length < 0 || length > T);
  if (wrong !== undefined) {
    node.wrong('out-of-range', 'sequence_lens', `0 .. ${T}`, wrong);
  }
  return lengths.every((length) => length === T) ? undefined : lengths;
}
