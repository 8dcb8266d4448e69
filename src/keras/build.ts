import { describe, product } from '../base/tensor.ts';
import type { Config, Shape } from './config.ts';
import type { FileRecord } from './file.ts';
import { Holding } from './holding.ts';
import { LAYERS } from './layers.ts';
import { KerasModel, type LayerStep } from './model.ts';
import type { ModelWeights } from './named-weights.ts';
import type { Dialect, LayerPlan, LayerWeights } from './plan.ts';
import { refuse } from './refuse.ts';
import { checkOutput, describeShape } from './shapes.ts';
import { isModel, type OutputRef, readTopology, type Topology } from './topology.ts';
import { type ModelSize, Work } from './work.ts';

/** The most unsupported things that a message lists. */
const SHOWN = 50;

/** Supported policies and dtypes of layers; all of them are computed in float32. */
const DTYPE = /^(mixed_)?(float32|float16|bfloat16|float64)$/;

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
  makeWeights: (layers: ReadonlySet<string>) => ModelWeights,
  record?: FileRecord,
): KerasModel {
  const topology = readTopology(model);
  record?.start(topology, version);
  const plans = readPlans(topology, version);
  const weights = makeWeights(new Set(topology.nodes.map(({ name }) => name)));
  const steps: LayerStep[] = [];
  try {
    const holding = new Holding();
    const shapes = buildSteps(topology, plans, weights, holding, steps, record);
    weights.checkAllRead();
    const size = { weights: holding.weights, layers: steps.length };
    checkWork(topology, steps, shapes, size);
    return new KerasModel({
      steps,
      size,
      inputs: topology.inputs.map((source) => ({
        name: source || 'input',
        dims: topology.shapes.get(source)!,
        source,
      })),
      outputs: topology.outputs.map((source) => ({ name: source.name, dims: find(shapes, source, 'output'), source })),
    });
  } catch (error) {
    for (const { layer } of steps) layer.dispose?.();
    throw error;
  }
}

/** Reads the configurations of all layers. @throws one ModelError that names everything that is not supported */
function readPlans({ nodes, sequential }: Topology, version: string): Map<string, LayerPlan> {
  const problems: string[] = [];
  let nested = false;
  const dialect: Dialect = {
    tfjs: version.startsWith('tfjs'),
    keras3: Number.parseInt(version, 10) >= 3,
    unsupported: (what) => problems.push(what),
  };
  const plans = new Map<string, LayerPlan>();
  for (const { name, className, config, constants = [] } of nodes) {
    if (className === 'InputLayer') continue;
    const reader = LAYERS.get(className);
    if (!reader) {
      const model = isModel(className, config);
      nested ||= model;
      problems.push(`${className} (${describe(name)}${model ? ', a model inside the model' : ''})`);
      continue;
    }
    checkDtype(config.get('dtype'), name, dialect);
    const plan = reader(config, describe(name), dialect, constants);
    if (plan) plans.set(name, plan);
    if (sequential && (plan?.outputs ?? 1) > 1) {
      dialect.unsupported(`return_state of ${describe(name)} in a Sequential model, whose layers have one output`);
    }
    if (plan && constants.length !== (plan.constants ?? 0)) {
      dialect.unsupported(`the argument ${describe(constants.at(-1)?.value)} of ${describe(name)}`);
    }
  }
  if (problems.length > 0) {
    const shown = problems
      .slice(0, SHOWN)
      .map((problem) => (problem.length > 150 ? `${problem.slice(0, 150)}…` : problem));
    if (problems.length > SHOWN) shown.push(`and ${problems.length - SHOWN} more`);
    const advice = nested ? '. Put the layers of an inner model into the outer one, and save that' : '';
    const reason = `not supported in this model: ${shown.join('; ')}${advice}`;
    refuse.because('unsupported', problems[0]!, reason, [...LAYERS.keys()], shown);
  }
  return plans;
}

/** Notes an unsupported dtype: a name, or as Keras 3 writes it, a policy with a name. */
function checkDtype(dtype: Config, name: string, dialect: Dialect): void {
  if (!dtype.given) return;
  const found = typeof dtype.value === 'string' ? dtype.value : dtype.get('config').get('name').string();
  if (!DTYPE.test(found)) dialect.unsupported(`dtype ${describe(found)} of ${describe(name)}`);
}

/** Builds the layers into `steps`, in order. @returns the shapes of the outputs of each layer */
function buildSteps(
  { nodes, shapes: declared }: Topology,
  plans: ReadonlyMap<string, LayerPlan>,
  weights: ModelWeights,
  holding: Holding,
  steps: LayerStep[],
  record: FileRecord | undefined,
): Map<string, readonly Shape[]> {
  const shapes = new Map<string, readonly Shape[]>();
  for (const [name, shape] of declared) shapes.set(name, [checkOutput('the input', shape)]);
  for (const { name, className, inputs, mask, position } of nodes) {
    const plan = plans.get(name);
    if (!plan) continue;
    const counts = plan.inputs ?? [1];
    if (!counts.includes(inputs.length)) {
      refuse('wrong-inputs', name, `the number of inputs of ${describe(name)}`, counts, inputs.length);
    }
    const from = inputs.map((source) => find(shapes, source, name));
    if (mask) checkMask(name, find(shapes, mask, name), from[0]!);
    const found = weights.ofLayer(name, className, position);
    const own = record ? record.watch(name, found) : found;
    const read: LayerWeights['read'] = (part, specs) => {
      const values = own.read(part, specs);
      holding.count(values);
      return values;
    };
    const built = plan.build(from, { read }, holding);
    steps.push({ name, layer: built.layer, inputs, mask });
    shapes.set(name, built.outputs);
  }
  return shapes;
}

/** Checks the work for one sample, as far as all sizes are known. @throws ModelError */
function checkWork(
  { shapes: declared }: Topology,
  steps: readonly LayerStep[],
  shapes: ReadonlyMap<string, readonly Shape[]>,
  size: ModelSize,
): void {
  const ofSample = (shape: Shape) => [1, ...shape.slice(1).map((one) => one ?? Number.NaN)];
  const fed = [...declared.values()].reduce((sum, shape) => sum + product(ofSample(shape)), 0);
  if (Number.isNaN(fed)) return;
  const work = new Work(fed, size);
  for (const { name, layer, inputs } of steps) {
    const dims = inputs.map((source) => ofSample(find(shapes, source, name)));
    if (dims.some((one) => Number.isNaN(product(one)))) return;
    work.countLayer(name, layer, dims);
  }
}

/** Checks that a mask has a number for each sample and step. */
function checkMask(name: string, mask: Shape, input: Shape): void {
  const agrees = (i: number) => mask[i] === null || input[i] === null || mask[i] === input[i];
  if (mask.length === 2 && input.length > 2 && agrees(0) && agrees(1)) return;
  const [wanted, found] = [describeShape(input.slice(0, 2)), describeShape(mask)];
  refuse('wrong-shape', name, `the mask of ${describe(name)}`, wanted, found);
}

/** Finds the shape of an output. @param who the layer that takes it, for messages */
function find(shapes: ReadonlyMap<string, readonly Shape[]>, { name, index }: OutputRef, who: string): Shape {
  const shape = shapes.get(name)?.[index];
  if (shape) return shape;
  const reason = `${describe(who)} takes output ${index} of ${describe(name)}, which does not exist`;
  return refuse.because('unknown-output', who, reason, 'an output of a layer', `${name}, ${index}`);
}
