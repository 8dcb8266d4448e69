import { describe } from '../base/tensor.ts';
import type { Config, Shape } from './config.ts';
import type { LayerCalled, LayerNode, OutputRef, Topology } from './connections.ts';
import type { FileRecord } from './file.ts';
import { KerasGraph, type Tensor } from './graph.ts';
import { LAYERS } from './layers.ts';
import { toMask } from './masks.ts';
import { KerasModel } from './model.ts';
import type { ModelWeights } from './named-weights.ts';
import type { Dialect, LayerPlan, LayerWeights } from './plan.ts';
import { refuse } from './refuse.ts';
import { checkOutput, describeShape } from './shapes.ts';
import { callKey } from './sort.ts';
import { isModel, readTopology } from './topology.ts';
import { sharedWeights } from './weights.ts';
import { rehearse } from './work.ts';

/** The most unsupported things that a message lists. */
const SHOWN = 50;

/** Supported policies and dtypes of layers; all of them are computed in float32. */
const DTYPE = /^(mixed_)?(float32|float16|bfloat16|float64)$/;

/** Operations on masks, whose numbers are 0 and 1 here. */
const MASKS = ['ZerosLike', 'OnesLike'];

/**
 * Makes a model.
 * @param model an object with class_name and config
 * @param version the version of the program that wrote it: '3.8.0', '2.15.0' or 'tfjs-layers 4.22.0', for example
 * @param makeWeights gives the weights; called once all layers are known to be supported
 * @param record notes layers and weights
 * @throws ModelError
 */
export function buildModel(
  model: Config,
  version: string,
  makeWeights: (topology: Topology) => ModelWeights,
  record?: FileRecord,
): KerasModel {
  const keras3 = Number.parseInt(version, 10) >= 3;
  const topology = readTopology(model, keras3);
  record?.start(topology, version);
  const plans = readPlans(topology, version.startsWith('tfjs'), keras3);
  const weights = makeWeights(topology);
  const graph = new KerasGraph();
  try {
    const inputs = topology.inputs.map((source): Tensor => {
      return { slot: graph.slot(), shape: checkOutput('the input', topology.shapes.get(source)!) };
    });
    const source = (node: LayerNode) => {
      const own = weights.ofLayer(node);
      return sharedWeights(graph, record ? record.watch(node, own) : own);
    };
    const outputs = runModel(topology, plans, inputs, source, graph, true);
    weights.checkAllRead();
    const parts = {
      graph,
      inputs: topology.inputs.map((name, i) => ({
        name: name || 'input',
        dims: inputs[i]!.shape,
        slot: inputs[i]!.slot,
      })),
      outputs: topology.outputs.map(({ name }, i) => ({ name, dims: outputs[i]!.shape, slot: outputs[i]!.slot })),
    };
    rehearse(parts);
    return new KerasModel(parts);
  } catch (error) {
    graph.dispose();
    throw error;
  }
}

/** The layers of a model, by their nodes. */
type Plans = ReadonlyMap<LayerNode, LayerPlan>;

/** Reads the configurations of all layers. @throws one ModelError that names everything that is not supported */
function readPlans(topology: Topology, tfjs: boolean, keras3: boolean): Plans {
  const problems: string[] = [];
  const dialect: Dialect = { tfjs, keras3, unsupported: (what) => problems.push(what) };
  const plans = readLayers(topology, dialect);
  if (problems.length > 0) {
    const shown = problems
      .slice(0, SHOWN)
      .map((problem) => (problem.length > 150 ? `${problem.slice(0, 150)}…` : problem));
    if (problems.length > SHOWN) shown.push(`and ${problems.length - SHOWN} more`);
    const reason = `not supported in this model: ${shown.join('; ')}`;
    refuse.because('unsupported', problems[0]!, reason, [...LAYERS.keys()], shown);
  }
  return plans;
}

function readLayers({ nodes, calls, sequential }: Topology, dialect: Dialect): Plans {
  const plans = new Map<LayerNode, LayerPlan>();
  const called = new Map<LayerNode, LayerCalled>();
  for (const call of calls) if (call.call === 0) called.set(call.node, call);
  const causal = new Set(calls.filter((call) => call.causal).map(({ node }) => node));
  for (const node of nodes) {
    if (node.className === 'InputLayer') continue;
    const constants = called.get(node)?.constants ?? [];
    const plan = readLayer(node, dialect, constants);
    if (!plan) continue;
    plans.set(node, plan);
    const name = describe(node.name);
    if (sequential && (plan.outputs ?? 1) > 1) {
      dialect.unsupported(`return_state of ${name} in a Sequential model, whose layers have one output`);
    }
    if (causal.has(node) && !plan.takesCausal) {
      dialect.unsupported(`use_causal_mask of ${name}`);
    }
    if (constants.length !== (plan.constants ?? 0)) {
      dialect.unsupported(`the argument ${describe(constants.at(-1)?.value)} of ${name}`);
    }
  }
  return plans;
}

