import { describe, formatDims, sameDims, wrongValue } from '../base/tensor.ts';
import type { Operator } from '../operators/node.ts';
import { reduceMean, reduceProd, reduceSum } from '../operators/reduce.ts';
import { intVector } from '../operators/value.ts';
import type { Config, Shape } from './config.ts';
import type { KeptState, KerasGraph, Tensor } from './graph.ts';
import type { Building, Dialect, LayerPlan, LayerReader, Part } from './plan.ts';
import { addRecurrence, outputShape } from './recurrence.ts';
import { isCudnnClass, type RecurrentConfig, readRecurrentConfig, stateCount } from './recurrent-config.ts';
import { type OnnxWeights, readCellWeights, toOnnx } from './recurrent-weights.ts';
import { refuse } from './refuse.ts';
import { checkOutput, checkRank, describeShape, lastSize } from './shapes.ts';

/**
 * Reads keras.layers.LSTM, GRU or SimpleRNN, or those of Keras 2 that ran on cuDNN only: with the default options, and weights of their
 * own, not of a cell. Inputs: a sequence, and the states, h and c of an LSTM, if the model gives initial ones.
 */
export function readRecurrent(className: string): LayerReader {
  return (config, name, dialect) => {
    const options = readRecurrentConfig(className, config, name, dialect)!;
    return planLayer(options, name, { folder: isCudnnClass(className) ? '' : 'cell' });
  };
}

/** A layer of one direction. */
function planLayer(options: RecurrentConfig, name: string, part: Part): LayerPlan {
  const kept: Kept = { states: undefined };
  const count = stateCount(options);
  return {
    inputs: [1, 1 + count],
    outputs: options.returnState ? 1 + count : 1,
    build([sequence, ...given], building) {
      const { shape, mask, slot } = sequence!;
      const states = checkInputs(name, shape, given, [options]);
      const output = checkOutput(name, outputShape(shape, options, options.units));
      const initial = takeStates(building.graph, name, given, slot, [options]);
      const result = addLayer(name, options, part, sequence!, initial, building, kept);
      const outputs = [{ slot: result.slot, shape: output, mask: options.returnSequences ? mask : undefined }];
      if (!options.returnState) return outputs;
      return [...outputs, ...result.states.map((state, i) => ({ slot: state, shape: states[i]! }))];
    },
  };
}

