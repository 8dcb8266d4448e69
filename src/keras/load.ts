import { ModelError } from '../base/errors.ts';
import { describe, tag, wrongType } from '../base/tensor.ts';
import { Budget } from '../files/budget.ts';
import { checkFile } from '../files/bytes.ts';
import { encodeUtf8 } from '../files/utf8.ts';
import { describeFile, explainRefusal } from '../files/what-file.ts';
import { Zip } from '../files/zip/zip.ts';
import { buildModel } from './build.ts';
import { Config } from './config.ts';
import type { Topology } from './connections.ts';
import type { FileRecord } from './file.ts';
import { Hdf5 } from './hdf5/file.ts';
import { FiledWeights, hasListedWeights, isFiled, listDatasets, listedWeights } from './hdf5-weights.ts';
import { readManifest } from './manifest.ts';
import type { KerasModel } from './model.ts';
import { NamedWeights } from './named-weights.ts';
import { refuse, WHO } from './refuse.ts';
import { checkWeights, countBytes, type WeightFiles } from './shards.ts';

// The files that a model comes in. What their caller gave is checked and named as the caller names it.

const LOAD = 'loadKeras';

/** Kinds of files that are refused for reasons of their own. */
const OWN = ['an HDF5 file', 'a .keras file', 'a zip file'];
/** Kinds of files that stand in the place of weights by mistake. */
const PAGES = ['an HTML page', 'an XML document', 'a Git LFS pointer'];

// the entries of a .keras file
const CONFIG = 'config.json';
const METADATA = 'metadata.json';
const WEIGHTS = 'model.weights.h5';

/** Checks that what a caller gave has names for its files. */
export function checkSource(who: string, source: unknown): void {
  const wanted = '{ h5 }, { keras }, { modelJson, weights } or { modelJson, h5 }';
  if (typeof source === 'string') {
    throw wrongType(
      who,
      'source',
      `${wanted} with the bytes of the file, so read it first: nothing is opened here`,
      source,
    );
  }
  if (ArrayBuffer.isView(source) || tag(source) === 'ArrayBuffer') {
    const kind = describeFile(checkFile(who, source, 'source'));
    const name =
      kind === 'an HDF5 file' ? ', so pass it as { h5 }' : kind === 'a .keras file' ? ', so pass it as { keras }' : '';
    throw wrongType(who, 'source', `${wanted}${name}`, source);
  }
  if (tag(source) !== 'Object') throw wrongType(who, 'source', wanted, source);
  if ('modelTopology' in (source as object)) {
    throw wrongType(who, 'source', `${wanted}, so pass the object as modelJson`, source);
  }
}

/** Loads a model of TensorFlow.js. */
export function loadTfjs(modelJson: unknown, weights: unknown, record?: FileRecord): KerasModel {
  const files = checkWeights(LOAD, weights);
  const text = textOf(modelJson);
  const budget = new Budget(WHO, countBytes(files) + (text?.length ?? 0));
  const json = parseModelJson(modelJson, text, budget);
  const topology = json.get('modelTopology');
  refuseGraphModel(json);
  if (!topology.given) {
    const note = json.get('class_name').given ? ': it is an architecture alone, so pass { modelJson, h5 }' : '';
    refuse('missing-field', topology.path, describe(topology.path), 'a model of tfjs-layers', 'none', note);
  }
  const { model, version } = findModel(json);
  const makeWeights = (topology: Topology) => {
    const manifest = json.get('weightsManifest');
    return explainWeights(files, () => new NamedWeights(topology, readManifest(manifest, files, budget)));
  };
  return buildModel(model, version, makeWeights, record);
}

/** Loads an architecture and the weights that save_weights() wrote. */
export function loadPair(modelJson: unknown, h5: unknown, record?: FileRecord): KerasModel {
  const file = checkFile(LOAD, h5, 'h5');
  const text = textOf(modelJson);
  const budget = new Budget(WHO, file.length + (text?.length ?? 0));
  const json = parseModelJson(modelJson, text, budget);
  refuseGraphModel(json);
  const { model, version } = findModel(json);
  const hdf5 = openHdf5(file, budget);
  const makeWeights = (topology: Topology) => {
    const datasets = listDatasets(hdf5);
    // weights that no list names are in the order of layers
    return !hasListedWeights(hdf5) && isFiled(datasets)
      ? new FiledWeights(hdf5, datasets)
      : new NamedWeights(topology, listedWeights(hdf5));
  };
  return buildModel(model, version || writerOf(hdf5, model), makeWeights, record);
}

