import { describe } from '../base/tensor.ts';
import { checkShape } from '../nn/state.ts';
import type { Config, Shape } from './config.ts';
import { fromCudnn, isCudnn } from './cudnn.ts';
import type { Holding } from './holding.ts';
import type { Effort, Layer, MaskedTensor } from './layer.ts';
import { type LstmConfig, readCudnnConfig, readLstmConfig } from './lstm-config.ts';
import type { Dialect, LayerPlan, LayerWeights, Part } from './plan.ts';
import { Recurrence, reverseSteps, type State } from './recurrence.ts';
import { refuse } from './refuse.ts';
import { checkOutput, checkRank, describeShape, lastSize } from './shapes.ts';

/** The layer of Keras 2 that ran on cuDNN only. */
const CUDNN = 'CuDNNLSTM';

/** Reads keras.layers.LSTM. Inputs: a sequence, and h and c if the model gives an initial state. */
export function readLstm(config: Config, name: string, dialect: Dialect): LayerPlan {
  return planLstm(readLstmConfig(config, name, dialect), name, 'cell');
}

/** Reads tf.compat.v1.keras.layers.CuDNNLSTM: an LSTM with the default options, whose weights are its own, not a cell's. */
export function readCudnnLstm(config: Config, name: string, dialect: Dialect): LayerPlan {
  return planLstm(readCudnnConfig(config, name, dialect), name, '');
}

function planLstm(options: LstmConfig, name: string, folder: string): LayerPlan {
  return {
    inputs: [1, 3],
    outputs: options.returnState ? 3 : 1,
    build(shapes, weights, holding) {
      const states = checkInputs(name, shapes, [options.units]);
      const outputs = [outputShape(name, shapes[0]!, options, options.units), ...(options.returnState ? states : [])];
      const recurrence = makeRecurrence(name, options, shapes[0]!, weights, holding, { folder });
      return { layer: new LstmLayer(name, recurrence), outputs };
    },
  };
}

const MERGES = {
  concat: undefined,
  sum: (a: number, b: number) => a + b,
  mul: (a: number, b: number) => a * b,
  ave: (a: number, b: number) => (a + b) / 2,
};
export const MERGE_MODES = Object.keys(MERGES);

