import type { TensorLike } from '../base/tensor.ts';
import type { Activation } from '../cells/activation-kinds.ts';
import type { LSTMState } from '../nn/state.ts';
import type { Field } from './field.ts';
import type { StageParts } from './stages.ts';

/** A stage that is not made yet; its weights were read and checked. */
export interface StagePlan {
  /** The place in the file that messages name. */
  readonly field: Field;
  readonly inputSize: number;
  readonly outputSize: number;
  /** The keys of its tensors in the state dict. */
  readonly keys: readonly string[];
  readonly parts: StageParts;
}

/** The most layers that an LSTM or GRU has. */
const MAX_LAYERS = 10_000;

/** Rows of the matrices for each unit. */
export const GATES = { lstm: 4, gru: 3 } as const;

/** A recurrent module by its kind in StageParts. */
export type Unit = keyof typeof GATES;

/** Bytes on the budget, measured: for an LSTM or GRU with its stream, for each layer of it, and for a linear layer. */
const RECURRENT_BYTES = 16_384;
const LAYER_BYTES = 6144;
const DENSE_BYTES = 4096;

/** Bytes of a matrix: the copy that the plan has, and the panels of 16 rows that it is packed into. */
function matrixBytes(rows: number, columns: number): number {
  return 4 * rows * columns + 64 * Math.ceil(rows / 16) * (columns + 1);
}

/** Counts what an LSTM or GRU takes that is about to be made, since a few characters of a file may stand for a layer. */
export function countRecurrent(field: Field, unit: Unit, inputSize: number, H: number, layers: number): void {
  if (layers > MAX_LAYERS) field.refuse('unsupported', `at most ${MAX_LAYERS} layers`, layers);
  const rows = GATES[unit] * H;
  const matrices = matrixBytes(rows, inputSize + H) + (layers - 1) * matrixBytes(rows, 2 * H);
  field.spend(RECURRENT_BYTES + layers * LAYER_BYTES + matrices);
}

/** Plans an LSTM or GRU, which countRecurrent() has counted. */
export function recurrentPlan(
  field: Field,
  unit: Unit,
  stateDict: ReadonlyMap<string, TensorLike>,
  keys: readonly string[] = [],
  start?: LSTMState,
): StagePlan {
  const [rows, inputSize] = stateDict.get('weight_ih_l0')!.dims as [number, number];
  return { field, inputSize, outputSize: rows / GATES[unit], keys, parts: { kind: unit, stateDict, start } };
}

/** Plans a linear layer, and counts what it takes. @param weight (outputs, inputs) */
export function densePlan(
  field: Field,
  weight: Float32Array,
  bias: Float32Array,
  options: { activation?: Activation | undefined; keys?: readonly string[] } = {},
): StagePlan {
  const inputSize = weight.length / bias.length;
  field.spend(DENSE_BYTES + matrixBytes(bias.length, inputSize));
  const parts: StageParts = { kind: 'dense', weight, bias, activation: options.activation };
  return { field, inputSize, outputSize: bias.length, keys: options.keys ?? [], parts };
}

/** Tells whether checkChain() accepts the stages. */
export function isChain(plans: readonly StagePlan[]): boolean {
  return plans.every((plan, i) => plan.outputSize === (plans[i + 1]?.inputSize ?? 1));
}

/** Checks that each stage has the inputs that the one before it gives, and the last one output. */
export function checkChain(plans: readonly StagePlan[]): void {
  let reached: number | undefined;
  for (const { field, inputSize, outputSize } of plans) {
    if (reached !== undefined && reached !== inputSize) {
      field.refuse('size-mismatch', `${reached} inputs, the outputs of the layer before it`, inputSize);
    }
    reached = outputSize;
  }
  if (reached !== 1) plans.at(-1)?.field.refuse('size-mismatch', '1 output, since it is the last', reached);
}
