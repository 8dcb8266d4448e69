import { ModelError } from '../base/errors.ts';
import { describeFile, explainRefusal } from '../files/what-file.ts';
import type { AnyTensor } from '../index.ts';
import { CliError, messageOf } from './errors.ts';
import type { Beside, Model } from './model.ts';
import { isSavedState, savedStateModel } from './models/saved-state.ts';
import { stateDictModel } from './models/state-dict.ts';

// Which reader bytes are for, by their content. Readers are loaded when they are needed. Nothing here knows where files lie, so that
// a page reads models by the same rules.

/** Choices of how bytes are read. */
export interface FormatChoices {
  /** The key of the state dict in a checkpoint, with dots between keys. */
  readonly key?: string | undefined;
  /** Gives the bytes of the file of weights of an architecture of Keras. */
  readonly weights?: (() => Uint8Array<ArrayBuffer>) | undefined;
}

export const CHECKPOINT = 'PyTorch checkpoint';
export const ARCHITECTURE = 'Keras (JSON and .h5)';

/**
 * Reads a model of any format.
 * @param name the file's name or path, whose ending decides where the first bytes tell nothing
 * @throws CliError or ModelError
 */
export async function readModel(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  choices: FormatChoices,
  beside: Beside,
): Promise<Model> {
  if (isSavedState(bytes)) return savedStateModel(bytes);
  switch (describeFile(bytes)) {
    case 'a safetensors file':
      return tensorsModel('safetensors', [], (await import('../safetensors.ts')).parseSafetensors(bytes));
    case 'a zip file of torch.save':
    case 'a Python pickle':
      return checkpointModel(bytes, choices);
    case 'a .keras file':
      return (await import('./models/keras.ts')).kerasModel('Keras (.keras)', { keras: bytes });
    case 'an HDF5 file':
      return openHdf5(bytes);
    case 'an ONNX model':
      return openOnnx(name, bytes, beside);
    case 'a zip file':
      return contains(bytes, 'model.weights.h5')
        ? (await import('./models/keras.ts')).kerasModel('Keras (.keras)', { keras: bytes })
        : checkpointModel(bytes, choices);
    case 'JSON':
    case 'JSON, an index of shards':
    case 'JSON, a model of TensorFlow.js':
      return openJson(bytes, choices, beside);
    case undefined:
      return openUnknown(name, bytes, choices, beside);
    default:
      return explainRefusal('no model is in it', bytes, [], () => {
        throw new ModelError('', { code: 'unsupported', path: '', expected: 'a model', found: undefined });
      });
  }
}

/** Opens a file whose first bytes tell nothing: its name says whose error is shown. Fields of an ONNX file may come in any order. */
async function openUnknown(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  choices: FormatChoices,
  beside: Beside,
): Promise<Model> {
  if (/\.safetensors$/i.test(name)) {
    return tensorsModel('safetensors', [], (await import('../safetensors.ts')).parseSafetensors(bytes));
  }
  if (/\.(pt|pth|bin|ckpt)$/i.test(name)) return checkpointModel(bytes, choices);
  if (/\.(h5|hdf5|keras)$/i.test(name)) return openHdf5(bytes);
  return openOnnx(name, bytes, beside);
}

export function tensorsModel(
  format: string,
  facts: Model['facts'],
  tensors: ReadonlyMap<string, AnyTensor & { readonly dtype: string }>,
): Promise<Model> {
  return stateDictModel(format, facts, tensors, async (names) => {
    return new Map(names.map((name) => [name, tensors.get(name)!]));
  });
}

async function checkpointModel(bytes: Uint8Array<ArrayBuffer>, { key }: FormatChoices): Promise<Model> {
  const { parseCheckpoint } = await import('../pytorch.ts');
  const facts = key === undefined ? [] : [['state dict at', key] as const];
  try {
    return await tensorsModel(
      CHECKPOINT,
      facts,
      parseCheckpoint(bytes, key === undefined ? {} : { key: key.split('.') }),
    );
  } catch (error) {
    // an option of the function is one of the command
    if (error instanceof Error) error.message = error.message.replace(/\{ key: "([^"]*)" \}/g, '--key $1');
    throw error;
  }
}

async function openHdf5(bytes: Uint8Array<ArrayBuffer>): Promise<Model> {
  const { kerasModel, kerasWeightsModel } = await import('./models/keras.ts');
  try {
    return kerasModel('Keras (.h5)', { h5: bytes });
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'missing-model') throw error;
    return kerasWeightsModel(bytes);
  }
}

