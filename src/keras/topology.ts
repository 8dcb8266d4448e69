import { describe } from '../base/tensor.ts';
import { readCall, readEnds } from './calls.ts';
import { Config, type Shape } from './config.ts';
import type { LayerCalled, LayerNode, OutputRef, Topology } from './connections.ts';
import { LAYERS } from './layers.ts';
import { refuse } from './refuse.ts';
import { sortCalls } from './sort.ts';

/** The name of the input of a Sequential model without an InputLayer. No layer of a file can have this name. */
const IMPLICIT = '';

const MAX_LAYERS = 10_000;

/** How deep models may lie in models. */
const MAX_DEPTH = 16;

const MODELS = ['Sequential', 'Functional', 'Model'];

/** Where a model is read: how deep it lies in others, and whether Keras 3 wrote it. */
interface Reading {
  readonly depth: number;
  readonly keras3: boolean;
}

/**
 * Reads the layers of a model and how they are connected.
 * @param model an object with class_name and config
 * @throws ModelError
 */
export function readTopology(model: Config, keras3: boolean, depth = 0): Topology {
  const className = model.get('class_name').string();
  if (depth > MAX_DEPTH) model.refuse('too-deep', `at most ${MAX_DEPTH} models in one another`, 'more');
  if (className === 'Sequential') return readSequential(model, { depth, keras3 });
  if (className === 'Functional' || className === 'Model')
    return readFunctional(model.get('config'), { depth, keras3 });
  return model.get('class_name').refuse('unsupported', 'Sequential or Functional');
}

/** Tells whether a layer is a model of its own. */
export function isModel(className: string, config: Config): boolean {
  return MODELS.includes(className) || (!LAYERS.has(className) && !config.isArray && config.get('layers').isArray);
}

/** Tells whether a layer is a model that is read. */
function isReadModel(className: string): boolean {
  return MODELS.includes(className);
}

function readSequential(model: Config, reading: Reading): Topology {
  const config = model.get('config');
  const list = config.isArray ? config : config.get('layers');
  const nodes: LayerNode[] = [];
  const calls: LayerCalled[] = [];
  const shapes = new Map<string, Shape>();
  const layers = readLayers(list, reading);
  let last: OutputRef = { name: IMPLICIT, call: 0, index: 0 };
  for (const [i, { node }] of layers.entries()) {
    const { name, className } = node;
    if (className === 'InputLayer') {
      if (i > 0) list.refuse('wrong-value', 'an InputLayer at the beginning only', describe(name));
      shapes.set(name, readInputShape(node.config));
    } else if (i === 0) {
      shapes.set(IMPLICIT, readImplicitShape(model, node));
    }
    nodes.push(node);
    if (className !== 'InputLayer') calls.push({ node, call: 0, inputs: [last] });
    last = { name, call: 0, index: 0 };
  }
  if (calls.length === 0) list.refuse('wrong-value', 'at least one layer', 'none');
  return { nodes, calls, shapes, inputs: [...shapes.keys()], outputs: [last], sequential: true };
}

/** A layer in the file; `layer` is the object that has its config. */
interface FiledLayer {
  readonly node: LayerNode;
  readonly layer: Config;
}

function readLayers(list: Config, reading: Reading): FiledLayer[] {
  const names = new Set<string>();
  const counts = new Map<string, number>();
  const items = list.items();
  if (items.length > MAX_LAYERS) list.refuse('too-large', `at most ${MAX_LAYERS} layers`, `${items.length}`);
  return items.map((layer) => {
    const className = layer.get('class_name').string();
    const position = counts.get(className) ?? 0;
    counts.set(className, position + 1);
    const node = readNode(layer, position, reading);
    if (names.has(node.name)) nameOf(layer).refuse('duplicate-name', 'a name that no other layer has');
    names.add(node.name);
    return { node, layer };
  });
}

/** Where the name of a layer is; the config of a Sequential model of old was a list without one. */
function nameOf(layer: Config): Config {
  const config = layer.get('config');
  return !config.isArray && config.get('name').given ? config.get('name') : layer.get('name');
}

function readNode(layer: Config, position: number, reading: Reading): LayerNode {
  const config = layer.get('config');
  const className = layer.get('class_name').string();
  const field = nameOf(layer);
  const name = field.string();
  if (name === IMPLICIT) field.refuse('duplicate-name', 'a name that no other layer has');
  const deeper = { ...reading, depth: reading.depth + 1 };
  return {
    ...{ name, className, config, position },
    model: isReadModel(className) ? readTopology(layer, reading.keras3, deeper.depth) : undefined,
    inner:
      className === 'TimeDistributed' && config.get('layer').given ? readInner(config.get('layer'), deeper) : undefined,
  };
}

/** Reads the layer in a TimeDistributed. */
function readInner(layer: Config, reading: Reading): LayerNode {
  const className = layer.get('class_name').string();
  if (reading.depth > MAX_DEPTH) layer.refuse('too-deep', `at most ${MAX_DEPTH} layers in one another`, 'more');
  const config = layer.get('config');
  // its name only matters for weights, and some files leave it out
  const named = config.given && nameOf(layer).given;
  if (named) return readNode(layer, 0, reading);
  const value = { ...(layer.value as object), config: { ...(config.value as object), name: className } };
  return readNode(new Config(layer.path, value), 0, reading);
}

