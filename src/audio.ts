import { Field } from './audio/field.ts';
import { readGuitarML } from './audio/guitarml.ts';
import { AudioModel } from './audio/model.ts';
import { readNam } from './audio/nam.ts';
import { readRTNeural } from './audio/rtneural.ts';

export type { AudioModel } from './audio/model.ts';
export { ModelError } from './base/errors.ts';

/**
 * A model of Neural Amp Modeler (`.nam`) with the architecture LSTM. It starts in the state that the file has, without a
 * prewarm.
 * @param json the file, as its text or as the object that JSON.parse makes of it
 * @throws ModelError that names the place in the file and what is wrong with it
 */
export function loadNam(json: string | object): AudioModel {
  return load('NAM', readNam, json);
}

/**
 * A model in RTNeural's JSON: layers from Keras (`in_shape`, `layers`), or a PyTorch state dict, of which the LSTMs come first,
 * in the natural order of their names, then the dense layers.
 * @param json the file, as its text or as the object that JSON.parse makes of it
 * @throws ModelError that names the place in the file and what is wrong with it
 */
export function loadRTNeural(json: string | object): AudioModel {
  return load('RTNeural', readRTNeural, json);
}

/**
 * A model of GuitarML's trainers (`model_data` and `state_dict`): output = lin(h), with `skip` plus the input. Its second and
 * later inputs are knobs.
 * @param json the file, as its text or as the object that JSON.parse makes of it
 * @throws ModelError that names the place in the file and what is wrong with it
 */
export function loadGuitarML(json: string | object): AudioModel {
  return load('GuitarML', readGuitarML, json);
}

function load(who: string, read: typeof readNam, json: unknown): AudioModel {
  return new AudioModel(read(who, Field.read(who, json)));
}
