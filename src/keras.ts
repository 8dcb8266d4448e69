import { checkOptions, type TensorLike, tag, wrongType } from './base/tensor.ts';
import { Budget } from './files/budget.ts';
import { checkFile } from './files/bytes.ts';
import { encodeUtf8 } from './files/utf8.ts';
import { Zip } from './files/zip/zip.ts';
import { buildModel } from './keras/build.ts';
import { Config } from './keras/config.ts';
import { Hdf5 } from './keras/hdf5/file.ts';
import { FiledWeights, listedWeights } from './keras/hdf5-weights.ts';
import { readManifest, Shards } from './keras/manifest.ts';
import type { KerasModel } from './keras/model.ts';
import { NamedWeights } from './keras/named-weights.ts';
import { LOAD, refuse } from './keras/refuse.ts';

export { ModelError } from './base/errors.ts';
export type { KerasInput, KerasModel, KerasSpec } from './keras/model.ts';

type Bytes = Uint8Array | ArrayBuffer;

/**
 * A model: `model.json` of TensorFlow.js, as its text or as the object that JSON.parse makes of it, with the file of weights,
 * or all of them in the order of weightsManifest; or what `model.save` wrote to a file with the ending `.keras` or `.h5`.
 */
export type KerasSource =
  | { readonly modelJson: string | object; readonly weights: Bytes | readonly Bytes[] }
  | { readonly keras: Bytes }
  | { readonly h5: Bytes };

/**
 * Reads a model of Keras or TensorFlow.js, Sequential or functional with layers that are called once each. What of it is not
 * supported is one error that names all of it; nothing in a file is ever run, and no other file opened.
 * @throws ModelError where the file is damaged or the model is not supported
 * @throws TypeError if it is none of these sources, or bytes are shared or detached
 */
export function loadKeras(source: KerasSource): KerasModel {
  if (tag(source) !== 'Object') {
    throw wrongType(LOAD, 'source', '{ modelJson, weights }, { keras } or { h5 }', source);
  }
  if ('keras' in source) {
    checkOptions(LOAD, source, ['keras']);
    return loadArchive(checkFile(LOAD, source.keras));
  }
  if ('h5' in source) {
    checkOptions(LOAD, source, ['h5']);
    return loadHdf5(checkFile(LOAD, source.h5));
  }
  checkOptions(LOAD, source, ['modelJson', 'weights']);
  return loadTfjs(source.modelJson, source.weights);
}

/** Where Keras 3 keeps an optimizer in a file of weights. */
const OPTIMIZER = 'optimizer/vars/';

/**
 * The weights of an HDF5 file, of `model.save_weights` or of a whole model, by their paths: `lstm/lstm/kernel:0`, in Keras 3
 * `layers/lstm/cell/vars/0`. Numbers that are not floating-point are left out, and what an optimizer has.
 * @throws ModelError where the file is damaged
 * @throws TypeError if `bytes` is no Uint8Array or ArrayBuffer, or shared or detached
 */
export function readKerasWeights(bytes: Uint8Array | ArrayBuffer): Map<string, TensorLike> {
  const file = checkFile('readKerasWeights', bytes);
  const hdf5 = new Hdf5(file, new Budget('keras', file.length));
  const prefix = hdf5.has('model_weights') ? 'model_weights/' : '';
  const weights = new Map<string, TensorLike>();
  for (const [path, dataset] of hdf5.contents.datasets) {
    const wanted = path.startsWith(prefix) && !path.startsWith(OPTIMIZER);
    if (!wanted || dataset.type.kind !== 'float') continue;
    const tensor = hdf5.tensor(dataset);
    weights.set(path.slice(prefix.length), { data: tensor.read(), dims: [...tensor.dims] });
  }
  return weights;
}

function loadTfjs(modelJson: unknown, weights: unknown): KerasModel {
  const list = Array.isArray(weights) ? weights : [weights];
  const shards = new Shards(list.map((shard) => checkFile(LOAD, shard)));
  const text = typeof modelJson === 'string' ? encodeUtf8(modelJson) : undefined;
  if (!text && tag(modelJson) !== 'Object') throw wrongType(LOAD, 'modelJson', 'an object or its text', modelJson);
  const budget = new Budget('keras', shards.length + (text?.length ?? 0));
  const json = text ? Config.parse('model.json', text, budget) : new Config('model.json', modelJson);
  const topology = json.get('modelTopology');
  if (json.get('format').value === 'graph-model') {
    const text = 'this is a graph model, not one of layers: convert with --output_format tfjs_layers_model';
    refuse('unsupported', 'model.json.format', text, 'layers-model', 'graph-model');
  }
  if (!topology.given) topology.refuse('missing-field', 'a model of tfjs-layers', 'none');
  // converters put what Keras wrote into model_config
  const inner = topology.get('model_config');
  const version = topology.get('keras_version');
  const manifest = json.get('weightsManifest');
  return buildModel(inner.given ? inner : topology, version.given ? version.string() : '', (layers) => {
    return new NamedWeights(layers, readManifest(manifest, shards, budget));
  });
}

/** The entries of a .keras file. */
const CONFIG = 'config.json';
const METADATA = 'metadata.json';
const WEIGHTS = 'model.weights.h5';

function loadArchive(file: Uint8Array<ArrayBuffer>): KerasModel {
  if (file[0] === 0x89 && file[1] === 0x48) {
    refuse('not-a-zip', 'byte 0', 'this is an HDF5 file: pass it as { h5 }', 'a zip', 'HDF5');
  }
  const budget = new Budget('keras', file.length);
  const zip = new Zip(file, budget, refuse);
  for (const name of [CONFIG, METADATA, WEIGHTS]) {
    if (!zip.has(name))
      refuse('missing-entry', name, `the zip has no entry ${name}, as Keras writes it`, name, undefined);
  }
  const json = (name: string) => Config.parse(name, zip.read(name), budget);
  const version = json(METADATA).get('keras_version').string();
  return buildModel(json(CONFIG), version, () => {
    return new FiledWeights(new Hdf5(zip.read(WEIGHTS) as Uint8Array<ArrayBuffer>, budget));
  });
}

function loadHdf5(file: Uint8Array<ArrayBuffer>): KerasModel {
  if (file[0] === 0x50 && file[1] === 0x4b) {
    refuse('not-hdf5', 'byte 0', 'this is a zip: pass it as { keras }', 'HDF5', 'a zip');
  }
  const budget = new Budget('keras', file.length);
  const hdf5 = new Hdf5(file, budget);
  const json = hdf5.text('', 'model_config');
  if (json === undefined) {
    const text = 'the file has weights only, no model: save it with model.save, or read it with readKerasWeights';
    refuse('missing-model', '/@model_config', text, 'model_config', 'none');
  }
  const model = Config.parse('model_config', encodeUtf8(json), budget);
  return buildModel(model, hdf5.text('', 'keras_version') ?? '', (layers) => {
    return new NamedWeights(layers, listedWeights(hdf5));
  });
}
