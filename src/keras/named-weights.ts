import { describe, formatDims, product, sameDims } from '../base/tensor.ts';
import type { LayerWeights, Part, WeightSpec } from './plan.ts';
import { refuse } from './refuse.ts';

/** The most parts of a name: a slash takes a byte in a file, a part many. */
const MAX_PARTS = 64;

/** The weights of a model, by layer. */
export interface ModelWeights {
  /**
   * Gives the weights of the layer `name`.
   * @param position its number among the layers of its class, from 0
   */
  ofLayer(name: string, className: string, position: number): LayerWeights;
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

/**
 * Finds weights by the names that Keras 2 and TensorFlow.js write: LAYER/WEIGHT, with scopes before and in between
 * (LAYER/lstm_cell/WEIGHT, LAYER/forward_NAME/WEIGHT) and `:0` at the end. Converted Keras 3 models have the number of the weight
 * in place of its name.
 */
export class NamedWeights implements ModelWeights {
  /** The weights of each layer, in the order of the file. */
  readonly #layers = new Map<
    string,
    { readonly parts: string[]; readonly path: string; readonly tensor: LazyTensor }[]
  >();
  readonly #read = new Set<string>();
  readonly #all: string[] = [];

  constructor(layers: ReadonlySet<string>, tensors: Iterable<NamedTensor>) {
    for (const { path, name, tensor, ...known } of tensors) {
      const parts = name.replace(/:0$/, '').split('/', MAX_PARTS + 1);
      if (parts.length > MAX_PARTS) {
        const reason = `the name of the weight ${describe(path)} has more than ${MAX_PARTS} parts`;
        refuse.because('too-deep', path, reason, MAX_PARTS, 'more');
      }
      const layer = known.layer ?? parts.find((part) => layers.has(part));
      if (layer === undefined || !layers.has(layer)) {
        const reason = `the weight ${describe(path)} belongs to no layer`;
        refuse.because('unexpected-weight', path, reason, 'a layer', path);
      }
      this.#all.push(path);
      const list = this.#layers.get(layer) ?? [];
      list.push({ parts, path, tensor });
      this.#layers.set(layer, list);
    }
  }

  ofLayer(name: string): LayerWeights {
    const all = this.#layers.get(name) ?? [];
    return {
      read: (part: Part, specs) => {
        // looks after the layer's own name, since the model's name may begin with forward_ too
        const isForward = ({ parts }: { readonly parts: readonly string[] }) =>
          parts.slice(parts.indexOf(name) + 1).some((one) => one.startsWith('forward_'));
        // every other name is backward: a separate backward_layer may have any name
        const own = part.direction ? all.filter((one) => isForward(one) === (part.direction === 'forward')) : [...all];
        const numbered = own.every(({ parts }) => /^\d+$/.test(parts.at(-1)!));
        if (numbered) own.sort((a, b) => Number(a.parts.at(-1)) - Number(b.parts.at(-1)));
        return specs.map((spec, i) => {
          const found = numbered ? own.slice(i, i + 1) : own.filter(({ parts }) => parts.at(-1) === spec.name);
          if (found.length > 1) {
            const path = found[1]!.path;
            const reason = `${describe(name)} has two weights ${describe(spec.name)}`;
            refuse.because('duplicate-weight', path, reason, 'one', path);
          }
          const path = found[0]?.path ?? `${name}/${part.direction ? `${part.direction}_…/` : ''}${spec.name}`;
          this.#read.add(path);
          return readTensor(describe(name), spec, path, found[0]?.tensor);
        });
      },
    };
  }

  checkAllRead(): void {
    const path = this.#all.find((path) => !this.#read.has(path));
    if (path !== undefined) {
      refuseUnread(path);
    }
  }
}

/** Refuses a weight that no layer has read. */
export function refuseUnread(path: string): never {
  refuse.because('unexpected-weight', path, `no layer has the weight ${describe(path)}`, 'a weight of a layer', path);
}