/** Adds the steps of a layer of one direction. @returns slots of its output (B, T, H) or (B, H), and of its states */
export function addLayer(
  name: string,
  config: RecurrentConfig,
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

/** Reads keras.layers.Bidirectional of such a layer. Inputs: a sequence, and optionally the states of both directions. */
export function readBidirectional(config: Config, name: string, dialect: Dialect): LayerPlan | undefined {
  const forward = readInner(config.get('layer'), name, dialect);
  const given = config.get('backward_layer');
  const other = given.given ? readInner(given, name, dialect) : forward;
  if (!forward || !other) return undefined;
  const backward = given.given ? other : { ...forward, goBackwards: !forward.goBackwards };
  const { value } = config.get('merge_mode');
  const mode = value === undefined ? 'concat' : (value as string);
  if (!MERGE_MODES.includes(mode)) dialect.unsupported(`merge_mode ${describe(value)} of ${name}`);
  for (const key of ['cell', 'returnSequences', 'returnState', 'stateful', 'units', 'resetAfter'] as const) {
    if (forward[key] !== backward[key]) dialect.unsupported(`layers of ${name} that differ in ${key}`);
  }
  if (forward.goBackwards === backward.goBackwards) dialect.unsupported(`layers of ${name} that go the same way`);
  // Bidirectional of Keras sets zero_output_for_mask of both layers, that of TensorFlow.js does not
  const zeroMasked = dialect.tfjs ? false : forward.returnSequences;
  const [one, two] = [forward, backward].map((each) => ({ ...each, zeroMasked })) as [RecurrentConfig, RecurrentConfig];
  const cell = isCudnnClass(config.get('layer').get('class_name').string()) ? '' : '/cell';
  const parts: readonly Part[] = [
    { direction: 'forward', folder: `forward_layer${cell}` },
    { direction: 'backward', folder: `backward_layer${cell}` },
  ];
  const kept: Kept = { states: undefined };
  const count = stateCount(one);
  return {
    inputs: [1, 1 + 2 * count],
    outputs: forward.returnState ? 1 + 2 * count : 1,
    build([sequence, ...states], building) {
      const { shape, mask } = sequence!;
      const { graph } = building;
      const { units, returnSequences } = one;
      const last = checkInputs(name, shape, states, [one, two]);
      const width = mode === 'concat' ? 2 * units : units;
      const output = checkOutput(name, outputShape(shape, one, width));
      const weights = readWeights(name, [one, two], parts, shape, building);
      const own = { name, config: one, second: two, weights, kept: keepStates(name, [one, two], graph, kept) };
      const result = addRecurrence(
        own,
        sequence!,
        takeStates(graph, name, states, sequence!.slot, [one, two]),
        building,
      );
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

function readInner(layer: Config, name: string, dialect: Dialect): RecurrentConfig | undefined {
  const className = layer.get('class_name').string();
  const options = readRecurrentConfig(className, layer.get('config'), name, dialect);
  if (!options) dialect.unsupported(`Bidirectional of ${className} (${name})`);
  return options;
}

/** The states that a layer keeps, once it is called. */
interface Kept {
  states: readonly KeptState[] | undefined;
}

function keepStates(name: string, options: readonly RecurrentConfig[], graph: KerasGraph, kept: Kept) {
  if (options[0]!.stateful) {
    kept.states ??= options.flatMap((one) =>
      Array.from({ length: stateCount(one) }, () => graph.keep(name, one.units)),
    );
  }
  return kept.states;
}

/** Reads the weights of each direction, once for all calls. */
function readWeights(
  name: string,
  options: readonly RecurrentConfig[],
  parts: readonly Part[],
  shape: Shape,
  { weights, graph }: Building,
): OnnxWeights {
  const size = lastSize(name, shape);
  const read = options.map((one, i) => readCellWeights(one, size, weights, parts[i]!));
  return weights.once(`recurrent ${parts[0]!.folder}`, () => {
    const made = toOnnx(options[0]!, read);
    graph.replace(read.flat(), [made.w, made.r, made.b]);
    return made;
  });
}

/** Checks the shapes of the sequence and the initial states, and gives the shapes of the last states. */
export function checkInputs(
  name: string,
  sequence: Shape,
  given: readonly Tensor[],
  layers: readonly Pick<RecurrentConfig, 'cell' | 'units'>[],
): Shape[] {
  checkRank(name, sequence, 3);
  const states = layers.flatMap((one) =>
    Array.from({ length: stateCount(one) }, (): Shape => [sequence[0]!, one.units]),
  );
  for (const [i, { shape }] of given.entries()) {
    const size = states[i]![1]!;
    if (shape.length === 2 && shape[1] === size) continue;
    const [wanted, found] = [describeShape([null, size]), describeShape(shape)];
    refuse('wrong-shape', name, `an initial state of ${name}`, wanted, found);
  }
  return states;
}

/**
 * Takes the initial states that a model gives: in a run there is one for each sample.
 * @param cells the cells whose states they are, in this order
 */
export function takeStates(
  graph: KerasGraph,
  name: string,
  given: readonly Tensor[],
  sequence: number,
  cells: readonly Pick<RecurrentConfig, 'cell'>[],
): number[] {
  const names = cells.flatMap(({ cell }) => (cell === 'LSTM' ? ['h', 'c'] : ['h']));
  return given.map(({ slot }, i) => {
    const check = (dims: readonly number[], [batch]: readonly number[]) => {
      const wanted = [batch!, dims[1]!];
      if (!sameDims(dims, wanted)) throw wrongValue(name, names[i]!, formatDims(wanted), dims);
      return dims;
    };
    return graph.view(slot, (dims, other) => check(dims, other!), [sequence]);
  });
}
