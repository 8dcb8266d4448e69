import type { TensorLike } from '../base/tensor.ts';
import { type Activation, activation } from '../cells/activation-kinds.ts';
import type { Field } from './field.ts';
import type { AudioModelParts } from './model.ts';
import { checkChain, countRecurrent, densePlan, GATES, recurrentPlan, type StagePlan, type Unit } from './plans.ts';
import { readSampleRate } from './sample-rate.ts';
import { planStateDict } from './torch-dict.ts';

/** The reader of each type of layer. */
export const RTNEURAL_LAYERS: ReadonlyMap<string, (layer: Field, inputSize: number) => StagePlan> = new Map([
  ['lstm', (layer, inputSize) => planKerasRecurrent('lstm', layer, inputSize)],
  ['gru', (layer, inputSize) => planKerasRecurrent('gru', layer, inputSize)],
  ['dense', planKerasDense],
  ['time-distributed-dense', planKerasDense],
]);

/** Activations that an LSTM or GRU may name; each means the standard cell. */
export const RTNEURAL_RECURRENT_ACTIVATIONS = ['tanh', ''] as const;

/** Activations of a dense layer, as Keras names them; '' means linear. */
export const RTNEURAL_ACTIVATIONS: ReadonlyMap<string, Activation> = new Map<string, Activation>([
  ['', activation('linear')],
  ['linear', activation('linear')],
  ['tanh', activation('tanh')],
  ['sigmoid', activation('sigmoid')],
  ['relu', activation('relu')],
  ['softmax', activation('softmax')],
  ['elu', activation('elu', 1)],
]);

/**
 * Reads the JSON of RTNeural (https://github.com/jatinchowdhury18/RTNeural): layers in Keras's form, or the state dict of a
 * PyTorch module. Inputs after the first are knobs.
 */
export function readRTNeural(who: string, file: Field): AudioModelParts {
  const keras = file.has('layers') || file.has('in_shape');
  const plans = keras ? planLayers(file) : planStateDict(file);
  checkChain(plans);
  const skip = keras && file.has('in_skip') ? file.get('in_skip').oneOf([0, 1, false, true]) : false;
  const sampleRate = keras ? (readSampleRate(file, true) ?? readMetadata(file)) : undefined;
  return { who, sampleRate, stages: plans.map(({ parts }) => parts), skip: Boolean(skip) };
}

/** Reads the sample rate where AIDA-X has it: `metadata.samplerate`, digits in a string in its own files. */
function readMetadata(file: Field): number | undefined {
  return file.has('metadata') && file.get('metadata').isObject ? readSampleRate(file.get('metadata'), true) : undefined;
}

function planLayers(file: Field): StagePlan[] {
  let size = lastSize(file.get('in_shape'));
  const layers = file.get('layers');
  if (layers.length === 0) layers.refuse('wrong-length', 'layers', 'none');
  return layers.items().map((layer) => {
    const type = layer.get('type').oneOf([...RTNEURAL_LAYERS.keys()]);
    const plan = RTNEURAL_LAYERS.get(type)!(layer, size);
    size = plan.outputSize;
    return plan;
  });
}

/** Reads the last size of a shape `[null, null, size]`. */
function lastSize(shape: Field): number {
  if (shape.length === 0) shape.refuse('wrong-length', 'a shape', 'none');
  return shape.at(shape.length - 1).size();
}

/** Gives the arrays of a layer's `weights`, one for each name. */
function arrays(layer: Field, names: readonly string[]): Field[] {
  const weights = layer.get('weights');
  if (weights.length !== names.length) weights.refuse('wrong-length', names.join(', '), `${weights.length} arrays`);
  return weights.items();
}

/** Checks that a layer's `shape` agrees with the size of its weights. */
function checkShape(layer: Field, found: number): void {
  const declared = lastSize(layer.get('shape'));
  if (declared !== found) layer.get('shape').refuse('size-mismatch', `${found}, the size of the weights`, declared);
}

function planKerasRecurrent(unit: Unit, layer: Field, inputSize: number): StagePlan {
  if (layer.has('activation')) layer.get('activation').oneOf(RTNEURAL_RECURRENT_ACTIVATIONS);
  const [kernel, recurrent, bias] = arrays(layer, ['kernel', 'recurrent kernel', 'bias']) as [Field, Field, Field];
  const biases = unit === 'gru' ? biasesOfGru(bias) : [bias];
  const [first, second] = biases as [Field, Field?];
  const rows = first.length;
  const H = rows / GATES[unit];
  if (!Number.isInteger(H) || H < 1) first.refuse('wrong-length', `${GATES[unit]} numbers for each unit`, rows);
  checkShape(layer, H);
  const order = unit === 'gru' ? swapped : (values: Float32Array) => values;
  const stateDict = new Map<string, TensorLike>([
    ['weight_ih_l0', { data: order(transposed(kernel, inputSize, rows)), dims: [rows, inputSize] }],
    ['weight_hh_l0', { data: order(transposed(recurrent, H, rows)), dims: [rows, H] }],
    ['bias_ih_l0', { data: order(first.vector(rows)), dims: [rows] }],
    ['bias_hh_l0', { data: second ? order(second.vector(rows)) : new Float32Array(rows), dims: [rows] }],
  ]);
  countRecurrent(layer, unit, inputSize, H, 1);
  return recurrentPlan(layer, unit, stateDict);
}

/** Gives the rows of a GRU's bias, of the input and of h. With reset_after: false, another formula, it is one row of numbers. */
function biasesOfGru(bias: Field): Field[] {
  if (bias.length > 0 && typeof bias.at(0).value === 'number') {
    const note = ': with reset_after: false the reset gate comes before the product, which is not read';
    bias.refuse('unsupported', '2 rows of numbers, as reset_after: true has them', `${bias.length} numbers`, note);
  }
  bias.checkLength(2);
  return bias.items();
}

/** Puts the rows of gates z, r, n, Keras's order, into PyTorch's order r, z, n. */
function swapped(rows: Float32Array): Float32Array {
  const gate = rows.length / 3;
  const z = rows.slice(0, gate);
  rows.copyWithin(0, gate, 2 * gate);
  rows.set(z, gate);
  return rows;
}

function planKerasDense(layer: Field, inputSize: number): StagePlan {
  const name = layer.has('activation') ? layer.get('activation').oneOf([...RTNEURAL_ACTIVATIONS.keys()]) : '';
  const [kernel, bias] = arrays(layer, ['kernel', 'bias']) as [Field, Field];
  const outputSize = bias.length;
  if (outputSize < 1) bias.refuse('wrong-length', 'a number for each output', outputSize);
  checkShape(layer, outputSize);
  const weight = transposed(kernel, inputSize, outputSize);
  const values = bias.vector(outputSize);
  return densePlan(layer, weight, values, { activation: RTNEURAL_ACTIVATIONS.get(name) });
}

/** Transposes a matrix of Keras [rows][columns] to PyTorch's [columns][rows]. */
function transposed(field: Field, rows: number, columns: number): Float32Array {
  const matrix = field.matrix(rows, columns);
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = matrix[row * columns + column]!;
  }
  return result;
}
