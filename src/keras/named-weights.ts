import { describe, formatDims, product, sameDims } from '../base/tensor.ts';
import type { LayerWeights, Part, WeightSpec } from './plan.ts';
import { refuse } from './refuse.ts';

/** Weights of a model, by layer. */
export interface ModelWeights {
  /** @param position of the layer among those of its class */
  ofLayer(name: string, className: string, position: number): LayerWeights;
  /** @throws ModelError that names a weight that no layer has read */
  checkAllRead(): void;
}

/** A tensor that is read when it is asked for. */
export interface StoredTensor {
  readonly dims: readonly number[];
  read(): Float32Array;
}

export interface NamedTensor {
  /** By which messages name it */
  readonly path: string;
  /** Which tells the layer, unless that is known, and the weight */
  readonly name: string;
  readonly layer?: string;
  readonly tensor: StoredTensor;
}

/** The values of a tensor that is to have other dims or not to be missing. */
export function readTensor(
  layer: string,
  spec: WeightSpec,
  path: string,
  tensor: StoredTensor | undefined,
): Float32Array {
  const wanted = formatDims(spec.dims);
  if (!tensor) {
    const text = `${layer} needs a weight ${describe(path)} ${wanted}, which is missing`;
    refuse('missing-weight', path, text, wanted, undefined);
  }
  if (!sameDims(tensor.dims, spec.dims)) {
    const found = formatDims(tensor.dims);
    refuse('wrong-shape', path, `${describe(path)} of ${layer} expected ${wanted}, got ${found}`, wanted, found);
  }
  const values = tensor.read();
  if (values.length !== product(spec.dims)) {
    refuse('size-mismatch', path, `${describe(path)} has ${values.length} numbers`, product(spec.dims), values.length);
  }
  return values;
}

/**
 * Weights by names as Keras 2 and TensorFlow.js write them: LAYER/WEIGHT, with scopes before, in between
 * (LAYER/lstm_cell/WEIGHT, LAYER/forward_NAME/WEIGHT) and `:0` behind. Keras 3 models that were converted have the number of
 * the weight in place of its name.
 */
export class NamedWeights implements ModelWeights {
  /** By layer, in the order of the file */
  readonly #layers = new Map<
    string,
    { readonly parts: string[]; readonly path: string; readonly tensor: StoredTensor }[]
  >();
  readonly #read = new Set<string>();
  readonly #all: string[] = [];

  constructor(layers: ReadonlySet<string>, tensors: Iterable<NamedTensor>) {
    for (const { path, name, tensor, ...known } of tensors) {
      const parts = name.replace(/:0$/, '').split('/');
      const layer = known.layer ?? parts.find((part) => layers.has(part));
      if (layer === undefined || !layers.has(layer)) {
        refuse('unexpected-weight', path, `the weight ${describe(path)} belongs to no layer`, 'a layer', path);
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
        // behind the layer's own name: that of the model may begin so too
        const isForward = ({ parts }: { readonly parts: readonly string[] }) =>
          parts.slice(parts.indexOf(name) + 1).some((one) => one.startsWith('forward_'));
        // a backward layer that is not made of the forward one may have any name
        const own = part.direction ? all.filter((one) => isForward(one) === (part.direction === 'forward')) : [...all];
        const numbered = own.every(({ parts }) => /^\d+$/.test(parts.at(-1)!));
        if (numbered) own.sort((a, b) => Number(a.parts.at(-1)) - Number(b.parts.at(-1)));
        return specs.map((spec, i) => {
          const found = numbered ? own.slice(i, i + 1) : own.filter(({ parts }) => parts.at(-1) === spec.name);
          if (found.length > 1) {
            const path = found[1]!.path;
            refuse('duplicate-weight', path, `${describe(name)} has two weights ${describe(spec.name)}`, 'one', path);
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
      refuse('unexpected-weight', path, `no layer has the weight ${describe(path)}`, 'a weight of a layer', path);
    }
  }
}