async function openOnnx(name: string, bytes: Uint8Array<ArrayBuffer>, beside: Beside): Promise<Model> {
  const { onnxModel } = await import('./models/onnx.ts');
  try {
    return onnxModel(bytes, beside);
  } catch (error) {
    if (contains(bytes, 'saved_model')) {
      throw new CliError('this is a SavedModel of TensorFlow, which is not read: write model.save("model.keras")');
    }
    if (describeFile(bytes) !== undefined || /\.onnx$/i.test(name)) throw error;
    throw new CliError(
      'its first bytes tell no format that is read: safetensors, PyTorch, ONNX, Keras, TensorFlow.js, JSON of effects',
    );
  }
}

async function openJson(bytes: Uint8Array<ArrayBuffer>, { weights }: FormatChoices, beside: Beside): Promise<Model> {
  const text = decodeText(bytes);
  const json = parseObject(text);
  const has = (...keys: readonly string[]) => keys.every((key) => Object.hasOwn(json, key));
  if (has('weight_map')) return openShards(bytes, json.weight_map, beside);
  if (has('modelTopology') || has('weightsManifest')) {
    const { kerasModel } = await import('./models/keras.ts');
    if (weights !== undefined) return kerasModel(ARCHITECTURE, { modelJson: text, h5: weights() });
    const files = new Map(pathsOf(json.weightsManifest).map((name) => [name, beside(name)]));
    return kerasModel('TensorFlow.js', { modelJson: text, weights: files });
  }
  if (has('class_name', 'config')) {
    const { kerasModel } = await import('./models/keras.ts');
    if (weights === undefined)
      throw new CliError('this is an architecture of Keras: give the file of its weights as --weights FILE.h5');
    return kerasModel(ARCHITECTURE, { modelJson: text, h5: weights() });
  }
  const { audioModel } = await import('./models/audio.ts');
  if (has('architecture')) return audioModel('nam', text, json);
  if (has('model_data') || has('state_dict')) return audioModel('guitarml', text, json);
  if (has('layers') || has('in_shape') || Object.keys(json).some((key) => key.endsWith('weight_ih_l0'))) {
    return audioModel('rtneural', text, json);
  }
  throw new CliError(
    'this is JSON, but neither a model of TensorFlow.js, Neural Amp Modeler, RTNeural or GuitarML nor an index of shards',
  );
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CliError('this looks like JSON, but is not UTF-8');
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CliError(`this looks like JSON, but is not: ${messageOf(error)}`);
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json))
    throw new CliError('this is JSON, but no object');
  return json as Readonly<Record<string, unknown>>;
}

/** The paths of a weightsManifest, which the reader checks again. */
function pathsOf(manifest: unknown): string[] {
  const groups: unknown[] = Array.isArray(manifest) ? manifest : [];
  const paths = groups.flatMap((group) => (Object(group) as { paths?: unknown }).paths ?? []);
  return [...new Set(paths.filter((each): each is string => typeof each === 'string'))];
}

/** Reads a model of several files: safetensors, or checkpoints of torch. */
async function openShards(index: Uint8Array<ArrayBuffer>, map: unknown, beside: Beside): Promise<Model> {
  const names = [...new Set(Object.values(Object(map) as object))].filter((name) => typeof name === 'string');
  const files = new Map(names.map((name) => [name, beside(name)]));
  const facts = [['files', String(files.size)] as const];
  const isTorch = [...files.values()].some((file) => /torch|pickle/.test(describeFile(file) ?? ''));
  if (isTorch) {
    const { parseCheckpoint } = await import('../pytorch.ts');
    const tensors = new Map([...files.values()].flatMap((file) => [...parseCheckpoint(file)]));
    return tensorsModel('PyTorch checkpoints, by their index', facts, tensors);
  }
  const { parseSafetensorsShards } = await import('../safetensors.ts');
  return tensorsModel('safetensors, by their index', facts, parseSafetensorsShards(index, files));
}

/** Tells whether bytes have a text of ASCII in them. */
function contains(bytes: Uint8Array, text: string): boolean {
  const wanted = new TextEncoder().encode(text);
  for (let at = bytes.indexOf(wanted[0]!); at >= 0; at = bytes.indexOf(wanted[0]!, at + 1)) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}
