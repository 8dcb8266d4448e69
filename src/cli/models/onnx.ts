import { ModelError } from '../../index.ts';
import {
  loadOnnx,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxSession,
  type OnnxTensor,
  parseOnnx,
} from '../../onnx.ts';
import { CliError, messageOf } from '../errors.ts';
import type { AnyValue, Beside, FoundLstm, Model, Port, Problem, RunChoices, Tracer } from '../model.ts';
import { formatCount, formatDims, product } from '../text.ts';
import { bytesTaken } from './lstm-runner.ts';
import { onnxChain } from './onnx-chain.ts';

/** The most files beside a model that are read. */
const MOST_FILES = 64;

/** Reads a model and the files beside it in which it says that its weights are. */
function readGraph(
  bytes: Uint8Array<ArrayBuffer>,
  beside: Beside,
): { file: OnnxModel; externalData: Map<string, Uint8Array<ArrayBuffer>> } {
  const externalData = new Map<string, Uint8Array<ArrayBuffer>>();
  for (;;) {
    try {
      return { file: parseOnnx(bytes, { externalData }), externalData };
    } catch (error) {
      const isMissing = error instanceof ModelError && error.code === 'external-data' && externalData.size < MOST_FILES;
      const name = isMissing ? String(error.expected) : '';
      if (!isMissing || name === 'location' || externalData.has(name)) throw error;
      externalData.set(name, beside(name));
    }
  }
}

/** Makes a Model of an ONNX file. */
export function onnxModel(bytes: Uint8Array<ArrayBuffer>, beside: Beside): Model {
  const { file, externalData } = readGraph(bytes, beside);
  const load = (int8 = false) => loadOnnx(bytes, { externalData, ...(int8 ? { quantize: 8 } : {}) });
  let session: OnnxSession | undefined;
  let problem: Problem | undefined;
  let reports: OnnxSession['lstms'] = [];
  try {
    session = load();
    reports = session.lstms;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    problem = { message: messageOf(error), isBad: !error.code.startsWith('unsupported'), error };
  }
  const graphs = allGraphs(file.graph);
  const nodes = graphs.flatMap((each) => each.nodes);
  const lstms = nodes.filter(isLstm).map((node, k): FoundLstm => {
    const report = reports[k];
    const name = node.name || node.outputs.find(Boolean) || `LSTM ${k}`;
    return {
      name,
      options: nodeOptions(node, file.graph),
      weights: report?.stateDict,
      initialState: report?.initialState,
      why: report?.why,
    };
  });
  const { graph } = file;
  const opsets = [...file.opsets].map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`).join(', ');
  const counts = new Map<string, number>();
  for (const { opType, domain } of nodes) {
    const name = domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const operators = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const inputs = session?.inputs ?? graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const outputs = session?.outputs ?? graph.outputs;
  const weights = [
    ...graphs.flatMap(({ initializers }) => [...initializers.values()]),
    ...nodes.flatMap(constantOf),
  ].filter(({ type }) => /float/.test(type));
  const ports = (
    title: string,
    list: readonly Pick<Port, 'name' | 'dims'>[],
    types: readonly (string | undefined)[],
  ) => ({
    title,
    columns: [{ title: 'name' }, { title: 'type' }, { title: 'shape' }],
    rows: list.map(({ name, dims }, i) => [name, types[i] ?? '?', formatDims(dims)]),
  });
  const typesOf = (list: readonly { readonly type: string | undefined }[]) => list.map(({ type }) => type);
  return {
    format: 'ONNX',
    facts: [
      ['written by', file.producer || 'the file does not say'],
      ['operator set', opsets],
      ...[...externalData.keys()].map((name) => ['weights in', name] as const),
    ],
    listings: [
      ports('Inputs', inputs, typesOf(inputs)),
      ports('Outputs', outputs, typesOf(outputs)),
      {
        title: 'Operators',
        columns: [{ title: 'operator' }, { title: 'nodes', right: true }],
        rows: operators.map(([name, count]) => [name, formatCount(count)]),
      },
    ],
    details: {
      producer: file.producer,
      opsets: Object.fromEntries(file.opsets),
      inputs: inputs.map(({ name, type, dims }) => ({ name, type, dims })),
      outputs: outputs.map(({ name, type, dims }) => ({ name, type, dims })),
      operators: Object.fromEntries(operators),
    },
    lstms,
    parameters: weights.reduce((sum, { dims }) => sum + product(dims), 0),
    problem,
    memory: () => bytesTaken(load),
    runner: ({ int8, lstm, head }: RunChoices) => {
      if (lstm ?? head)
        throw new CliError('--lstm and --head are for state dicts: an ONNX file says itself how it runs');
      return sessionRunner(load(int8));
    },
    tracer: problem ? undefined : () => sessionRunner(load()),
    chain: async () => {
      if (problem) throw new CliError(problem.message);
      return onnxChain(file, lstms, session!);
    },
  };
}

function isLstm({ opType, domain }: OnnxNode): boolean {
  return opType === 'LSTM' && (domain === '' || domain === 'ai.onnx');
}

/** A graph and the graphs of its branches. */
function allGraphs(graph: OnnxGraph): OnnxGraph[] {
  const list: OnnxGraph[] = [];
  const waiting: OnnxGraph[] = [graph];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    list.push(next);
    for (const { attributes } of next.nodes) {
      for (const value of attributes.values()) {
        const isGraph = (each: unknown): each is OnnxGraph =>
          typeof each === 'object' && each !== null && 'nodes' in each;
        waiting.push(...(Array.isArray(value) ? [...value] : [value]).filter(isGraph));
      }
    }
  }
  return list;
}

/** The tensor of a Constant, which old exporters write for weights. */
function constantOf({ opType, attributes }: OnnxNode): OnnxTensor[] {
  const value = opType === 'Constant' ? attributes.get('value') : undefined;
  return typeof value === 'object' && 'type' in value && value.dims.length > 0 ? [value] : [];
}

const OPTIONAL_INPUTS = ['B', 'sequence_lens', 'initial_h', 'initial_c', 'P'];

/** The attributes of an LSTM node, and which of its optional inputs are there. */
function nodeOptions({ attributes, inputs }: OnnxNode, graph: OnnxGraph): FoundLstm['options'] {
  const options: Record<string, string | number | boolean> = {};
  const inputSize = graph.initializers.get(inputs[1] ?? '')?.dims[2];
  if (inputSize !== undefined) options.input_size = inputSize;
  for (const [name, value] of attributes) {
    if (typeof value === 'number' || typeof value === 'bigint') options[name] = Number(value);
    else if (typeof value === 'string') options[name] = value;
    else if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) options[name] = value.join(' ');
  }
  const given = OPTIONAL_INPUTS.filter((_, i) => inputs[i + 3]);
  if (given.length > 0) options.inputs = ['X', 'W', 'R', ...given].join(' ');
  return options;
}

function sessionRunner(session: OnnxSession): Tracer {
  return {
    inputs: session.inputs,
    outputs: session.outputs.map(({ name }) => name),
    run: async (feeds, go) => {
      const results = session.run(feeds as ReadonlyMap<string, AnyValue>);
      await go(1);
      return results;
    },
    trace: (feeds) => session.trace(feeds as ReadonlyMap<string, AnyValue>),
    dispose: () => session.dispose(),
  };
}
