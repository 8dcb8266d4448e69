import { describe } from '../base/tensor.ts';
import type { LayerNode } from './connections.ts';
import type { Hdf5 } from './hdf5/file.ts';
import type { Dataset } from './hdf5/objects.ts';
import { type ModelWeights, type NamedTensor, readTensor, refuseUnread, type WeightSource } from './named-weights.ts';
import { refuse } from './refuse.ts';
import { toSnakeCase } from './snake-case.ts';

/** Tells whether the groups of an HDF5 file list their weights, as those of Keras 2 do. */
export function hasListedWeights(file: Hdf5): boolean {
  return file.texts(file.has('model_weights') ? 'model_weights' : '', 'layer_names') !== undefined;
}

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
 * Lists the datasets of a file by their paths. Keras 2.13 to 2.15 on Windows names one group `layers\\lstm\\cell` in place of three
 * in one another; in such a file all paths get the usual slashes.
 * @throws ModelError if two paths become one
 */
export function listDatasets({ contents: { datasets } }: Hdf5): ReadonlyMap<string, Dataset> {
  const isWindows = (path: string) => ROOTS.some((root) => path.startsWith(`${root}\\`));
  if (![...datasets.keys()].some(isWindows)) return datasets;
  const renamed = new Map<string, Dataset>();
  for (const [path, dataset] of datasets) {
    const usual = path.replaceAll('\\', '/');
    if (renamed.has(usual)) {
      const reason = `the weight ${describe(usual)} is there twice, with slashes and with backslashes`;
      refuse.because('duplicate-weight', path, reason, 'one', path);
    }
    renamed.set(usual, dataset);
  }
  return renamed;
}

/** Tells whether an HDF5 file has weights by the order of layers, as .keras and .weights.h5 files have them. */
export function isFiled(datasets: ReadonlyMap<string, Dataset>): boolean {
  return [...datasets.keys()].some((path) => ROOTS.some((root) => path.startsWith(`${root}/`)));
}

/**
 * Finds the weights in a .keras file. Those of a layer lie in order, at layers/CLASS_POSITION/vars/0 and so on; the layer's name
 * does not matter (keras/src/saving/saving_lib.py).
 */
export class FiledWeights implements ModelWeights {
  readonly #file: Hdf5;
  readonly #datasets: ReadonlyMap<string, Dataset>;
  readonly #root: string;
  readonly #read = new Set<string>();

  constructor(file: Hdf5, datasets = listDatasets(file)) {
    this.#file = file;
    this.#datasets = datasets;
    this.#root = ROOTS.find((root) => [...datasets.keys()].some((path) => path.startsWith(`${root}/`))) ?? ROOTS[0]!;
  }

  ofLayer(node: LayerNode): WeightSource {
    return this._at(`${this.#root}/${folderOf(node)}`, node.name);
  }

  private _at(group: string, name: string): WeightSource {
    const below = (folder: string) => (folder ? `${group}/${folder}` : group);
    return {
      read: ({ folder }, specs) => {
        return specs.map((spec, i) => {
          const path = `${below(folder)}/vars/${i}`;
          const dataset = this.#datasets.get(path);
          this.#read.add(path);
          return readTensor(describe(name), spec, path, dataset && this.#file.tensor(dataset));
        });
      },
      inside: (folder) => this._at(below(folder), name),
      ofLayer: (node) => this._at(`${group}/${this.#root}/${folderOf(node)}`, node.name),
    };
  }

  checkAllRead(): void {
    for (const path of this.#datasets.keys()) {
      // a seed generator's state is for training only
      if (!path.startsWith(`${this.#root}/`) || path.includes('/seed_generator/') || this.#read.has(path)) continue;
      refuseUnread(path);
    }
  }
}

/** The group of a layer among the layers of its model. */
function folderOf({ className, position }: LayerNode): string {
  return `${toSnakeCase(className)}${position > 0 ? `_${position}` : ''}`;
}