/** Reads keras.layers.Bidirectional of an LSTM. Inputs: a sequence, and optionally h and c of both directions. */
export function readBidirectional(config: Config, name: string, dialect: Dialect): LayerPlan | undefined {
  const forward = readInner(config.get('layer'), name, dialect);
  const given = config.get('backward_layer');
  const other = given.given ? readInner(given, name, dialect) : forward;
  if (!forward || !other) return undefined;
  const backward = given.given ? other : { ...forward, goBackwards: !forward.goBackwards };
  const { value } = config.get('merge_mode');
  const mode = value === undefined ? 'concat' : (value as keyof typeof MERGES);
  if (!MERGE_MODES.includes(mode)) dialect.unsupported(`merge_mode ${describe(value)} of ${name}`);
  for (const key of ['returnSequences', 'returnState', 'stateful', 'units'] as const) {
    if (forward[key] !== backward[key]) dialect.unsupported(`layers of ${name} that differ in ${key}`);
  }
  if (forward.goBackwards === backward.goBackwards) dialect.unsupported(`layers of ${name} that go the same way`);
  // Bidirectional of Keras sets zero_output_for_mask of both layers, that of TensorFlow.js does not
  const zeroMasked = dialect.tfjs ? false : forward.returnSequences;
  const options = [forward, backward].map((one) => ({ ...one, zeroMasked }));
  const cell = config.get('layer').get('class_name').value === CUDNN ? '' : '/cell';
  return {
    inputs: [1, 5],
    outputs: forward.returnState ? 5 : 1,
    build(shapes, weights, holding) {
      const states = checkInputs(name, shapes, [forward.units, backward.units]);
      const width = mode === 'concat' ? forward.units + backward.units : forward.units;
      const outputs = [outputShape(name, shapes[0]!, forward, width), ...(forward.returnState ? states : [])];
      const [one, two] = options as [LstmConfig, LstmConfig];
      const first = makeRecurrence(name, one, shapes[0]!, weights, holding, {
        direction: 'forward',
        folder: `forward_layer${cell}`,
      });
      try {
        const part: Part = { direction: 'backward', folder: `backward_layer${cell}` };
        const second = makeRecurrence(name, two, shapes[0]!, weights, holding, part);
        return { layer: new BidirectionalLayer(name, first, second, mode), outputs };
      } catch (error) {
        first.dispose();
        throw error;
      }
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

/** Checks the shapes of the sequence and the initial states, and gives the shapes of the last states. */
function checkInputs(name: string, [sequence, ...given]: readonly Shape[], units: readonly number[]): Shape[] {
  checkRank(name, sequence!, 3);
  const states = units.flatMap((size): Shape[] => [
    [sequence![0]!, size],
    [sequence![0]!, size],
  ]);
  for (const [i, shape] of given.entries()) {
    const size = states[i]![1]!;
    if (shape.length === 2 && shape[1] === size) continue;
    const [wanted, found] = [describeShape([null, size]), describeShape(shape)];
    refuse('wrong-shape', name, `an initial state of ${name}`, wanted, found);
  }
  return states;
}

function outputShape(name: string, [batch, steps]: Shape, { returnSequences }: LstmConfig, width: number): Shape {
  return checkOutput(name, returnSequences ? [batch!, steps!, width] : [batch!, width]);
}

function makeRecurrence(
  name: string,
  config: LstmConfig,
  input: Shape,
  weights: LayerWeights,
  holding: Holding,
  part: Part,
): Recurrence {
  const gates = 4 * config.units;
  const specs = [
    { name: 'kernel', dims: [lastSize(name, input), gates] },
    { name: 'recurrent_kernel', dims: [config.units, gates] },
    { name: 'bias', dims: [gates], otherDims: [2 * gates] },
  ];
  const values = weights.read(part, specs.slice(0, config.useBias ? 3 : 2));
  return new Recurrence(
    name,
    config,
    isCudnn(values, config.units) ? fromCudnn(values, config.units) : values,
    holding,
  );
}

/** Checks the initial h and c that a model gives. */
function readState(name: string, [h, c]: readonly MaskedTensor[], dims: readonly number[]): State | undefined {
  return h && { h: checkShape(name, 'h', h, dims), c: checkShape(name, 'c', c!, dims) };
}

/** Gives the sequence with the mask that applies to it. */
function maskFor(
  { masksWithState }: LstmConfig,
  input: MaskedTensor,
  states: readonly MaskedTensor[],
  masked: boolean,
): MaskedTensor {
  return states.length === 0 || masked || masksWithState ? input : { ...input, mask: undefined };
}

class LstmLayer implements Layer {
  private readonly _name: string;
  private readonly _recurrence: Recurrence;

  constructor(name: string, recurrence: Recurrence) {
    this._name = name;
    this._recurrence = recurrence;
  }

  effort([dims]: readonly (readonly number[])[]): Effort {
    return this._recurrence.effort(dims!);
  }

  run([input, ...given]: readonly MaskedTensor[], masked: boolean): MaskedTensor[] {
    const { config } = this._recurrence;
    const { units, returnSequences, returnState } = config;
    const [batch, steps] = input!.dims as [number, number];
    const dims = [batch, units];
    const x = maskFor(config, input!, given, masked);
    const { output, h, c } = this._recurrence.run(x, readState(this._name, given, dims));
    const value: MaskedTensor = returnSequences
      ? { data: output, dims: [batch, steps, units], mask: input!.mask }
      : { data: output, dims };
    return returnState ? [value, { data: h, dims }, { data: c, dims }] : [value];
  }

  resetStates(): void {
    this._recurrence.resetStates();
  }

  dispose(): void {
    this._recurrence.dispose();
  }
}

class BidirectionalLayer implements Layer {
  private readonly _name: string;
  private readonly _forward: Recurrence;
  private readonly _backward: Recurrence;
  private readonly _mode: keyof typeof MERGES;

  constructor(name: string, forward: Recurrence, backward: Recurrence, mode: keyof typeof MERGES) {
    this._name = name;
    this._forward = forward;
    this._backward = backward;
    this._mode = mode;
  }

  effort([dims]: readonly (readonly number[])[]): Effort {
    const [one, two] = [this._forward.effort(dims!), this._backward.effort(dims!)];
    return { made: 2 * (one.made + two.made), multiplied: one.multiplied + two.multiplied };
  }

  run([input, ...given]: readonly MaskedTensor[], masked: boolean): MaskedTensor[] {
    const { units, returnSequences, returnState } = this._forward.config;
    const [batch, steps] = input!.dims as [number, number];
    const dims = [batch, units];
    // both initial states are checked before one direction changes the state that it keeps
    const states = [given.slice(0, 2), given.slice(2)].map((pair) => readState(this._name, pair, dims));
    const x = maskFor(this._forward.config, input!, given, masked);
    const one = this._forward.run(x, states[0]);
    const two = this._backward.run(x, states[1]);
    const back = returnSequences ? reverseSteps(two.output, batch, steps) : two.output;
    const merge = MERGES[this._mode];
    const data = merge ? one.output.map((value, i) => merge(value, back[i]!)) : beside(one.output, back, units);
    const width = merge ? units : 2 * units;
    const value: MaskedTensor = returnSequences
      ? { data, dims: [batch, steps, width], mask: input!.mask }
      : { data, dims: [batch, width] };
    return returnState ? [value, ...[one.h, one.c, two.h, two.c].map((state) => ({ data: state, dims }))] : [value];
  }

  resetStates(): void {
    this._forward.resetStates();
    this._backward.resetStates();
  }

  dispose(): void {
    this._forward.dispose();
    this._backward.dispose();
  }
}

/** Joins the rows of `size` numbers of two arrays, side by side. */
function beside(a: Float32Array, b: Float32Array, size: number): Float32Array {
  const both = new Float32Array(2 * a.length);
  for (let at = 0; at < a.length; at += size) {
    both.set(a.subarray(at, at + size), 2 * at);
    both.set(b.subarray(at, at + size), 2 * at + size);
  }
  return both;
}
