import { ModelError, type StateDict, type TensorLike } from '../../index.ts';
import {
  type KerasFile,
  type KerasInput,
  type KerasLayer,
  type KerasModel,
  type KerasSource,
  loadKeras,
  parseKeras,
  readKerasWeights,
} from '../../keras.ts';
import { CliError, messageOf } from '../errors.ts';
import type { AnyValue, Chain, FoundLstm, Head, Model, Problem, Tracer } from '../model.ts';
import { formatCount, formatDims } from '../text.ts';
import { bytesTaken, canActivate } from './lstm-runner.ts';

const LSTMS = ['LSTM', 'CuDNNLSTM'];

/** Layers that are not there when a model runs. */
const PASSING = new Set(
  'InputLayer Dropout SpatialDropout1D SpatialDropout2D GaussianNoise GaussianDropout AlphaDropout ActivityRegularization'.split(
    ' ',
  ),
);

/** Makes a Model of a file of Keras. */
export function kerasModel(format: string, source: KerasSource): Model {
  const file = parseKeras(source);
  let model: KerasModel | undefined;
  let problem: Problem | undefined;
  try {
    model = loadKeras(source);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    problem = { message: messageOf(error), isBad: error.code !== 'unsupported', error };
  }
  const isTfjs = file.version.startsWith('tfjs');
  const lstms = file.layers.flatMap((layer) => (isLstm(layer) ? [describeLstm(layer, isTfjs)] : []));
  const parameters = file.layers.map(({ weights }) =>
    [...weights.values()].reduce((sum, { data }) => sum + data.length, 0),
  );
  const ports = (title: string, list: KerasModel['inputs']) => ({
    title,
    columns: [{ title: 'name' }, { title: 'shape' }],
    rows: list.map(({ name, dims }) => [name, formatDims(dims)]),
  });
  return {
    format,
    facts: [['written by', file.version ? (isTfjs ? file.version : `Keras ${file.version}`) : 'the file does not say']],
    listings: [
      ...(model ? [ports('Inputs', model.inputs), ports('Outputs', model.outputs)] : []),
      {
        title: 'Layers',
        columns: [{ title: 'name' }, { title: 'layer' }, { title: 'weights' }, { title: 'parameters', right: true }],
        rows: file.layers.map(({ name, className, weights }, i) => {
          const shapes = [...weights.values()].map(({ dims }) => formatDims(dims)).join(' ');
          return [name, className, shapes || '-', formatCount(parameters[i]!)];
        }),
      },
    ],
    details: {
      version: file.version,
      inputs: model?.inputs,
      outputs: model?.outputs,
      layers: file.layers.map(({ name, className, weights }) => ({
        name,
        layer: className,
        weights: Object.fromEntries([...weights].map(([weight, { dims }]) => [weight, dims])),
      })),
    },
    lstms,
    parameters: parameters.reduce((a, b) => a + b, 0),
    problem,
    memory: () => bytesTaken(() => loadKeras(source)),
    runner: ({ int8, lstm, head }) => {
      if (int8) throw new CliError('8-bit weights are for LSTM layers and ONNX: convert the model with --int8 first');
      if (lstm ?? head)
        throw new CliError('--lstm and --head are for state dicts: a Keras file says itself how it runs');
      return kerasRunner(loadKeras(source));
    },
    tracer: problem ? undefined : () => kerasRunner(loadKeras(source)),
    chain: async () => {
      if (problem) throw new CliError(problem.message);
      return kerasChain(file, lstms, model!);
    },
  };
}

