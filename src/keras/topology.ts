import { describe } from '../tensor.ts';
import type { Config, Shape } from './config.ts';
import { refuse } from './refuse.ts';

/** An output of a layer: its name and the output's number. */
export interface Source {
  readonly name: string;
  readonly index: number;
}

/** A layer of a model and what goes into it; none into an InputLayer. */
export interface Node {
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  readonly inputs: readonly Source[];
}

export interface Topology {
  /** In the order of the file, which names in files depend on */
  readonly nodes: readonly Node[];
  /** The shapes that the inputs declare, by name */
  readonly shapes: ReadonlyMap<string, Shape>;
  /** Names of InputLayers, in the order of predict's inputs */
  readonly inputs: readonly string[];
  readonly outputs: readonly Source[];
}

/** What stands for the input of a Sequential model without an InputLayer. No layer of a file can have this name. */
const IMPLICIT = '';

const MAX_LAYERS = 10_000;

/** @param model an object with class_name and config */
export function readTopology(model: Config): Topology {
  const className = model.get('class_name').string();
  if (className === 'Sequential') return readSequential(model);
  if (className === 'Functional' || className === 'Model') return readFunctional(model.get('config'));
  return model.get('class_name').refuse('unsupported', 'Sequential or Functional');
}

function readSequential(model: Config): Topology {
  const config = model.get('config');
  const list = config.isArray ? config : config.get('layers');
  const nodes: Node[] = [];
  const shapes = new Map<string, Shape>();
  const layers = readLayers(list);
  let last = IMPLICIT;
  for (const [i, { name, className, config }] of layers.entries()) {
    if (className === 'InputLayer') {
      if (i > 0) list.refuse('wrong-value', 'an InputLayer at the beginning only', describe(name));
      shapes.set(name, readInputShape(config));
    } else if (i === 0) {
      shapes.set(IMPLICIT, readImplicitShape(model, config));
    }
    nodes.push({ name, className, config, inputs: className === 'InputLayer' ? [] : [{ name: last, index: 0 }] });
    last = name;
  }
  if (!nodes.some(({ className }) => className !== 'InputLayer'))
    list.refuse('wrong-value', 'at least one layer', 'none');
  return { nodes, shapes, inputs: [...shapes.keys()], outputs: [{ name: last, index: 0 }] };
}

function readLayers(list: Config): { name: string; className: string; config: Config; layer: Config }[] {
  const names = new Set<string>();
  const items = list.items();
  if (items.length > MAX_LAYERS) list.refuse('too-large', `at most ${MAX_LAYERS} layers`, `${items.length}`);
  return items.map((layer) => {
    const config = layer.get('config');
    const className = layer.get('class_name').string();
    const field = config.get('name').given ? config.get('name') : layer.get('name');
    const name = field.string();
    if (name === IMPLICIT || names.has(name)) field.refuse('duplicate-name', 'a name that no other layer has');
    names.add(name);
    return { name, className, config, layer };
  });
}

/** Keras 3 writes batch_shape, Keras 2 and TensorFlow.js batch_input_shape. */
function declaredShape(config: Config): Config | undefined {
  return ['batch_shape', 'batch_input_shape'].map((key) => config.get(key)).find(({ given }) => given);
}

function readInputShape(config: Config): Shape {
  const shape = declaredShape(config);
  return shape ? shape.shape() : config.get('batch_shape').refuse('missing-field', 'the shape of the input', 'none');
}

/** Of a Sequential model whose first layer is no InputLayer: that layer's, or what the model was built with. */
function readImplicitShape(model: Config, first: Config): Shape {
  const declared = declaredShape(first);
  if (declared) return declared.shape();
  const config = model.get('config');
  const built = [config.isArray ? undefined : config.get('build_input_shape')];
  const buildConfig = model.get('build_config');
  if (buildConfig.given) built.push(buildConfig.get('input_shape'));
  const found = built.find((field) => field?.given);
  if (found) return found.shape();
  const text = 'the model has no input shape. Give the first layer an input, or call the model once, before model.save';
  return refuse('unknown-shape', model.path, text, 'an input shape', 'none');
}

