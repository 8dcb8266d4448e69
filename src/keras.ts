import { checkOptions, type TensorLike, tag, wrongType } from './base/tensor.ts';
import { type KernelOptions, useKernels } from './cells/kernels.ts';
import { Budget } from './files/budget.ts';
import { checkFile } from './files/bytes.ts';
import { encodeUtf8 } from './files/utf8.ts';
import { Zip } from './files/zip/zip.ts';
import { buildModel } from './keras/build.ts';
import { Config } from './keras/config.ts';
import { Hdf5 } from './keras/hdf5/file.ts';
import { FiledWeights, listDatasets, listedWeights } from './keras/hdf5-weights.ts';
import { readManifest, Shards } from './keras/manifest.ts';
import type { KerasModel } from './keras/model.ts';
import { NamedWeights } from './keras/named-weights.ts';
import { refuse, WHO } from './keras/refuse.ts';

export { ModelError, type ModelErrorDetails } from './base/errors.ts';
export type { TensorLike } from './base/tensor.ts';
export type { KernelOptions as KerasOptions } from './cells/kernels.ts';
export type { KerasInput, KerasModel, KerasSpec } from './keras/model.ts';
export type { WasmModule } from './memory/wasm.ts';

const LOAD = 'loadKeras';

/** The files of a model: those of TensorFlow.js, or the one that `model.save` wrote with the ending `.keras` or `.h5`. */
export type KerasSource =
  | {
      /** `model.json`: its text, or the object that JSON.parse makes of it. */
      readonly modelJson: string | object;
      /** The file of weights, or all of them in the order of `weightsManifest`. */
      readonly weights: Uint8Array | ArrayBuffer | readonly (Uint8Array | ArrayBuffer)[];
    }
  | {
      /** A `.keras` file of Keras 3, or of Keras 2.13 to 2.15. */
      readonly keras: Uint8Array | ArrayBuffer;
    }
  | {
      /** An `.h5` file of a whole model. */
      readonly h5: Uint8Array | ArrayBuffer;
    };

/**
 * Reads a model of Keras or TensorFlow.js, Sequential or functional with each layer called once. Nothing in a file is ever
 * run, and no other file opened. The supported layers are listed in docs/formats/keras.md; they are defined by
 * https://keras.io/api/layers/.
 * @param options `kernels`: the compiled `lstm-wasm/lstm-onnx.wasm`, where a runtime forbids compiling bytes
 * @throws ModelError if the file is damaged; or one that lists everything that is not supported
 * @throws TypeError if `source` has another form, or its bytes are shared or detached, or an option is wrong
 * @example
 * ```js
 * import { readFileSync } from 'node:fs'; // in a page: await (await fetch('model.h5')).arrayBuffer()
 * import { loadKeras } from 'lstm-wasm/keras';
 *
 * const model = loadKeras({ h5: readFileSync('model.h5') });
 * const output = model.predict({ data: new Float32Array(8), dims: [1, 4, 2] }); // 1 sample of 4 steps
 * console.log(output.dims); // [ 1, 2 ]
 * model.dispose(); // or leave it to the garbage collector
 * ```
 */
export function loadKeras(source: KerasSource, options?: KernelOptions): KerasModel {
  useKernels('loadKeras', options);
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

/** The group of an optimizer in a file of weights of Keras 3. */
const OPTIMIZER = 'optimizer/vars/';

/**
 * Reads the weights of an HDF5 file that `model.save_weights` or `model.save` wrote, by their paths: `lstm/lstm/kernel:0`, in
 * Keras 3 `layers/lstm/cell/vars/0`. Numbers that are not floating-point and the weights of an optimizer are left out. Shapes
 * and the order of gates (i, f, c, o) stay as in Keras; float64 is rounded to nearest, float16 converted exactly.
 * @param bytes the whole file
 * @throws ModelError if the file is damaged
 * @throws TypeError unless `bytes` is a Uint8Array or ArrayBuffer, neither shared nor detached
 * @example
 * ```js
 * import { readFileSync } from 'node:fs';
 * import { readKerasWeights } from 'lstm-wasm/keras';
 *
 * const weights = readKerasWeights(readFileSync('model.h5'));
 * console.log(weights.get('dense/dense/kernel:0').dims); // [ 2, 2 ]
 * ```
 */
export function readKerasWeights(bytes: Uint8Array | ArrayBuffer): Map<string, TensorLike> {
  const file = checkFile('readKerasWeights', bytes);
  const hdf5 = new Hdf5(file, new Budget(WHO, file.length));
  const prefix = hdf5.has('model_weights') ? 'model_weights/' : '';
  const weights = new Map<string, TensorLike>();
  for (const [path, dataset] of listDatasets(hdf5)) {
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
  const budget = new Budget(WHO, shards.length + (text?.length ?? 0));
  const json = text ? Config.parse('model.json', text, budget) : new Config('model.json', modelJson);
  const topology = json.get('modelTopology');
  if (json.get('format').value === 'graph-model') {
    const note = ': convert with --output_format tfjs_layers_model';
    refuse('unsupported', 'model.json.format', 'model.json.format', 'layers-model', 'graph-model', note);
  }
  if (!topology.given) topology.refuse('missing-field', 'a model of tfjs-layers', 'none');
  // converters put the config that Keras wrote into model_config
  const inner = topology.get('model_config');
  const version = topology.get('keras_version');
  const manifest = json.get('weightsManifest');
  return buildModel(inner.given ? inner : topology, version.given ? version.string() : '', (layers) => {
    return new NamedWeights(layers, readManifest(manifest, shards, budget));
  });
}

// the entries of a .keras file
const CONFIG = 'config.json';
const METADATA = 'metadata.json';
const WEIGHTS = 'model.weights.h5';

function loadArchive(file: Uint8Array<ArrayBuffer>): KerasModel {
  if (file[0] === 0x89 && file[1] === 0x48) {
    refuse('not-a-zip', 'byte 0', 'the file', 'a zip', 'HDF5', ': pass it as { h5 }');
  }
  const budget = new Budget(WHO, file.length);
  const zip = new Zip(file, budget, refuse);
  for (const name of [CONFIG, METADATA, WEIGHTS]) {
    if (!zip.has(name)) refuse('missing-entry', name, 'the zip', name, undefined, ': Keras did not write it');
  }
  const json = (name: string) => Config.parse(name, zip.read(name), budget);
  const version = json(METADATA).get('keras_version').string();
  return buildModel(json(CONFIG), version, () => {
    return new FiledWeights(new Hdf5(zip.read(WEIGHTS) as Uint8Array<ArrayBuffer>, budget));
  });
}

function loadHdf5(file: Uint8Array<ArrayBuffer>): KerasModel {
  if (file[0] === 0x50 && file[1] === 0x4b) {
    refuse('not-hdf5', 'byte 0', 'the file', 'HDF5', 'a zip', ': pass it as { keras }');
  }
  const budget = new Budget(WHO, file.length);
  const hdf5 = new Hdf5(file, budget);
  const json = hdf5.text('', 'model_config');
  if (json === undefined) {
    const note = ': it has weights only. Save a model with model.save, or read the weights with readKerasWeights';
    refuse('missing-model', '/@model_config', 'the attributes of the file', 'model_config', 'none', note);
  }
  const model = Config.parse('model_config', encodeUtf8(json), budget);
  return buildModel(model, hdf5.text('', 'keras_version') ?? '', (layers) => {
    return new NamedWeights(layers, listedWeights(hdf5));
  });
}