function readLayer(node: LayerNode, dialect: Dialect, constants: readonly Config[]): LayerPlan | undefined {
  const { name, className, config, model } = node;
  if (model) return planModel(model, readLayers(model, dialect));
  const reader = LAYERS.get(className);
  if (!reader) {
    const what = isModel(className, config) ? ', a model of another class' : '';
    dialect.unsupported(`${className} (${describe(name)}${what})`);
    return undefined;
  }
  if (!MASKS.includes(className)) checkDtype(config.get('dtype'), name, dialect);
  const inner = node.inner && (() => readLayer(node.inner!, dialect, []));
  return reader(config, describe(name), dialect, { constants, node, inner });
}

/** A model as a layer of another. */
function planModel(topology: Topology, plans: Plans): LayerPlan {
  return {
    inputs: [topology.inputs.length],
    outputs: topology.outputs.length,
    build(inputs, { graph, weights, last }) {
      for (const [i, name] of topology.inputs.entries()) checkFits(name, topology.shapes.get(name)!, inputs[i]!.shape);
      return runModel(topology, plans, inputs, (node) => weights.ofLayer(node), graph, last);
    },
  };
}

/** Checks that a shape fits the one that an input of a model declares. */
function checkFits(name: string, declared: Shape, found: Shape): void {
  const fits = declared.every((size, i) => i === 0 || size === null || found[i] === null || found[i] === size);
  if (fits && declared.length === found.length) return;
  refuse(
    'wrong-shape',
    name,
    `the input of ${describe(name || 'the inner model')}`,
    describeShape(declared),
    describeShape(found),
  );
}

/** Adds the calls of a model's layers to the graph. @returns its outputs */
function runModel(
  { calls, inputs: names, outputs }: Topology,
  plans: Plans,
  inputs: readonly Tensor[],
  weightsOf: (node: LayerNode) => LayerWeights,
  graph: KerasGraph,
  isLast: boolean,
): readonly Tensor[] {
  const left = new Map<LayerNode, number>();
  for (const { node } of calls) left.set(node, (left.get(node) ?? 0) + 1);
  const tensors = new Map<string, readonly Tensor[]>();
  const sources = new Map<LayerNode, LayerWeights>();
  for (const [i, name] of names.entries()) tensors.set(callKey({ name, call: 0 }), [inputs[i]!]);
  for (const { node, call, inputs: refs, masks = [], causal = false } of calls) {
    const { name, className } = node;
    const plan = plans.get(node)!;
    checkCount(name, plan, refs.length);
    graph.begin(name, className);
    const given = refs.map((source) => find(tensors, source, name));
    for (const [i, source] of masks.entries()) {
      if (source && given[i])
        given[i] = {
          ...given[i],
          mask: maskOf(graph, name, find(tensors, source, name), given[i], className === 'Softmax' ? 2 : 3),
        };
    }
    const weights = sources.get(node) ?? weightsOf(node);
    sources.set(node, weights);
    const masked = masks[0] !== undefined;
    left.set(node, left.get(node)! - 1);
    const last = isLast && left.get(node) === 0;
    tensors.set(callKey({ name, call }), plan.build(given, { graph, weights, last, masked, causal }));
    if (last) weights.forget();
  }
  return outputs.map((source) => find(tensors, source, 'output'));
}

function checkCount(name: string, { inputs = [1] }: LayerPlan, count: number): void {
  if (inputs === 'several' ? count > 1 : inputs.includes(count)) return;
  const expected = inputs === 'several' ? 'two or more' : inputs;
  refuse('wrong-inputs', name, `the number of inputs of ${describe(name)}`, expected, count);
}

/**
 * Takes a tensor as the mask of an input: it has a number for each sample and step.
 * @param least the fewest dimensions of the input
 */
function maskOf(graph: KerasGraph, name: string, { slot, shape }: Tensor, input: Tensor, least: number): number {
  const agrees = (size: number | null, i: number) =>
    size === null || input.shape[i] === null || size === input.shape[i];
  if (shape.length !== 2 || input.shape.length < least || !shape.every(agrees)) {
    const [wanted, found] = [describeShape(input.shape.slice(0, 2)), describeShape(shape)];
    refuse('wrong-shape', name, `the mask of ${describe(name)}`, wanted, found);
  }
  return toMask(graph, name, slot, input.slot);
}

/** Notes an unsupported dtype: a name, or as Keras 3 writes it, a policy with a name. */
function checkDtype(dtype: Config, name: string, dialect: Dialect): void {
  if (!dtype.given) return;
  const found = typeof dtype.value === 'string' ? dtype.value : dtype.get('config').get('name').string();
  if (!DTYPE.test(found)) dialect.unsupported(`dtype ${describe(found)} of ${describe(name)}`);
}

/** Finds an output of a call. @param who the layer that takes it, for messages */
function find(tensors: ReadonlyMap<string, readonly Tensor[]>, source: OutputRef, who: string): Tensor {
  const { name, index } = source;
  const found = tensors.get(callKey(source))?.[index];
  if (found) return found;
  const reason = `${describe(who)} takes output ${index} of ${describe(name)}, which does not exist`;
  return refuse.because('unknown-output', who, reason, 'an output of a layer', `${name}, ${index}`);
}
