import { describe, formatDims, product, sameDims } from '../base/tensor.ts';
import type { LayerNode, Topology } from './connections.ts';
import type { Part, WeightSpec } from './plan.ts';
import { refuse } from './refuse.ts';

/** The most parts of a name: a slash takes a byte in a file, a part many. */
const MAX_PARTS = 64;

/** Where the weights of a layer are. */
export interface WeightSource {
  /** Reads all weights of a part. */
  read(part: Part, specs: readonly WeightSpec[]): Float32Array[];
  /** Where those of a layer in this one are: of the one that it applies, or of a model. */
  inside(folder: string): WeightSource;
  ofLayer(node: LayerNode): WeightSource;
}

/** The weights of a model, by layer. */
export interface ModelWeights {
  /** Finds the weights of a layer of the model. */
  ofLayer(node: LayerNode): WeightSource;
  /** Checks that each weight was read by a layer. @throws ModelError that names a weight that was not */
  checkAllRead(): void;
}

/** A tensor in a file; read() converts its numbers. */
export interface LazyTensor {
  readonly dims: readonly number[];
  read(): Float32Array;
}

/** A weight as a file names it. */
export interface NamedTensor {
  /** Its name in messages. */
  readonly path: string;
  /** Its name in the file, which contains the names of the layer and of the weight. */
  readonly name: string;
  /** The name of the layer, if the file has it outside of `name`. */
  readonly layer?: string;
  readonly tensor: LazyTensor;
}

/** Reads a weight. @throws ModelError if it is missing or has another shape than `spec` */
export function readTensor(
  layer: string,
  spec: WeightSpec,
  path: string,
  tensor: LazyTensor | undefined,
): Float32Array {
  const wanted = formatDims(spec.dims);
  if (!tensor) {
    refuse('missing-weight', path, `the weight ${describe(path)} of ${layer}`, wanted, undefined);
  }
  const { dims } = tensor;
  if (!sameDims(dims, spec.dims) && !(spec.otherDims && sameDims(dims, spec.otherDims))) {
    refuse('wrong-shape', path, `the weight ${describe(path)} of ${layer}`, wanted, formatDims(dims));
  }
  const values = tensor.read();
  if (values.length !== product(dims)) {
    refuse('size-mismatch', path, `the numbers of ${describe(path)}`, product(dims), values.length);
  }
  return values;
}

/** A weight by the parts of its name. */
interface Entry {
  readonly parts: readonly string[];
  readonly path: string;
  readonly tensor: LazyTensor;
}

/**
 * Finds weights by the names that Keras 2 and TensorFlow.js write: LAYER/WEIGHT, with scopes before and in between
 * (LAYER/lstm_cell/WEIGHT, LAYER/forward_NAME/WEIGHT) and `:0` at the end. Converted Keras 3 models have the number of the weight
 * in place of its name. Layers of models in the model are found by their own names, below that of their model where a file has it.
 */
export class NamedWeights implements ModelWeights {
  /** The weights of each layer, in the order of the file. */
  readonly #layers = new Map<LayerNode, Entry[]>();
  readonly #read = new Set<string>();
  readonly #all: string[] = [];

  constructor(topology: Topology, tensors: Iterable<NamedTensor>) {
    const names = new Names(topology);
    for (const { path, name, tensor, layer } of tensors) {
      const parts = name.replace(/:0$/, '').split('/', MAX_PARTS + 1);
      if (parts.length > MAX_PARTS) {
        const reason = `the name of the weight ${describe(path)} has more than ${MAX_PARTS} parts`;
        refuse.because('too-deep', path, reason, MAX_PARTS, 'more');
      }
      const node = names.find(layer, parts) ?? refuseForeign(path);
      this.#all.push(path);
      const list = this.#layers.get(node) ?? [];
      list.push({ parts, path, tensor });
      this.#layers.set(node, list);
    }
  }

  ofLayer(node: LayerNode): WeightSource {
    const all = this.#layers.get(node) ?? [];
    return {
      read: (part, specs) => this._read(node.name, all, part, specs),
      inside: () => this.ofLayer(node),
      ofLayer: (inner) => this.ofLayer(inner),
    };
  }

