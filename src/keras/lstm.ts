import { describe, formatDims, sameDims, wrongValue } from '../base/tensor.ts';
import type { Operator } from '../operators/node.ts';
import { reduceMean, reduceProd, reduceSum } from '../operators/reduce.ts';
import { intVector } from '../operators/value.ts';
import type { Config, Shape } from './config.ts';
import type { KeptState, KerasGraph, Tensor } from './graph.ts';
import { type LstmConfig, readCudnnConfig, readLstmConfig } from './lstm-config.ts';
import { type OnnxWeights, readCellWeights, toOnnx } from './lstm-weights.ts';
import type { Building, Dialect, LayerPlan, Part } from './plan.ts';
import { addRecurrence, outputShape } from './recurrence.ts';
import { refuse } from './refuse.ts';
import { checkOutput, checkRank, describeShape, lastSize } from './shapes.ts';

/** The layer of Keras 2 that ran on cuDNN only. */
const CUDNN = 'CuDNNLSTM';

/** Reads keras.layers.LSTM. Inputs: a sequence, and h and c if the model gives an initial state. */
export function readLstm(config: Config, name: string, dialect: Dialect): LayerPlan {
  return planLstm(readLstmConfig(config, name, dialect), name, { folder: 'cell' });
}

/** Reads tf.compat.v1.keras.layers.CuDNNLSTM: an LSTM with the default options, whose weights are its own, not a cell's. */
export function readCudnnLstm(config: Config, name: string, dialect: Dialect): LayerPlan {
  return planLstm(readCudnnConfig(config, name, dialect), name, { folder: '' });
}

/** An LSTM of one direction. */
function planLstm(options: LstmConfig, name: string, part: Part): LayerPlan {
  const kept: Kept = { states: undefined };
  return {
    inputs: [1, 3],
    outputs: options.returnState ? 3 : 1,
    build([sequence, ...given], building) {
      const { shape, mask, slot } = sequence!;
      const states = checkInputs(name, shape, given, [options.units]);
      const output = checkOutput(name, outputShape(shape, options, options.units));
      const initial = takeStates(building.graph, name, given, slot);
      const result = addLstm(name, options, part, sequence!, initial, building, kept);
      const outputs = [{ slot: result.slot, shape: output, mask: options.returnSequences ? mask : undefined }];
      if (!options.returnState) return outputs;
      return [...outputs, ...result.states.map((state, i) => ({ slot: state, shape: states[i]! }))];
    },
  };
}

/** Adds the steps of an LSTM of one direction. @returns slots of its output (B, T, H) or (B, H), and of h and c */
export function addLstm(
  name: string,
  config: LstmConfig,
  part: Part,
  sequence: Tensor,
  initial: readonly number[],
  building: Building,
  kept: Kept,
): { readonly slot: number; readonly states: readonly number[] } {
  const { graph } = building;
  const weights = readWeights(name, [config], [part], sequence.shape, building);
  const own = { name, config, second: undefined, weights, kept: keepStates(name, [config], graph, kept) };
  const { output, states } = addRecurrence(own, sequence, initial, building);
  const { units, returnSequences } = config;
  return { slot: graph.view(output, ([B, T]) => (returnSequences ? [B!, T!, units] : [B!, units])), states };
}

const MERGES: Readonly<Record<string, Operator | undefined>> = {
  concat: undefined,
  sum: reduceSum,
  mul: reduceProd,
  ave: reduceMean,
};
export const MERGE_MODES = ['concat', 'sum', 'mul', 'ave'];

