import { describe, tag } from '../base/tensor.ts';
import { Config, type Shape } from './config.ts';
import { LAYERS } from './layers.ts';
import { refuse } from './refuse.ts';
import { sortNodes } from './sort.ts';

/** An output of a layer: the name of the layer and the number of the output. */
export interface OutputRef {
  readonly name: string;
  readonly index: number;
}

/** A layer of a model and its inputs; an InputLayer has none. */
export interface LayerNode extends Call {
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  /** The number of layers of its class before it in the file; paths in .keras files depend on it. */
  readonly position: number;
}

/** The arguments that a model calls a layer with. */
interface Call {
  readonly inputs: readonly OutputRef[];
  /** The mask that Keras 3 passes in place of the one that comes with the input. */
  readonly mask?: OutputRef | undefined;
  /** Arguments that are no tensors. */
  readonly constants?: readonly Config[];
}

/** The layers of a model and how they are connected. */
export interface Topology {
  /** The layers, each after those whose outputs it takes. */
  readonly nodes: readonly LayerNode[];
  /** The declared shapes of the inputs, by name. */
  readonly shapes: ReadonlyMap<string, Shape>;
  /** The names of InputLayers, in the order of predict's inputs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly OutputRef[];
  /** Whether the model is Sequential, so that each layer has one output. */
  readonly sequential: boolean;
}

/** The name of the input of a Sequential model without an InputLayer. No layer of a file can have this name. */
const IMPLICIT = '';

const MAX_LAYERS = 10_000;

const MODELS = ['Sequential', 'Functional', 'Model'];

/**
 * Reads the layers of a model and how they are connected.
 * @param model an object with class_name and config
 * @throws ModelError
 */
export function readTopology(model: Config): Topology {
  const className = model.get('class_name').string();
  if (className === 'Sequential') return readSequential(model);
  if (className === 'Functional' || className === 'Model') return readFunctional(model.get('config'));
  return model.get('class_name').refuse('unsupported', 'Sequential or Functional');
}

/** Tells whether a layer is a model of its own. */
export function isModel(className: string, config: Config): boolean {
  return MODELS.includes(className) || (!LAYERS.has(className) && !config.isArray && config.get('layers').isArray);
}

function readSequential(model: Config): Topology {
  const config = model.get('config');
  const list = config.isArray ? config : config.get('layers');
  const nodes: LayerNode[] = [];
  const shapes = new Map<string, Shape>();
  const layers = readLayers(list);
  let last = IMPLICIT;
  for (const [i, { name, className, config, position }] of layers.entries()) {
    if (className === 'InputLayer') {
      if (i > 0) list.refuse('wrong-value', 'an InputLayer at the beginning only', describe(name));
      shapes.set(name, readInputShape(config));
    } else if (i === 0) {
      // a layer that is not supported is refused for that, not for its missing shape
      shapes.set(IMPLICIT, LAYERS.has(className) ? readImplicitShape(model, className, config) : [null]);
    }
    const inputs = className === 'InputLayer' ? [] : [{ name: last, index: 0 }];
    nodes.push({ name, className, config, position, inputs });
    last = name;
  }
  if (!nodes.some(({ className }) => className !== 'InputLayer'))
    list.refuse('wrong-value', 'at least one layer', 'none');
  return { nodes, shapes, inputs: [...shapes.keys()], outputs: [{ name: last, index: 0 }], sequential: true };
}

/** A layer in the file; `layer` is the object that has its config. */
interface FiledLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  readonly position: number;
  readonly layer: Config;
}

