import { describe } from '../base/tensor.ts';
import type { Hdf5 } from './hdf5/file.ts';
import { type ModelWeights, type NamedTensor, readTensor, refuseUnread } from './named-weights.ts';
import type { LayerWeights } from './plan.ts';
import { refuse } from './refuse.ts';

/** Lists the weights of a file of Keras 2, and of Keras 3 with the ending .h5: the group of each layer has their names. */
export function* listedWeights(file: Hdf5): Generator<NamedTensor> {
  const root = file.has('model_weights') ? 'model_weights' : '';
  const layers = file.texts(root, 'layer_names');
  if (!layers) {
    return refuse('missing-field', root || '/', `the attributes of ${describe(root || '/')}`, 'layer_names', 'none');
  }
  const seen = new Set<string>();
  for (const layer of layers) {
    const group = root ? `${root}/${layer}` : layer;
    if (seen.has(layer) || !file.contents.groups.has(group)) {
      refuse.because('missing-layer', group, `the layer ${describe(layer)} has no group of its own`, 'a group', layer);
    }
    seen.add(layer);
    for (const name of file.texts(group, 'weight_names') ?? []) {
      const path = `${group}/${name}`;
      const dataset = file.contents.datasets.get(path);
      if (!dataset) refuse('missing-weight', path, `the weight ${describe(path)}`, 'a dataset', undefined);
      yield { path, name, layer, tensor: file.tensor(dataset) };
    }
  }
}

/** The group of all layers in Keras 3, and in Keras 2.12. */
const ROOTS = ['layers', '_layer_checkpoint_dependencies'];

/**
 * Finds the weights in a .keras file. Those of a layer lie in order, at layers/CLASS_POSITION/vars/0 and so on; the layer's name
 * does not matter (keras/src/saving/saving_lib.py).
 */
export class FiledWeights implements ModelWeights {
  readonly #file: Hdf5;
  readonly #root: string;
  readonly #read = new Set<string>();

  constructor(file: Hdf5) {
    this.#file = file;
    this.#root = ROOTS.find((root) => file.contents.groups.has(root)) ?? ROOTS[0]!;
  }

  ofLayer(name: string, className: string, position: number): LayerWeights {
    const group = `${this.#root}/${toSnakeCase(className)}${position > 0 ? `_${position}` : ''}`;
    return {
      read: ({ folder }, specs) => {
        return specs.map((spec, i) => {
          const path = `${group}/${folder ? `${folder}/` : ''}vars/${i}`;
          const dataset = this.#file.contents.datasets.get(path);
          this.#read.add(path);
          return readTensor(describe(name), spec, path, dataset && this.#file.tensor(dataset));
        });
      },
    };
  }

  checkAllRead(): void {
    for (const path of this.#file.contents.datasets.keys()) {
      // a seed generator's state is for training only
      if (!path.startsWith(`${this.#root}/`) || path.includes('/seed_generator/') || this.#read.has(path)) continue;
      refuseUnread(path);
    }
  }
}

/** Converts as keras.src.utils.naming.to_snake_case does: LSTM to lstm, MaxPooling1D to max_pooling1d. */
export function toSnakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
