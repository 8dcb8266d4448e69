import { Budget } from './budget.ts';
import { checkFile } from './bytes.ts';
import { buildModel } from './keras/build.ts';
import { Config } from './keras/config.ts';
import { readManifest, Shards } from './keras/manifest.ts';
import type { KerasModel } from './keras/model.ts';
import { NamedWeights } from './keras/named-weights.ts';
import { LOAD } from './keras/refuse.ts';
import { checkOptions, tag, wrongType } from './tensor.ts';
import { encodeUtf8 } from './utf8.ts';

export { ModelError } from './errors.ts';
export type { KerasInput, KerasModel, KerasSpec } from './keras/model.ts';

type Bytes = Uint8Array | ArrayBuffer;

/** model.json of TensorFlow.js, as its text or as the object that JSON.parse makes of it, and the files that it names. */
export interface TfjsModel {
  readonly modelJson: string | object;
  /** The file of weights, or all of them in the order of weightsManifest */
  readonly weights: Bytes | readonly Bytes[];
}

export type KerasSource = TfjsModel;

export function loadKeras(source: KerasSource): KerasModel {
  checkOptions(LOAD, source, ['modelJson', 'weights']);
  return loadTfjs(source as TfjsModel);
}

function loadTfjs({ modelJson, weights }: TfjsModel): KerasModel {
  const list = Array.isArray(weights) ? (weights as readonly Bytes[]) : [weights as Bytes];
  const shards = new Shards(list.map((shard) => checkFile(LOAD, shard)));
  const text = typeof modelJson === 'string' ? encodeUtf8(modelJson) : undefined;
  const budget = new Budget('keras', shards.length + (text?.length ?? 0));
  if (!text && tag(modelJson) !== 'Object') throw wrongType(LOAD, 'modelJson', 'an object or its text', modelJson);
  const json = text ? Config.parse('model.json', text, budget) : new Config('', modelJson);
  const topology = json.get('modelTopology');
  if (!topology.given) topology.refuse('missing-field', 'the model, as tfjs-layers saves it', 'none');
  const manifest = json.get('weightsManifest');
  // converters put what Keras wrote into model_config
  const model = topology.get('model_config').given ? topology.get('model_config') : topology;
  const version = topology.get('keras_version');
  return buildModel(model, version.given ? version.string() : '', (layers) => {
    return new NamedWeights(layers, readManifest(manifest, shards, budget));
  });
}