/** Loads a `.keras` file. */
export function loadArchive(keras: unknown, record?: FileRecord): KerasModel {
  const file = checkFile(LOAD, keras, 'keras');
  if (file[0] === 0x89 && file[1] === 0x48) {
    refuse('not-a-zip', 'byte 0', 'the file', 'a zip', 'HDF5', ': pass it as { h5 }');
  }
  const budget = new Budget(WHO, file.length);
  const zip = explainRefusal(WHO, file, OWN, () => new Zip(file, budget, refuse));
  for (const name of [CONFIG, METADATA, WEIGHTS]) {
    if (!zip.has(name)) refuse('missing-entry', name, 'the zip', name, undefined, ': Keras did not write it');
  }
  const json = (name: string) => Config.parse(name, zip.read(name), budget);
  const version = json(METADATA).get('keras_version').string();
  const makeWeights = () => new FiledWeights(new Hdf5(zip.read(WEIGHTS) as Uint8Array<ArrayBuffer>, budget));
  return buildModel(json(CONFIG), version, makeWeights, record);
}

/** Loads a whole model in an `.h5` file. */
export function loadHdf5(h5: unknown, record?: FileRecord): KerasModel {
  const file = checkFile(LOAD, h5, 'h5');
  const budget = new Budget(WHO, file.length);
  const hdf5 = openHdf5(file, budget);
  const json = hdf5.text('', 'model_config');
  if (json === undefined) {
    const note =
      ': it has weights only. Pass the architecture, which to_json() gives, as { modelJson, h5 }, or read the weights with readKerasWeights';
    refuse('missing-model', '/@model_config', 'the attributes of the file', 'model_config', 'none', note);
  }
  const model = Config.parse('model_config', encodeUtf8(json), budget);
  const makeWeights = (topology: Topology) => new NamedWeights(topology, listedWeights(hdf5));
  return buildModel(model, writerOf(hdf5, model), makeWeights, record);
}

/** Opens an HDF5 file; says what another file is. */
export function openHdf5(file: Uint8Array<ArrayBuffer>, budget: Budget): Hdf5 {
  if (file[0] === 0x50 && file[1] === 0x4b) {
    refuse('not-hdf5', 'byte 0', 'the file', 'HDF5', 'a zip', ': pass it as { keras }');
  }
  return explainRefusal(WHO, file, OWN, () => new Hdf5(file, budget));
}

/** Gives the bytes of model.json; undefined if it is an object. */
function textOf(modelJson: unknown): Uint8Array | undefined {
  const wanted = 'the text of model.json or the object that it stands for';
  if (ArrayBuffer.isView(modelJson) || tag(modelJson) === 'ArrayBuffer') return checkFile(LOAD, modelJson, 'modelJson');
  if (typeof modelJson !== 'string') {
    if (tag(modelJson) === 'Object') return undefined;
    throw wrongType(LOAD, 'modelJson', wanted, modelJson);
  }
  if (/^[^\s{[<"]+\.json$/i.test(modelJson)) {
    throw wrongType(LOAD, 'modelJson', `${wanted}, so read the file first: nothing is opened here`, modelJson);
  }
  return encodeUtf8(modelJson);
}

function parseModelJson(modelJson: unknown, text: Uint8Array | undefined, budget: Budget): Config {
  if (!text) return new Config('model.json', modelJson);
  return explainRefusal(WHO, text, ['JSON', 'JSON, a model of TensorFlow.js'], () =>
    Config.parse('model.json', text, budget),
  );
}

function refuseGraphModel(json: Config): void {
  if (json.get('format').value !== 'graph-model') return;
  const note = ': convert with --output_format tfjs_layers_model';
  refuse('unsupported', 'model.json.format', 'model.json.format', 'layers-model', 'graph-model', note);
}

/**
 * Finds the class and config of a model, and the version of its writer: in modelTopology of TensorFlow.js, and there in
 * model_config, where converters put what Keras wrote; or at the top, where to_json() of Keras has them.
 */
function findModel(json: Config): { model: Config; version: string } {
  const topology = json.get('modelTopology').given ? json.get('modelTopology') : json;
  const inner = topology.get('model_config');
  const version = topology.get('keras_version');
  return { model: inner.given ? inner : topology, version: version.given ? version.string() : '' };
}

/** Tells the version of the writer. to_json() of Keras 3 leaves it out, as its .weights.h5 does, but has module paths of its own. */
function writerOf(hdf5: Hdf5, model: Config): string {
  const version = [
    hdf5.text('', 'keras_version'),
    hdf5.has('model_weights') ? hdf5.text('model_weights', 'keras_version') : undefined,
  ];
  return version.find(Boolean) ?? (model.get('registered_name').value !== undefined ? '3' : '');
}

/** Reads weights; says what a file of them is that is something else. */
function explainWeights<T>(files: WeightFiles, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    for (const file of files.values()) {
      const kind = describeFile(file);
      if (kind === 'an HDF5 file') {
        throw new ModelError(
          `${WHO}: the weights are an HDF5 file: pass them as { modelJson, h5 }`,
          error as ModelError,
        );
      }
      if (kind && PAGES.includes(kind))
        return explainRefusal(WHO, file, [], () => {
          throw error;
        });
    }
    throw error;
  }
}