function readFunctional(config: Config): Topology {
  const nodes: Node[] = [];
  const shapes = new Map<string, Shape>();
  for (const { name, className, config: own, layer } of readLayers(config.get('layers'))) {
    const calls = layer.get('inbound_nodes').items();
    const inputs = calls.length === 1 ? readCall(calls[0]!) : [];
    if (className === 'InputLayer') shapes.set(name, readInputShape(own));
    else if (calls.length !== 1) {
      const text = `${describe(name)} is called ${calls.length} times, once is supported`;
      refuse('unsupported', layer.path, text, 'one call', calls.length);
    }
    nodes.push({ name, className, config: own, inputs: className === 'InputLayer' ? [] : inputs });
  }
  const ends = (key: string) => readEnds(config.get(key));
  const inputs = ends('input_layers').map(({ name }) => {
    if (!shapes.has(name)) config.get('input_layers').refuse('unknown-layer', 'names of InputLayers', describe(name));
    return name;
  });
  if (inputs.length !== shapes.size || new Set(inputs).size !== inputs.length) {
    config.get('input_layers').refuse('wrong-value', 'each InputLayer once');
  }
  return { nodes: sortNodes(nodes), shapes, inputs, outputs: ends('output_layers') };
}

/** ["x", 0, 0], or an array of these. */
function readEnds(field: Config): Source[] {
  const items = field.items();
  if (items.length === 0) field.refuse('wrong-value', 'at least one layer', 'none');
  return typeof items[0]!.value === 'string' ? [readSource(field)] : items.map(readSource);
}

/** Name, number of the call, number of the output. */
function readSource(field: Config): Source {
  const [name, call, index] = field.items();
  if (!name) field.refuse('wrong-value', 'the name of a layer and numbers', 'none');
  call?.integer(0, 0);
  return { name: name.string(), index: index ? index.integer(0, 1000) : 0 };
}

/** The inputs of one call of a layer: Keras 2 lists them, Keras 3 has arguments as Python got them. */
function readCall(call: Config): Source[] {
  if (call.isArray) {
    const items = call.items();
    // a single one may stand by itself
    const list = typeof items[0]?.value === 'string' ? [call] : items;
    return list.flatMap((source) => {
      const kwargs = source.items()[3];
      return [readSource(source), ...(kwargs?.given ? readKwargs(kwargs) : [])];
    });
  }
  const found = call
    .get('args')
    .items()
    .flatMap((arg) => readTensors(arg, 0));
  const kwargs = call.get('kwargs');
  return [...found, ...(kwargs.given ? readKwargs(kwargs) : [])];
}

/** Tensors go in as `initial_state` too; what else there is says nothing, or is not supported. */
function readKwargs(kwargs: Config): Source[] {
  const states = kwargs.get('initial_state');
  for (const key of Object.keys(kwargs.value as object)) {
    const { value } = kwargs.get(key);
    if (key === 'initial_state' || value === null || value === undefined || (key === 'training' && value === false))
      continue;
    kwargs.get(key).refuse('unsupported', 'no argument but initial_state');
  }
  return states.given ? readTensors(states, 0) : [];
}

function readTensors(field: Config, depth: number): Source[] {
  if (depth > 3) field.refuse('unsupported', 'a tensor or a list of tensors');
  if (field.isArray) {
    const items = field.items();
    if (typeof items[0]?.value === 'string') return [readSource(field)];
    return items.flatMap((item) => readTensors(item, depth + 1));
  }
  if (field.get('class_name').value !== '__keras_tensor__') {
    field.refuse('unsupported', 'a tensor or a list of tensors');
  }
  return [readSource(field.get('config').get('keras_history'))];
}

/** Each node behind those that it needs; the order of the file where that is so already. */
function sortNodes(nodes: readonly Node[]): Node[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const sorted: Node[] = [];
  const done = new Set<Node>();
  const open = new Set<Node>();
  // a stack of our own: a file may chain thousands of layers
  for (const first of nodes) {
    const stack = [first];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      const needed = node.inputs.map(({ name }) => {
        return (
          byName.get(name) ??
          refuse(
            'unknown-layer',
            node.name,
            `${describe(node.name)} takes ${describe(name)}, which is no layer`,
            'a layer',
            name,
          )
        );
      });
      const missing = needed.find((other) => !done.has(other));
      if (done.has(node)) {
        stack.pop();
      } else if (!missing) {
        done.add(node);
        sorted.push(node);
        stack.pop();
      } else if (open.has(missing)) {
        refuse('cycle', missing.name, `${describe(missing.name)} depends on itself`, 'no cycle', missing.name);
      } else {
        open.add(node);
        stack.push(missing);
      }
    }
  }
  return sorted;
}