  private _read(name: string, all: readonly Entry[], part: Part, specs: readonly WeightSpec[]): Float32Array[] {
    // looks after the layer's own name, since the model's name may begin with forward_ too
    const isForward = ({ parts }: Entry) =>
      parts.slice(parts.indexOf(name) + 1).some((one) => one.startsWith('forward_'));
    // every other name is backward: a separate backward_layer may have any name
    let own = part.direction ? all.filter((one) => isForward(one) === (part.direction === 'forward')) : [...all];
    const numbered = own.every(({ parts }) => /^\d+$/.test(parts.at(-1)!));
    if (numbered) own.sort((a, b) => Number(a.parts.at(-1)) - Number(b.parts.at(-1)));
    // cells come one after the other
    if (part.cell) own = own.slice(part.cell.before, part.cell.before + specs.length);
    return specs.map((spec, i) => {
      const isNamed = ({ parts }: Entry) => [spec.name, spec.otherName].includes(parts.at(-1));
      const found = numbered ? own.slice(i, i + 1) : own.filter(isNamed);
      if (found.length > 1) {
        const path = found[1]!.path;
        const reason = `${describe(name)} has two weights ${describe(spec.name)}`;
        refuse.because('duplicate-weight', path, reason, 'one', path);
      }
      const entry = found[0];
      const path = entry?.path ?? `${name}/${part.direction ? `${part.direction}_…/` : ''}${spec.name}`;
      this.#read.add(path);
      return readTensor(describe(name), spec, path, entry?.tensor);
    });
  }

  checkAllRead(): void {
    const path = this.#all.find((path) => !this.#read.has(path));
    if (path !== undefined) refuseUnread(path);
  }
}

function refuseForeign(path: string): never {
  const reason = `the weight ${describe(path)} belongs to no layer`;
  refuse.because('unexpected-weight', path, reason, 'a layer', path);
}

/** The layers of a model by their names. */
interface Scope {
  readonly own: ReadonlyMap<string, LayerNode>;
  /** Layers of the models in it too, but for names that two have. */
  readonly all: Map<string, LayerNode | undefined>;
}

/** The layers that have weights, by their names. */
class Names {
  private readonly _scopes = new Map<Topology, Scope>();
  private readonly _root: Scope;

  constructor(topology: Topology) {
    this._root = this._list(topology, []);
  }

  /** @param around the models that the model lies in */
  private _list(topology: Topology, around: readonly Scope[]): Scope {
    const scope: Scope = { own: new Map(topology.nodes.map((node) => [node.name, node])), all: new Map() };
    this._scopes.set(topology, scope);
    const scopes = [...around, scope];
    for (const node of topology.nodes) {
      const inner = modelIn(node);
      if (inner) this._list(inner, scopes);
      else for (const { all } of scopes) all.set(node.name, all.has(node.name) ? undefined : node);
    }
    return scope;
  }

  /**
   * Finds the layer that a weight is of: by the names of models and layers in its own, or where models are left out, by that of the
   * layer.
   * @param layer the layer of the outer model, if the file says it
   */
  find(layer: string | undefined, parts: readonly string[]): LayerNode | undefined {
    let scope = this._root;
    for (const [i, part] of (layer === undefined ? parts : [layer, ...parts]).entries()) {
      const node = scope.own.get(part);
      const inner = node && modelIn(node);
      if (inner) scope = this._scopes.get(inner)!;
      else if (node) return node;
      else if (i === 0 && layer !== undefined) return undefined;
    }
    return parts.map((part) => scope.all.get(part)).find((node) => node);
  }
}

/** The model that a layer is or applies. */
function modelIn({ model, inner }: LayerNode): Topology | undefined {
  return model ?? (inner && modelIn(inner));
}

/** Refuses a weight that no layer has read. */
export function refuseUnread(path: string): never {
  refuse.because('unexpected-weight', path, `no layer has the weight ${describe(path)}`, 'a weight of a layer', path);
}
