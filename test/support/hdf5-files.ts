import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import h5wasm from 'h5wasm/node';
import { toSnakeCase } from '../../src/keras/snake-case.ts';
import type { Weight } from './keras-files.ts';

// Files as Keras writes them, made by the HDF5 library itself.

await h5wasm.ready;

/** As h5py does unless it is told otherwise. */
const LIBVER = ['earliest', 'latest'];

export type Group = InstanceType<typeof h5wasm.Group>;

/** The bytes of a file that `fill` fills. */
export function hdf5(fill: (root: Group) => void, libver: any = LIBVER): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-hdf5-'));
  const path = join(folder, 'file.h5');
  try {
    const file = new h5wasm.File(path, 'w', { libver } as any);
    fill(file as unknown as Group);
    file.close();
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A dataset at a path, its groups made on the way. */
export function write(root: Group, path: string, { data, dims }: Weight, options: object = {}): void {
  const parts = path.split('/');
  const name = parts.pop()!;
  let group = root;
  for (const part of parts) group = (group.keys().includes(part) ? group.get(part) : group.create_group(part)) as Group;
  group.create_dataset({ name, data, shape: dims, ...options } as any);
}

function texts(group: Group, name: string, values: string[]): void {
  const longest = Math.max(1, ...values.map(({ length }) => length));
  if (values.length > 0) group.create_attribute(name, values as any, null as any, `S${longest}`);
  else group.create_attribute(name, new Float64Array(0), [0], '<d');
}

/** Weights of layers, by layer and name, as save_weights_to_hdf5_group of Keras writes them. */
export function writeLayers(root: Group, layers: Map<string, Record<string, Weight>>): void {
  texts(root, 'layer_names', [...layers.keys()]);
  root.create_attribute('backend', 'tensorflow');
  root.create_attribute('keras_version', '2.15.0');
  for (const [layer, weights] of layers) {
    const group = root.create_group(layer) as Group;
    texts(group, 'weight_names', Object.keys(weights));
    for (const [name, weight] of Object.entries(weights)) write(group, name, weight);
  }
}

/** What model.save('model.h5') of Keras 2 writes. */
export function kerasH5(model: object, layers: Map<string, Record<string, Weight>>, version = '2.15.0'): Uint8Array {
  return hdf5((root) => {
    root.create_attribute('keras_version', version);
    root.create_attribute('model_config', JSON.stringify(model));
    writeLayers(root.create_group('model_weights') as Group, layers);
  });
}

/**
 * What model.save('model.keras') of Keras 3 writes: weights in order, by class and position.
 * @param layers class name, and the weights by the folder below the layer's
 */
export function kerasArchive(
  model: object,
  layers: [className: string, Record<string, Weight[]>][],
  version = '3.8.0',
): Uint8Array {
  const weights = hdf5((root) => {
    root.create_group('vars');
    const counts = new Map<string, number>();
    for (const [className, folders] of layers) {
      const count = counts.get(className) ?? 0;
      counts.set(className, count + 1);
      const group = `layers/${toSnakeCase(className)}${count > 0 ? `_${count}` : ''}`;
      for (const [folder, list] of Object.entries(folders)) {
        for (const [i, weight] of list.entries())
          write(root, `${group}/${folder ? `${folder}/` : ''}vars/${i}`, weight);
      }
    }
  });
  return archive(
    { 'metadata.json': { keras_version: version, date_saved: '2026-01-01@00:00:00' }, 'config.json': model },
    weights,
  );
}

/** A zip of JSON and of the file of weights. */
export function archive(json: Record<string, object>, weights: Uint8Array, level: 0 | 6 = 0): Uint8Array {
  const entries = Object.entries(json).map(([name, value]) => [name, new TextEncoder().encode(JSON.stringify(value))]);
  return zipSync(Object.fromEntries([...entries, ['model.weights.h5', weights]]), { level });
}