/** Makes a Model of an .h5 file that has weights without an architecture. */
export function kerasWeightsModel(bytes: Uint8Array<ArrayBuffer>): Model {
  const weights = readKerasWeights(bytes);
  const message =
    'it has weights alone: give the architecture, which model.to_json() writes, and this file as --weights';
  const refuse = () => {
    throw new CliError(message);
  };
  return {
    format: 'weights of Keras (HDF5)',
    facts: [],
    listings: [
      {
        title: 'Weights',
        columns: [{ title: 'name' }, { title: 'shape' }],
        rows: [...weights].map(([name, { dims }]) => [name, formatDims(dims)]),
      },
    ],
    details: { tensors: [...weights].map(([name, { dims }]) => ({ name, type: 'F32', dims })) },
    lstms: [],
    parameters: [...weights.values()].reduce((sum, { data }) => sum + data.length, 0),
    problem: { message, isBad: false },
    memory: () => 0,
    runner: refuse,
    chain: refuse,
  };
}

function isLstm({ className, config }: KerasLayer): boolean {
  return (
    LSTMS.includes(className) || (className === 'Bidirectional' && LSTMS.includes(String(inner(config).class_name)))
  );
}

function inner(config: KerasLayer['config']): Record<string, unknown> {
  return Object(config.layer ?? {}) as Record<string, unknown>;
}

const SHOWN = [
  'units',
  'activation',
  'recurrent_activation',
  'use_bias',
  'return_sequences',
  'return_state',
  'go_backwards',
  'stateful',
];

function describeLstm({ name, className, config, weights }: KerasLayer, isTfjs: boolean): FoundLstm {
  const both = className === 'Bidirectional';
  const own = both ? (Object(inner(config).config) as KerasLayer['config']) : config;
  const isCudnn = className === 'CuDNNLSTM' || inner(config).class_name === 'CuDNNLSTM';
  const options: Record<string, string | number | boolean> = both
    ? { bidirectional: String(config.merge_mode ?? 'concat') }
    : {};
  for (const key of SHOWN) {
    const value = own[key];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') options[key] = value;
  }
  const why = whyNoTorch(config, own, both, isCudnn, isTfjs, weights);
  return { name, options, why, weights: why === undefined ? torchWeights(weights, both) : undefined };
}

/** Tells why no nn.LSTM computes the same. */
function whyNoTorch(
  config: KerasLayer['config'],
  own: KerasLayer['config'],
  both: boolean,
  isCudnn: boolean,
  isTfjs: boolean,
  weights: KerasLayer['weights'],
): string | undefined {
  const [activation = 'tanh', gates = isTfjs ? 'hard_sigmoid' : 'sigmoid'] = [own.activation, own.recurrent_activation];
  if (!isCudnn && activation !== 'tanh')
    return `nn.LSTM has the activation tanh, this layer ${JSON.stringify(activation)}`;
  if (!isCudnn && gates !== 'sigmoid') return `nn.LSTM has sigmoid gates, this layer ${JSON.stringify(gates)}`;
  if (own.go_backwards) return 'nn.LSTM has no layer that only goes backwards';
  if (both && (config.merge_mode ?? 'concat') !== 'concat')
    return `nn.LSTM joins directions, this layer has merge_mode ${JSON.stringify(config.merge_mode)}`;
  if (both && config.backward_layer && weightsOf(weights, 'backward/').size === 0)
    return 'its backward layer was not read';
  for (const [name, { dims }] of weights) {
    if (name.endsWith('bias') && dims[0] !== weights.get(name.replace('bias', 'kernel'))?.dims[1])
      return 'its weights are in the layout of cuDNN';
  }
  return weights.size === 0 ? 'its weights were not read' : undefined;
}

function weightsOf(weights: KerasLayer['weights'], prefix: string): Map<string, TensorLike> {
  return new Map(
    [...weights].flatMap(([name, tensor]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [])),
  );
}

