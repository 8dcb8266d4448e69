import { parseSafetensors, serializeSafetensors } from 'lstm-wasm/safetensors';
import { readInput, writeOutput } from '../program.mjs';
import { readModel } from './model.mjs';
import { OneCaller, VoiceNetwork } from './network.mjs';
import { expand, shrink } from './small.mjs';
import { readWeights } from './weights.mjs';

/**
 * A detector of the small form: the layers alone, for 16 kHz.
 * @param {{ model: string, weights?: string, int8: boolean }} options `weights`: a file that saveWeights() wrote; or else the model's
 */
export function openSmall({ model, weights, int8 }) {
  if (weights !== undefined) return new OneCaller(new VoiceNetwork(expand(parseSafetensors(readInput(weights)))));
  const read = readWeights(readModel(model));
  return new OneCaller(new VoiceNetwork(int8 ? expand(shrink(read)) : read));
}

/** Writes the weights of the small form. @param {string} path @param {{ model: string, int8: boolean }} options */
export function saveWeights(path, { model, int8 }) {
  const weights = readWeights(readModel(model));
  writeOutput(path, serializeSafetensors(int8 ? shrink(weights) : weights));
}