/** Reads keras.layers.Bidirectional of an LSTM. Inputs: a sequence, and optionally h and c of both directions. */
export function readBidirectional(config: Config, name: string, dialect: Dialect): LayerPlan | undefined {
  const forward = readInner(config.get('layer'), name, dialect);
  const given = config.get('backward_layer');
  const other = given.given ? readInner(given, name, dialect) : forward;
  if (!forward || !other) return undefined;
  const backward = given.given ? other : { ...forward, goBackwards: !forward.goBackwards };
  const { value } = config.get('merge_mode');
  const mode = value === undefined ? 'concat' : (value as string);
  if (!MERGE_MODES.includes(mode)) dialect.unsupported(`merge_mode ${describe(value)} of ${name}`);
  for (const key of ['returnSequences', 'returnState', 'stateful', 'units'] as const) {
    if (forward[key] !== backward[key]) dialect.unsupported(`layers of ${name} that differ in ${key}`);
  }
  if (forward.goBackwards === backward.goBackwards) dialect.unsupported(`layers of ${name} that go the same way`);
  // Bidirectional of Keras sets zero_output_for_mask of both layers, that of TensorFlow.js does not
  const zeroMasked = dialect.tfjs ? false : forward.returnSequences;
  const [one, two] = [forward, backward].map((each) => ({ ...each, zeroMasked })) as [LstmConfig, LstmConfig];
  const cell = config.get('layer').get('class_name').value === CUDNN ? '' : '/cell';
  const parts: readonly Part[] = [
    { direction: 'forward', folder: `forward_layer${cell}` },
    { direction: 'backward', folder: `backward_layer${cell}` },
  ];
  const kept: Kept = { states: undefined };
  return {
    inputs: [1, 5],
    outputs: forward.returnState ? 5 : 1,
    build([sequence, ...states], building) {
      const { shape, mask } = sequence!;
      const { graph } = building;
      const { units, returnSequences } = one;
      const last = checkInputs(name, shape, states, [units, units]);
      const width = mode === 'concat' ? 2 * units : units;
      const output = checkOutput(name, outputShape(shape, one, width));
      const weights = readWeights(name, [one, two], parts, shape, building);
      const own = { name, config: one, second: two, weights, kept: keepStates(name, [one, two], graph, kept) };
      const result = addRecurrence(own, sequence!, takeStates(graph, name, states, sequence!.slot), building);
      const operator = MERGES[mode];
      const merged = operator
        ? graph.node(operator, [result.output, intVector([returnSequences ? 2 : 1])], { keepdims: 0 })
        : graph.view(result.output, (dims) => [...dims.slice(0, -2), 2 * units]);
      const outputs = [{ slot: merged, shape: output, mask: returnSequences ? mask : undefined }];
      if (!one.returnState) return outputs;
      return [...outputs, ...result.states.map((state, i) => ({ slot: state, shape: last[i]! }))];
    },
  };
}

function readInner(layer: Config, name: string, dialect: Dialect): LstmConfig | undefined {
  const className = layer.get('class_name').string();
  if (className === 'LSTM') return readLstmConfig(layer.get('config'), name, dialect);
  if (className === CUDNN) return readCudnnConfig(layer.get('config'), name, dialect);
  dialect.unsupported(`Bidirectional of ${className} (${name})`);
  return undefined;
}

/** The states that a layer keeps, once it is called. */
interface Kept {
  states: readonly KeptState[] | undefined;
}

function keepStates(name: string, options: readonly LstmConfig[], graph: KerasGraph, kept: Kept) {
  if (options[0]!.stateful) {
    kept.states ??= options.flatMap(({ units }) => [graph.keep(name, units), graph.keep(name, units)]);
  }
  return kept.states;
}

/** Reads the weights of each direction, once for all calls. */
function readWeights(
  name: string,
  options: readonly LstmConfig[],
  parts: readonly Part[],
  shape: Shape,
  { weights, graph }: Building,
): OnnxWeights {
  const size = lastSize(name, shape);
  const read = options.map((one, i) => readCellWeights(one, size, weights, parts[i]!));
  return weights.once(`LSTM ${parts[0]!.folder}`, () => {
    const made = toOnnx(read, options[0]!.units);
    graph.replace(read.flat(), [made.w, made.r, made.b]);
    return made;
  });
}

/** Checks the shapes of the sequence and the initial states, and gives the shapes of the last states. */
export function checkInputs(
  name: string,
  sequence: Shape,
  given: readonly Tensor[],
  units: readonly number[],
): Shape[] {
  checkRank(name, sequence, 3);
  const states = units.flatMap((size): Shape[] => [
    [sequence[0]!, size],
    [sequence[0]!, size],
  ]);
  for (const [i, { shape }] of given.entries()) {
    const size = states[i]![1]!;
    if (shape.length === 2 && shape[1] === size) continue;
    const [wanted, found] = [describeShape([null, size]), describeShape(shape)];
    refuse('wrong-shape', name, `an initial state of ${name}`, wanted, found);
  }
  return states;
}

/** Takes the initial states that a model gives: in a run there is one for each sample. */
export function takeStates(graph: KerasGraph, name: string, given: readonly Tensor[], sequence: number): number[] {
  return given.map(({ slot }, i) => {
    const check = (dims: readonly number[], [batch]: readonly number[]) => {
      const wanted = [batch!, dims[1]!];
      if (!sameDims(dims, wanted)) throw wrongValue(name, i % 2 ? 'c' : 'h', formatDims(wanted), dims);
      return dims;
    };
    return graph.view(slot, (dims, other) => check(dims, other!), [sequence]);
  });
}
