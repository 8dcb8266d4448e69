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
    const own = part.direction ? all.filter((one) => isForward(one) === (part.direction === 'forward')) : [...all];
    const numbered = own.every(({ parts }) => /^\d+$/.test(parts.at(-1)!));
    if (numbered) own.sort((a, b) => Number(a.parts.at(-1)) - Number(b.parts.at(-1)));
    const { index, before } = part.cell ?? { index: 0, before: 0 };
    return specs.map((spec, i) => {
      const found = numbered
        ? own.slice(before + i, before + i + 1)
        : own.filter(({ parts }) => parts.at(-1) === spec.name);
      if (!part.cell && found.length > 1) {
        const path = found[1]!.path;
        const reason = `${describe(name)} has two weights ${describe(spec.name)}`;
        refuse.because('duplicate-weight', path, reason, 'one', path);
      }
      const entry = found[numbered ? 0 : index];
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

/** The layers that have weights, by their names. */
class Names {
  private readonly _models = new Map<Topology, ReadonlyMap<string, LayerNode>>();
  /** Layers of all models; undefined where two have the name. */
  private readonly _all = new Map<string, LayerNode | undefined>();
  private readonly _root: Topology;

  constructor(topology: Topology) {
    this._root = topology;
    this._list(topology);
  }

  private _list(topology: Topology): void {
    this._models.set(topology, new Map(topology.nodes.map((node) => [node.name, node])));
    for (const node of topology.nodes) {
      const inner = modelIn(node);
      if (inner) this._list(inner);
      else this._all.set(node.name, this._all.has(node.name) ? undefined : node);
    }
  }

  /**
   * Finds the layer that a weight is of.
   * @param layer the layer of the outer model, if the file says it
   */
  find(layer: string | undefined, parts: readonly string[]): LayerNode | undefined {
    let names = this._models.get(this._root)!;
    let found: LayerNode | undefined;
    const enter = (node: LayerNode | undefined): boolean => {
      if (!node) return false;
      const inner = modelIn(node);
      if (inner) names = this._models.get(inner)!;
      else found = node;
      return true;
    };
    if (layer !== undefined && !enter(names.get(layer))) return undefined;
    for (const part of parts) {
      if (found) return found;
      enter(names.get(part));
    }
    if (found || layer !== undefined) return found;
    return parts.map((part) => this._all.get(part)).find((node) => node);
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
