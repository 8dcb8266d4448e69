import { describe, formatDims, sameDims, wrongValue } from '../base/tensor.ts';
import type { Operator } from '../operators/node.ts';
import { reduceMean, reduceProd, reduceSum } from '../operators/reduce.ts';
import { intVector } from '../operators/value.ts';
import type { Config, Shape } from './config.ts';
import type { KeptState, KerasGraph, Tensor } from './graph.ts';
import { type LstmConfig, readCudnnConfig, readLstmConfig } from './lstm-config.ts';
import { readCellWeights, toOnnx } from './lstm-weights.ts';
import type { Dialect, LayerPlan, LayerWeights, Part } from './plan.ts';
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
export function planLstm(options: LstmConfig, name: string, part: Part): LayerPlan {
  const shared = sharedParts(name, [options], [part]);
  return {
    inputs: [1, 3],
    outputs: options.returnState ? 3 : 1,
    build([sequence, ...given], building) {
      const { shape, mask } = sequence!;
      const { graph, weights } = building;
      const states = checkInputs(name, shape, given, [options.units]);
      const output = checkOutput(name, outputShape(shape, options, options.units));
      const own = { name, config: options, second: undefined, ...shared(shape, weights, graph) };
      const result = addRecurrence(own, sequence!, takeStates(graph, name, given, sequence!.slot), building);
      const { units, returnSequences } = options;
      const slot = graph.view(result.output, ([B, T]) => (returnSequences ? [B!, T!, units] : [B!, units]));
      const outputs = [{ slot, shape: output, mask: returnSequences ? mask : undefined }];
      if (!options.returnState) return outputs;
      return [...outputs, ...result.states.map((state, i) => ({ slot: state, shape: states[i]! }))];
    },
  };
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
  const shared = sharedParts(
    name,
    [one, two],
    [
      { direction: 'forward', folder: `forward_layer${cell}` },
      { direction: 'backward', folder: `backward_layer${cell}` },
    ],
  );
  return {
    inputs: [1, 5],
    outputs: forward.returnState ? 5 : 1,
    build([sequence, ...states], building) {
      const { shape, mask } = sequence!;
      const { graph, weights } = building;
      const { units, returnSequences } = one;
      const last = checkInputs(name, shape, states, [units, units]);
      const width = mode === 'concat' ? 2 * units : units;
      const output = checkOutput(name, outputShape(shape, one, width));
      const own = { name, config: one, second: two, ...shared(shape, weights, graph) };
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

/** What all calls of a layer share: its weights, read for the first, and the states that it keeps. */
function sharedParts(name: string, options: readonly LstmConfig[], parts: readonly Part[]) {
  let kept: readonly KeptState[] | undefined;
  return (shape: Shape, source: LayerWeights, graph: KerasGraph) => {
    const size = lastSize(name, shape);
    const read = options.map((one, i) => readCellWeights(one, size, source, parts[i]!));
    const weights = source.once('LSTM', () => {
      const made = toOnnx(read, options[0]!.units);
      graph.replace(read.flat(), [made.w, made.r, made.b]);
      return made;
    });
    if (options[0]!.stateful)
      kept ??= options.flatMap(({ units }) => [graph.keep(name, units), graph.keep(name, units)]);
    return { weights, kept };
  };
}

/** Checks the shapes of the sequence and the initial states, and gives the shapes of the last states. */
function checkInputs(name: string, sequence: Shape, given: readonly Tensor[], units: readonly number[]): Shape[] {
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
function takeStates(graph: KerasGraph, name: string, given: readonly Tensor[], sequence: number): number[] {
  return given.map(({ slot }, i) => {
    const check = (dims: readonly number[], [batch]: readonly number[]) => {
      const wanted = [batch!, dims[1]!];
      if (!sameDims(dims, wanted)) throw wrongValue(name, i % 2 ? 'c' : 'h', formatDims(wanted), dims);
      return dims;
    };
    return graph.view(slot, (dims, other) => check(dims, other!), [sequence]);
  });
}