/**
 * Reads the declared shape of an input: batch_shape of Keras 3; batch_input_shape of Keras 2 and TensorFlow.js, which counts where
 * both are given; or, as people write them, the shape of a sample and the number of samples.
 */
function declaredShape(config: Config): Shape | undefined {
  const find = (...keys: string[]) => keys.map((key) => config.get(key)).find(({ given }) => given);
  const whole = find('batch_input_shape', 'batch_shape');
  if (whole) return whole.shape();
  const sample = find('input_shape', 'shape');
  if (!sample) return undefined;
  const samples = config.get('batch_size');
  return new Config(sample.path, [
    samples.given ? samples.integer(1) : null,
    ...sample.items().map(({ value }) => value),
  ]).shape();
}

function readInputShape(config: Config): Shape {
  return declaredShape(config) ?? config.get('batch_shape').refuse('missing-field', 'the shape of the input', 'none');
}

/** Reads the input shape of a Sequential model without an InputLayer: that of its first layer, or the one it was built with. */
function readImplicitShape(
  model: Config,
  { className, config: first, model: inner, inner: applied }: LayerNode,
): Shape {
  // a layer that is not supported is refused for that, not for its missing shape
  if (!LAYERS.has(className) && !inner) return [null];
  if (inner?.inputs.length === 1) return inner.shapes.get(inner.inputs[0]!)!;
  const declared = declaredShape(first) ?? (applied && declaredShape(applied.config));
  if (declared) return declared;
  const config = model.get('config');
  const built = [config.isArray ? undefined : config.get('build_input_shape')];
  const buildConfig = model.get('build_config');
  if (buildConfig.given) built.push(buildConfig.get('input_shape'));
  const found = built.find((field) => field?.given);
  if (found) return found.shape();
  if (className === 'Embedding') {
    const steps = first.get('input_length');
    return [null, steps.given ? steps.window() : null];
  }
  const note = '. Give the first layer an input, or call the model once, before model.save';
  return refuse('unknown-shape', model.path, 'the model', 'an input shape', 'none', note);
}

function readFunctional(config: Config, reading: Reading): Topology {
  const nodes: LayerNode[] = [];
  const listed: LayerCalled[] = [];
  const shapes = new Map<string, Shape>();
  const layers = readLayers(config.get('layers'), reading);
  for (const { node, layer } of layers) {
    nodes.push(node);
    const calls = layer.get('inbound_nodes').items();
    if (node.className === 'InputLayer') {
      shapes.set(node.name, readInputShape(node.config));
      listed.push({ node, call: 0, inputs: [] });
      continue;
    }
    for (const [call, field] of calls.entries()) listed.push({ node, call, ...readCall(field) });
  }
  const ends = (key: string) => readEnds(config.get(key));
  const inputs = ends('input_layers').map(({ name }) => {
    if (!shapes.has(name)) config.get('input_layers').refuse('unknown-layer', 'names of InputLayers', describe(name));
    return name;
  });
  if (inputs.length !== shapes.size || new Set(inputs).size !== inputs.length) {
    config.get('input_layers').refuse('wrong-value', 'each InputLayer once');
  }
  const number = numberCalls(listed, ends('output_layers'), reading);
  const calls = sortCalls(number.calls).filter(({ node }) => node.className !== 'InputLayer');
  return { nodes, calls, shapes, inputs, outputs: number.outputs, sequential: false };
}

/**
 * Counts the calls of models from 0, as those of other layers. Some writers count the making of a model as its first call: what is
 * taken tells which, or else what is usual.
 */
function numberCalls(listed: readonly LayerCalled[], outputs: readonly OutputRef[], { keras3 }: Reading) {
  const counts = new Map<string, number>();
  for (const { node } of listed) {
    if (isModel(node.className, node.config)) counts.set(node.name, (counts.get(node.name) ?? 0) + 1);
  }
  const taken = new Map<string, Set<number>>();
  const note = (ref: OutputRef | undefined) => {
    if (!ref || !counts.has(ref.name)) return;
    const numbers = taken.get(ref.name) ?? new Set();
    taken.set(ref.name, numbers.add(ref.call));
  };
  for (const { inputs, masks = [] } of listed) for (const ref of [...inputs, ...masks]) note(ref);
  for (const ref of outputs) note(ref);
  const firsts = new Map<string, number>();
  for (const [name, numbers] of taken) {
    const isFromOne = !numbers.has(0) && (numbers.has(counts.get(name)!) || !keras3);
    firsts.set(name, Number(isFromOne));
  }
  const move = <T extends OutputRef | undefined>(ref: T): T => {
    const from = ref && firsts.get(ref.name);
    return from ? ({ ...ref, call: ref.call - from } as T) : ref;
  };
  const calls = listed.map((call) => ({ ...call, inputs: call.inputs.map(move), masks: call.masks?.map(move) }));
  return { calls, outputs: outputs.map(move) };
}
