import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSafetensors } from 'lstm-wasm/safetensors';
import { InputError, readInput, repository } from '../program.mjs';
import { Dtln } from './network.mjs';
import { readKeras, readOnnxWeights } from './weights.mjs';

/** Where the published files lie: `model_1.onnx`, `model_2.onnx` and `model.h5`. */
export const MODELS = fileURLToPath(repository('test/fixtures/dtln/'));

/** What an HDF5 file begins with. */
const HDF5 = '\x89HDF';

/**
 * @param {string} path a folder with model_1.onnx and model_2.onnx, Keras's model.h5, or a safetensors file of `stateDict()`
 * @param {boolean} int8 whether weights get 8 bits
 * @returns {Dtln}
 */
export function loadDtln(path = MODELS, int8 = false) {
  const network = new Dtln(readWeights(path));
  if (!int8) return network;
  const small = new Dtln(network.quantizedStateDict());
  network.dispose();
  return small;
}

function readWeights(path) {
  if (existsSync(path) && statSync(path).isDirectory()) {
    const [first, second] = ['model_1.onnx', 'model_2.onnx'].map((name) => readInput(join(path, name)));
    return readOnnxWeights(first, second);
  }
  const bytes = readInput(path);
  if (bytes.length === 0) throw new InputError(`${path}: the file is empty`);
  return bytes.toString('latin1', 0, 4) === HDF5 ? readKeras(bytes) : parseSafetensors(bytes);
}