/** Weights of Keras in PyTorch's names and layout: the gates have one order, matrices are transposed, the one bias is bias_ih. */
function torchWeights(weights: KerasLayer['weights'], both: boolean): StateDict {
  const all = new Map<string, TensorLike>();
  const directions = both ? [['forward/', ''] as const, ['backward/', '_reverse'] as const] : [['', ''] as const];
  for (const [prefix, suffix] of directions) {
    const own = weightsOf(weights, prefix);
    all.set(`weight_ih_l0${suffix}`, transposed(own.get('kernel')!));
    all.set(`weight_hh_l0${suffix}`, transposed(own.get('recurrent_kernel')!));
    const bias = own.get('bias');
    if (!bias) continue;
    all.set(`bias_ih_l0${suffix}`, bias);
    all.set(`bias_hh_l0${suffix}`, { data: new Float32Array(bias.data.length), dims: bias.dims });
  }
  return all;
}

function transposed({ data, dims }: TensorLike): TensorLike {
  const [rows, columns] = dims as [number, number];
  const turned = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j]!;
  return { data: turned, dims: [columns, rows] };
}

function kerasRunner(model: KerasModel): Tracer {
  const inputs = (feeds: ReadonlyMap<string, AnyValue>) =>
    model.inputs.map(({ name }) => feeds.get(name)! as KerasInput);
  const named = (outputs: readonly AnyValue[]) =>
    Object.fromEntries(model.outputs.map(({ name }, i) => [name, outputs[i]!]));
  return {
    inputs: model.inputs.map(({ name, dims }) => ({ name, type: 'float32', dims, sampleAxis: 0 })),
    outputs: model.outputs.map(({ name }) => name),
    run: async (feeds, go) => {
      const results = model.predict(inputs(feeds));
      await go(1);
      return named(results);
    },
    trace: (feeds) => {
      const { outputs, nodes } = model.trace(inputs(feeds));
      return { outputs: named(outputs), nodes };
    },
    dispose: () => model.dispose(),
  };
}

function kerasChain({ layers }: KerasFile, lstms: readonly FoundLstm[], model: KerasModel): Chain {
  const heads: Head[] = [];
  const odd = new Set<string>();
  for (const layer of layers) {
    const { name, className, config, weights } = layer;
    if (isLstm(layer) && heads.length === 0) continue;
    if (PASSING.has(className)) continue;
    const dense = className === 'TimeDistributed' ? inner(config) : { class_name: className, config };
    const { activation = 'linear' } = Object(dense.config) as { activation?: string };
    const last = heads.at(-1);
    if (dense.class_name === 'Dense' && canActivate(activation) && weights.has('kernel')) {
      const weight = transposed(weights.get('kernel')!);
      const bias = weights.get('bias');
      const [outFeatures, inFeatures] = weight.dims as [number, number];
      const own = new Map([['weight', weight], ...(bias ? [['bias', bias] as const] : [])]);
      heads.push({ name, weights: own, inFeatures, outFeatures, activation });
    } else if (className === 'Activation' && last?.activation === 'linear' && canActivate(String(activation))) {
      heads[heads.length - 1] = { ...last, activation: String(activation) };
    } else odd.add(className);
  }
  if (odd.size > 0) {
    throw new CliError(
      `only LSTM layers with Dense layers behind them can be converted; the model has ${[...odd].sort().join(', ')} too`,
    );
  }
  const without = lstms.find(({ weights }) => !weights);
  if (without) throw new CliError(`its layer ${JSON.stringify(without.name)} is no nn.LSTM: ${without.why}`);
  const dims = model.inputs[0]!.dims;
  if (lstms.length === 0 || model.inputs.length !== 1 || dims.length !== 3)
    throw new CliError('it is no chain of LSTM layers on one sequence');
  return {
    lstms,
    heads,
    steps: typeof dims[1] === 'number' ? [dims[1]] : [],
    answers: (input) => {
      if (dims[1] !== null && dims[1] !== input.dims[0]) return [];
      const samples = dims[0] ?? 1;
      const data = new Float32Array(samples * input.data.length);
      for (let b = 0; b < samples; b++) data.set(input.data, b * input.data.length);
      model.resetStates();
      const results = model.predict([{ data, dims: [samples, ...input.dims] }]);
      // every sample is the same sequence
      return [results.map((result) => result.data.subarray(0, result.data.length / samples))];
    },
  };
}