function readLayers(list: Config): FiledLayer[] {
  const names = new Set<string>();
  const counts = new Map<string, number>();
  const items = list.items();
  if (items.length > MAX_LAYERS) list.refuse('too-large', `at most ${MAX_LAYERS} layers`, `${items.length}`);
  return items.map((layer) => {
    const config = layer.get('config');
    const className = layer.get('class_name').string();
    const field = config.get('name').given ? config.get('name') : layer.get('name');
    const name = field.string();
    if (name === IMPLICIT || names.has(name)) field.refuse('duplicate-name', 'a name that no other layer has');
    names.add(name);
    const position = counts.get(className) ?? 0;
    counts.set(className, position + 1);
    return { name, className, config, position, layer };
  });
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
function readImplicitShape(model: Config, className: string, first: Config): Shape {
  const declared = declaredShape(first);
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

function readFunctional(config: Config): Topology {
  const nodes: LayerNode[] = [];
  const shapes = new Map<string, Shape>();
  const layers = readLayers(config.get('layers'));
  // a model in a model counts its own making as a call; readers refuse it later, by its name
  const models = new Set(layers.filter(({ className, config }) => isModel(className, config)).map(({ name }) => name));
  for (const { name, className, config: own, position, layer } of layers) {
    const calls = layer.get('inbound_nodes').items();
    if (className === 'InputLayer') shapes.set(name, readInputShape(own));
    else if (calls.length !== 1 && !(isModel(className, own) && calls.length > 0)) {
      refuse('unsupported', layer.path, `the calls of ${describe(name)}`, 'one call', calls.length);
    }
    const call = className === 'InputLayer' ? { inputs: [] } : readCall(calls[0]!, models);
    nodes.push({ name, className, config: own, position, ...call });
  }
  const ends = (key: string) => readEnds(config.get(key), models);
  const inputs = ends('input_layers').map(({ name }) => {
    if (!shapes.has(name)) config.get('input_layers').refuse('unknown-layer', 'names of InputLayers', describe(name));
    return name;
  });
  if (inputs.length !== shapes.size || new Set(inputs).size !== inputs.length) {
    config.get('input_layers').refuse('wrong-value', 'each InputLayer once');
  }
  return { nodes: sortNodes(nodes), shapes, inputs, outputs: ends('output_layers'), sequential: false };
}

/** Reads input_layers or output_layers: `["x", 0, 0]`, an array of these, or an object of them. */
function readEnds(field: Config, models: ReadonlySet<string>): OutputRef[] {
  const named = tag(field.value) === 'Object' && !field.isArray;
  const items = named ? Object.keys(field.value as object).map((key) => field.get(key)) : field.items();
  if (items.length === 0) field.refuse('wrong-value', 'at least one layer', 'none');
  const isOne = typeof items[0]!.value === 'string';
  return isOne ? [readSource(field, models)] : items.map((item) => readSource(item, models));
}

/** Reads an output of a layer: its name, the number of the call, the number of the output. @param models the layers that are models */
function readSource(field: Config, models: ReadonlySet<string>): OutputRef {
  const [name, call, index] = field.items();
  if (!name) field.refuse('wrong-value', 'the name of a layer and numbers', 'none');
  if (!models.has(name.string())) call?.integer(0, 0);
  return { name: name.string(), index: index ? index.integer(0, 1000) : 0 };
}

/** Reads a call of a layer: Keras 2 lists its inputs, Keras 3 the arguments in Python. */
function readCall(call: Config, models: ReadonlySet<string>): Call {
  if (call.isArray) {
    const items = call.items();
    // a single input may stand without an array around it
    const list = typeof items[0]?.value === 'string' ? [call] : items;
    const calls = list.map((source): Call => {
      const options = source.items()[3];
      const kwargs = options?.given ? readKwargs(options, models) : undefined;
      return { inputs: [readSource(source, models), ...(kwargs?.inputs ?? [])], mask: kwargs?.mask };
    });
    return { inputs: calls.flatMap(({ inputs }) => inputs), mask: calls.find(({ mask }) => mask)?.mask };
  }
  const args = call.get('args').items();
  const isTensor = ({ value }: Config) => typeof value === 'object' && value !== null;
  const found = args.filter(isTensor).flatMap((arg) => readTensors(arg, 0, models));
  const constants = args.filter((arg) => arg.given && !isTensor(arg));
  const kwargs = call.get('kwargs');
  const { inputs, mask } = kwargs.given ? readKwargs(kwargs, models) : { inputs: [], mask: undefined };
  return { inputs: [...found, ...inputs], mask, constants };
}

/** Reads the tensors `initial_state` and `mask`. Other arguments are refused unless they change nothing. */
function readKwargs(kwargs: Config, models: ReadonlySet<string>): Call {
  for (const key of Object.keys(kwargs.value as object)) {
    const { value } = kwargs.get(key);
    const known = key === 'initial_state' || key === 'mask' || (key === 'training' && value === false);
    if (!known && value !== null && value !== undefined) {
      kwargs.get(key).refuse('unsupported', 'no argument but initial_state and mask');
    }
  }
  const tensors = (key: string) => (kwargs.get(key).given ? readTensors(kwargs.get(key), 0, models) : []);
  const masks = tensors('mask');
  if (masks.length > 1) kwargs.get('mask').refuse('unsupported', 'one mask');
  return { inputs: tensors('initial_state'), mask: masks[0] };
}

function readTensors(field: Config, depth: number, models: ReadonlySet<string>): OutputRef[] {
  if (depth > 3) field.refuse('unsupported', 'a tensor or a list of tensors');
  if (field.isArray) {
    const items = field.items();
    if (typeof items[0]?.value === 'string') return [readSource(field, models)];
    return items.flatMap((item) => readTensors(item, depth + 1, models));
  }
  if (field.get('class_name').value !== '__keras_tensor__') {
    field.refuse('unsupported', 'a tensor or a list of tensors');
  }
  return [readSource(field.get('config').get('keras_history'), models)];
}
