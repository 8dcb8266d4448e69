import { CELLS, type Cells } from '../cells/cells.ts';
import { makeCells } from '../cells/make-cells.ts';
import { StandardCells } from '../cells/standard.ts';
import type { Builder } from '../graph/builder.ts';
import { strides } from '../graph/layout.ts';
import type { Value } from '../graph/value.ts';
import { FLOAT32 } from '../memory/abi.ts';
import { int8Form } from '../memory/int8.ts';
import { panelBytes } from '../memory/pack.ts';
import { runRows } from './lstm-rows.ts';
import { traceNode } from './lstm-trace.ts';
import type { Lower, OperatorNode } from './node.ts';
import { isPlain, readBatch, readSequences } from './recurrent-sequences.ts';
import { B, checkWeights, isRare, P, R, readCells, type Settings, W, W_SCALES } from './recurrent-settings.ts';
import { planSequence } from './sequence.ts';

// The operators LSTM, GRU and RNN: one layer in one or two directions.

/** The cost of a row of a step besides its products, in multiplications. */
const ROW = 256;
/** Bytes counted for the objects of a layer. */
const OBJECTS = 4096;
/** The cost of a row in lists, in elements. */
const LISTED = 8;

/** A number in words that tell both zeros apart. */
function sign(x: number): string {
  return Object.is(x, -0) ? '-0' : `${x}`;
}

/** Packs constant weights, once for all nodes that have them; undefined if the model holds too much already. */
export function packCells(
  node: OperatorNode,
  settings: Settings,
  I: number,
  constants: readonly (Value | undefined)[],
): Cells | undefined {
  const { cell, H, D, functions, clip, inputForget, resetAfter } = settings;
  const G = CELLS[cell].gates;
  const names = functions.map(({ kind, alpha, beta }) => `${kind} ${sign(alpha)} ${sign(beta)}`);
  const layout = `${cell} ${H} ${D} ${names} ${clip} ${inputForget} ${resetAfter}`;
  const form = isRare(node, settings) ? FLOAT32 : constants[W_SCALES] ? int8Form() : node.form;
  // the gates of a rare GRU lie in panels of their own
  const isApart = cell === 'GRU' && isRare(node, settings);
  const panels = (K: number) => (isApart ? 3 * panelBytes(H, K, form) : panelBytes(G * H, K, form));
  const bytes = D * (panels(I) + panels(H) + (resetAfter ? 2 : 1) * panels(1) + 32 * H) + OBJECTS;
  return node.pack(node.present.length > P + 1 ? [W, R, B, P, 8, 9, 10, 11] : [W, R, B, P], layout, bytes, () => {
    const options = readCells(node, settings, constants);
    if (form === FLOAT32) return makeCells(options);
    node.checkFinite('W', constants[W] as Value<Float32Array>);
    node.checkFinite('R', constants[R] as Value<Float32Array>);
    return makeCells({ ...options, int8: true });
  });
}

/** @param inputSize that of `constant` */
export function planCells(
  node: OperatorNode,
  settings: Settings,
  constant: Cells | undefined,
  inputSize: number,
): Lower {
  const { cell, H, D, batchFirst } = settings;
  const G = CELLS[cell].gates;
  const isLSTM = cell === 'LSTM';
  return (inputs, plan) => {
    const I = constant ? inputSize : checkWeights(node, settings, inputs);
    const sequences = readSequences(node, settings, inputs, I, plan);
    const { T, batch } = sequences;
    // states are made and rows are listed even where there is no step
    plan.count((T + 2) * batch * D * H + LISTED * batch, node.path);
    plan.spend(T * batch * D * (G * H * (I + H) + ROW), node.path);
    if (!constant) plan.spend(D * G * H * (I + H), node.path);
    const y = plan.buffer('float32', [T, batch, D, H]);
    const h = plan.buffer('float32', [D, batch, H]);
    const c = plan.buffer('float32', [D, batch, isLSTM ? H : 0]);
    const trace = isLSTM ? traceNode(plan, node, [T, batch, H, D]) : undefined;
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
    const results = [plan.permute(y, batchFirst ? [1, 0, 2, 3] : [0, 2, 1, 3]), state(h)];
    return isLSTM ? [...results, state(c)] : results;
  };
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
