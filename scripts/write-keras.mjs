// Writes models of Keras in every form that the reader takes, from one description: for programs that make many of them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import h5wasm from 'h5wasm/node';

await h5wasm.ready;

const count = (dims) => dims.reduce((a, b) => a * b, 1);
const snake = (name) =>
  name
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();

/** The bytes of an HDF5 file that `fill` fills. */
function hdf5(fill) {
  const folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-keras-'));
  try {
    const path = join(folder, 'file.h5');
    const file = new h5wasm.File(path, 'w', { libver: ['earliest', 'latest'] });
    fill(file);
    file.close();
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function groupOf(root, names) {
  return names.reduce(
    (group, name) => (group.keys().includes(name) ? group.get(name) : group.create_group(name)),
    root,
  );
}

function texts(group, name, values) {
  const longest = Math.max(1, ...values.map(({ length }) => length));
  if (values.length > 0) group.create_attribute(name, values, null, `S${longest}`);
  else group.create_attribute(name, new Float64Array(0), [0], '<d');
}

/**
 * The forms of a model, each a function of a description: `layers` as they stand in a file, with `weights` of names and dims, which
 * are ones, and `folders` that hold them in .keras files.
 * @returns what loadKeras() takes, and its bytes
 */
export const FORMS = {
  tfjs({ model, layers, version }) {
    const list = layers.flatMap(({ config, weights }) =>
      weights.map(({ name, dims }) => ({ name: `${config.name}/${name}`, shape: dims, dtype: 'float32' })),
    );
    const bytes = new Uint8Array(
      new Float32Array(list.reduce((sum, { shape }) => sum + count(shape), 0)).fill(1).buffer,
    );
    const topology = { ...model, keras_version: version };
    const modelJson = JSON.stringify({ modelTopology: topology, weightsManifest: [{ paths: ['w'], weights: list }] });
    return { source: { modelJson, weights: bytes }, bytes: modelJson.length + bytes.length };
  },
  keras({ model, layers, version }) {
    const counts = new Map();
    const weights = hdf5((root) => {
      root.create_group('layers');
      for (const { class_name, weights } of layers) {
        const position = counts.get(class_name) ?? 0;
        counts.set(class_name, position + 1);
        const name = `${snake(class_name)}${position > 0 ? `_${position}` : ''}`;
        const numbers = new Map();
        for (const { folder, dims } of weights) {
          const number = numbers.get(folder) ?? 0;
          numbers.set(folder, number + 1);
          const group = groupOf(root, ['layers', name, ...folder.split('/').filter(Boolean), 'vars']);
          group.create_dataset({ name: `${number}`, data: new Float32Array(count(dims)).fill(1), shape: dims });
        }
      }
    });
    const text = (json) => new TextEncoder().encode(JSON.stringify(json));
    const entries = { 'config.json': text(model), 'metadata.json': text({ keras_version: version }) };
    const keras = zipSync({ ...entries, 'model.weights.h5': weights }, { level: 0 });
    return { source: { keras }, bytes: keras.length };
  },
  h5(description) {
    const h5 = listed(description, true);
    return { source: { h5 }, bytes: h5.length };
  },
  pair(description) {
    const h5 = listed(description, false);
    const modelJson = JSON.stringify({ ...description.model, keras_version: description.version });
    return { source: { modelJson, h5 }, bytes: h5.length + modelJson.length };
  },
};

/** An .h5 file whose groups list their weights, with the model or without. */
function listed({ model, layers, version }, whole) {
  return hdf5((root) => {
    if (whole) root.create_attribute('model_config', JSON.stringify(model));
    root.create_attribute('keras_version', version);
    const top = whole ? root.create_group('model_weights') : root;
    texts(
      top,
      'layer_names',
      layers.map(({ config }) => config.name),
    );
    for (const { config, weights } of layers) {
      const group = top.create_group(config.name);
      texts(
        group,
        'weight_names',
        weights.map(({ name }) => `${name}:0`),
      );
      for (const { name, dims } of weights) {
        const parts = `${name}:0`.split('/');
        const data = new Float32Array(count(dims)).fill(1);
        groupOf(group, parts.slice(0, -1)).create_dataset({ name: parts.at(-1), data, shape: dims });
      }
    }
  });
}
