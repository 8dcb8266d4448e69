import { describe } from '../base/tensor.ts';
import type { Hdf5 } from './hdf5/file.ts';
import { type ModelWeights, type NamedTensor, readTensor } from './named-weights.ts';
import type { LayerWeights } from './plan.ts';
import { refuse } from './refuse.ts';

/** The weights of a file of Keras 2, and of Keras 3 with the ending .h5: a group for each layer, which lists their names. */
export function* listedWeights(file: Hdf5): Generator<NamedTensor> {
  const root = file.has('model_weights') ? 'model_weights' : '';
  const layers = file.texts(root, 'layer_names');
  if (!layers) {
    const text = `${describe(root || '/')} has no layer_names, as Keras writes them`;
    return refuse('missing-field', root || '/', text, 'layer_names', 'none');
  }
  const seen = new Set<string>();
  for (const layer of layers) {
    const group = root ? `${root}/${layer}` : layer;
    if (seen.has(layer) || !file.contents.groups.has(group)) {
      refuse('missing-layer', group, `the layer ${describe(layer)} has no group of its own`, 'a group', layer);
    }
    seen.add(layer);
    for (const name of file.texts(group, 'weight_names') ?? []) {
      const path = `${group}/${name}`;
      const dataset = file.contents.datasets.get(path);
      if (!dataset) refuse('missing-weight', path, `the weight ${describe(path)} is missing`, 'a dataset', undefined);
      yield { path, name, layer, tensor: file.tensor(dataset) };
    }
  }
}

/** Where layers are: in Keras 3, and in Keras 2.12. */
const ROOTS = ['layers', '_layer_checkpoint_dependencies'];

/**
 * The weights in a .keras file: those of a layer lie in order, at layers/CLASS_POSITION/vars/0 and so on, whatever the layer's
 * name (keras/src/saving/saving_lib.py).
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
      // the state of a random generator is kept for training
      if (!path.startsWith(`${this.#root}/`) || path.includes('/seed_generator/') || this.#read.has(path)) continue;
      refuse('unexpected-weight', path, `no layer has the weight ${describe(path)}`, 'a weight of a layer', path);
    }
  }
}

/** As keras.src.utils.naming.to_snake_case: LSTM is lstm, TimeDistributed time_distributed, MaxPooling1D max_pooling1d. */
export function toSnakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
