import { ModelError } from './base/errors.ts';
import { checkOptions, type TensorLike } from './base/tensor.ts';
import { type KernelOptions, useKernels } from './cells/kernels.ts';
import { Budget } from './files/budget.ts';
import { checkFile } from './files/bytes.ts';
import { FileRecord, type KerasFile } from './keras/file.ts';
import { listDatasets } from './keras/hdf5-weights.ts';
import { checkSource, loadArchive, loadHdf5, loadPair, loadTfjs, openHdf5 } from './keras/load.ts';
import type { KerasModel } from './keras/model.ts';
import { WHO } from './keras/refuse.ts';

export { ModelError, type ModelErrorDetails } from './base/errors.ts';
export type { TensorLike } from './base/tensor.ts';
export type { KernelOptions as KerasOptions } from './cells/kernels.ts';
export type { KerasFile, KerasLayer } from './keras/file.ts';
export type { KerasInput, KerasModel, KerasSpec, KerasTrace } from './keras/model.ts';
export type { WasmModule } from './memory/wasm.ts';
export type { DirectionTrace, LayerTrace } from './nn/trace.ts';

const LOAD = 'loadKeras';

/**
 * The files of a model: those of TensorFlow.js, an architecture and its weights, or the one file that `model.save` wrote with the
 * ending `.keras` or `.h5`.
 */
export type KerasSource =
  | {
      /** `model.json`: its text, its bytes, or the object that JSON.parse makes of it. */
      readonly modelJson: string | object;
      /** The file of weights; or all of them by the paths of `weightsManifest`, or in a list in its order. */
      readonly weights:
        | Uint8Array
        | ArrayBuffer
        | readonly (Uint8Array | ArrayBuffer)[]
        | ReadonlyMap<string, Uint8Array | ArrayBuffer>
        | Readonly<Record<string, Uint8Array | ArrayBuffer>>;
    }
  | {
      /** The architecture that `model.to_json()` gives: its text, its bytes, or the object that JSON.parse makes of it. */
      readonly modelJson: string | object;
      /** The `.h5` file of `model.save_weights()`. */
      readonly h5: Uint8Array | ArrayBuffer;
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
 * Reads a model of Keras or TensorFlow.js, Sequential or functional, with models in models and layers that are called several
 * times. Nothing in a file is ever run, and no other file opened. The supported layers are listed in docs/formats/keras.md; they
 * are defined by https://keras.io/api/layers/.
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
  useKernels(LOAD, options);
  return load(source);
}

function load(source: KerasSource, record?: FileRecord): KerasModel {
  checkSource(LOAD, source);
  if ('keras' in source) {
    checkOptions(LOAD, source, ['keras']);
    return loadArchive(source.keras, record);
  }
  if ('h5' in source) {
    checkOptions(LOAD, source, ['h5', 'modelJson']);
    return 'modelJson' in source ? loadPair(source.modelJson, source.h5, record) : loadHdf5(source.h5, record);
  }
  checkOptions(LOAD, source, ['modelJson', 'weights']);
  return loadTfjs(source.modelJson, source.weights, record);
}

/**
 * Reads what a model is made of: its layers with their configurations and weights, those of layers that loadKeras() does not support
 * left out. Takes the memory of loadKeras() and the weights once more.
 * @throws as loadKeras(), but for layers and options that are not supported
 * @example
 * ```js
 * import { readFileSync } from 'node:fs';
 * import { parseKeras } from 'lstm-wasm/keras';
 *
 * const { layers } = parseKeras({ h5: readFileSync('model.h5') });
 * console.log(layers.map(({ className }) => className)); // [ 'LSTM', 'Bidirectional', 'Dense' ]
 * console.log(layers[0].config.units, layers[0].weights.get('kernel').dims); // 3 [ 2, 12 ]
 * ```
 */
export function parseKeras(source: KerasSource): KerasFile {
  const record = new FileRecord();
  try {
    load(source, record).dispose();
  } catch (error) {
    if (!(error instanceof ModelError && error.code === 'unsupported' && record.layers.length > 0)) throw error;
  }
  const { version, layers } = record;
  return { version, layers };
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
  const hdf5 = openHdf5(file, new Budget(WHO, file.length));
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
