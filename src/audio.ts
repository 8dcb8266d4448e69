import { readEffect } from './audio/explain.ts';
import { readGuitarML } from './audio/guitarml.ts';
import { AudioModel } from './audio/model.ts';
import { readNam } from './audio/nam.ts';
import { readRTNeural } from './audio/rtneural.ts';

import { type KernelOptions, useKernels } from './cells/kernels.ts';

export type { AudioModel } from './audio/model.ts';
export type { AudioLayer } from './audio/stages.ts';
export { ModelError, type ModelErrorDetails } from './base/errors.ts';
export type { TensorLike } from './base/tensor.ts';
export type { KernelOptions as RTNeuralOptions } from './cells/kernels.ts';
export type { WasmModule } from './memory/wasm.ts';
export type { LSTMState } from './nn/state.ts';

/**
 * Reads a model of Neural Amp Modeler (`.nam`) with the architecture LSTM
 * (https://neural-amp-modeler.readthedocs.io/en/latest/model-file.html), or a Sequential or SlimmableContainer of such models, of
 * which the last, the full size, plays. It starts in the state that the file has, without a prewarm.
 * @param json the file: its text, or the object that JSON.parse makes of it
 * @throws ModelError that names the place in the file and what is wrong with it
 * @throws TypeError if `json` is neither a string nor an object
 * @example
 * ```js
 * import { readFileSync } from 'node:fs'; // in a page: await (await fetch('amp.nam')).text()
 * import { loadNam } from 'lstm-wasm/audio';
 *
 * const amp = loadNam(readFileSync('amp.nam', 'utf8'));
 * const block = new Float32Array(128).fill(0.5);
 * amp.process(block, block); // in place; any length, the same bits however a signal is cut
 * console.log(block[0] !== 0.5); // true
 * ```
 */
export function loadNam(json: string | object): AudioModel {
  return load('NAM', readNam, json);
}

/**
 * Reads a model in the JSON of RTNeural (https://github.com/jatinchowdhury18/RTNeural): layers from Keras (`in_shape`,
 * `layers`), or a PyTorch state dict, whose modules play in the order of the file. Inputs after the first are knobs.
 * @param json the file: its text, or the object that JSON.parse makes of it
 * @param options `kernels`: the compiled `lstm-wasm/lstm-onnx.wasm`, where a runtime forbids compiling bytes and a layer has the
 *   activation elu
 * @throws ModelError that names the place in the file and what is wrong with it
 * @throws TypeError if `json` is neither a string nor an object
 * @example
 * ```js
 * import { loadRTNeural } from 'lstm-wasm/audio';
 *
 * const gain = { type: 'dense', activation: '', shape: [null, null, 1], weights: [[[2]], [0.25]] };
 * const model = loadRTNeural({ in_shape: [null, null, 1], layers: [gain] });
 * const output = new Float32Array(3);
 * model.process(Float32Array.of(0, 0.5, 1), output);
 * console.log(output); // Float32Array(3) [ 0.25, 1.25, 2.25 ]
 * ```
 */
export function loadRTNeural(json: string | object, options?: KernelOptions): AudioModel {
  useKernels('loadRTNeural', options);
  return load('RTNeural', readRTNeural, json);
}

/**
 * Reads a model of GuitarML's trainers (https://github.com/GuitarML/Automated-GuitarAmpModelling), with `model_data` and
 * `state_dict`: output = lin(h), plus the input with `skip`. Inputs after the first are knobs.
 * @param json the file: its text, or the object that JSON.parse makes of it
 * @throws ModelError that names the place in the file and what is wrong with it
 * @throws TypeError if `json` is neither a string nor an object
 * @example
 * ```js
 * import { loadGuitarML } from 'lstm-wasm/audio';
 *
 * const sizes = { input_size: 2, hidden_size: 1, num_layers: 1, output_size: 1 };
 * const amp = loadGuitarML({
 *   model_data: { model: 'SimpleRNN', unit_type: 'LSTM', skip: 1, ...sizes },
 *   state_dict: {
 *     'rec.weight_ih_l0': [[0.5, 0], [0, 0.5], [1, 0], [0, 1]], // gates i, f, g, o
 *     'rec.weight_hh_l0': [[0], [0], [0], [0]],
 *     'rec.bias_ih_l0': [0, 0, 0, 0],
 *     'rec.bias_hh_l0': [0, 0, 0, 0],
 *     'lin.weight': [[1]],
 *     'lin.bias': [0],
 *   },
 * });
 * const block = new Float32Array(64);
 * amp.process(block, block, [0.5]); // one knob, beside the signal
 * console.log(block[63]); // 0
 * ```
 */
export function loadGuitarML(json: string | object): AudioModel {
  return load('GuitarML', readGuitarML, json);
}

function load(who: string, read: typeof readNam, json: unknown): AudioModel {
  return new AudioModel(readEffect(who, read, json));
}
