import { readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { ModelError } from '../base/errors.ts';
import { describeFile, explainRefusal } from '../files/what-file.ts';
import type { AnyTensor } from '../index.ts';
import { about, CliError, messageOf, nameOf, refuseCall } from './errors.ts';
import { isFile, isFolder, readBeside, readBytes, readStart } from './files.ts';
import type { Model } from './model.ts';
import { isSavedState, savedStateModel } from './models/saved-state.ts';
import { stateDictModel } from './models/state-dict.ts';

// Which reader a file is for, by its content. Readers are loaded when they are needed.

/** Choices of how a file is read. */
export interface OpenChoices {
  /** The key of the state dict in a checkpoint, with dots between keys. */
  readonly key?: string | undefined;
  /** The file of weights of an architecture of Keras. */
  readonly weights?: string | undefined;
}

/** Bytes that tell a format. */
const START = 4096;

/** Reads a model file of any format. @throws CliError */
export async function openModel(path: string, choices: OpenChoices = {}): Promise<Model> {
  const model = await openAny(path, choices);
  // a choice that had no effect is one that the caller believes to have made
  if (choices.key !== undefined && model.format !== CHECKPOINT)
    refuseCall(`--key is for a PyTorch checkpoint; ${nameOf(path)} is ${model.format}`);
  if (choices.weights !== undefined && model.format !== ARCHITECTURE)
    refuseCall(`--weights is for an architecture of Keras in JSON; ${nameOf(path)} is ${model.format}`);
  return model;
}

const CHECKPOINT = 'PyTorch checkpoint';
const ARCHITECTURE = 'Keras (JSON and .h5)';

function openAny(path: string, choices: OpenChoices): Promise<Model> {
  return about(path, async () => {
    if (isFolder(path)) throw new CliError(explainFolder(path));
    // a large file of tensors is not read as a whole
    if (isFile(path) && describeFile(readStart(path, START)) === 'a safetensors file') return openTensors(path);
    return readModel(path, readBytes(path), choices);
  });
}

async function readModel(path: string, bytes: Uint8Array<ArrayBuffer>, choices: OpenChoices): Promise<Model> {
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
      return openOnnx(path, bytes);
    case 'a zip file':
      return contains(bytes, 'model.weights.h5')
        ? (await import('./models/keras.ts')).kerasModel('Keras (.keras)', { keras: bytes })
        : checkpointModel(bytes, choices);
    case 'JSON':
    case 'JSON, an index of shards':
    case 'JSON, a model of TensorFlow.js':
      return openJson(path, bytes, choices);
    case undefined:
      return openUnknown(path, bytes, choices);
    default:
      return explainRefusal('no model is in it', bytes, [], () => {
        throw new ModelError('', { code: 'unsupported', path: '', expected: 'a model', found: undefined });
      });
  }
}

/** Opens a file whose first bytes tell nothing: its name says whose error is shown. Fields of an ONNX file may come in any order. */
async function openUnknown(path: string, bytes: Uint8Array<ArrayBuffer>, choices: OpenChoices): Promise<Model> {
  if (/\.safetensors$/i.test(path)) {
    return tensorsModel('safetensors', [], (await import('../safetensors.ts')).parseSafetensors(bytes));
  }
  if (/\.(pt|pth|bin|ckpt)$/i.test(path)) return checkpointModel(bytes, choices);
  if (/\.(h5|hdf5|keras)$/i.test(path)) return openHdf5(bytes);
  return openOnnx(path, bytes);
}

/** Opens a file of tensors, of which only those are read that are asked for. */
async function openTensors(path: string): Promise<Model> {
  const { openSafetensors } = await import('../safetensors.ts');
  const handle = await open(path);
  try {
    const file = await openSafetensors(handle);
    return await stateDictModel('safetensors', [], file.tensors, async (names) => {
      const again = await open(path);
      try {
        const source = await openSafetensors(again);
        const tensors = new Map<string, AnyTensor>();
        for (const name of names) tensors.set(name, await source.read(name));
        return tensors;
      } finally {
        await again.close();
      }
    });
  } finally {
    await handle.close();
  }
}

function tensorsModel(
  format: string,
  facts: Model['facts'],
  tensors: ReadonlyMap<string, AnyTensor & { readonly dtype: string }>,
): Promise<Model> {
  return stateDictModel(format, facts, tensors, async (names) => {
    return new Map(names.map((name) => [name, tensors.get(name)!]));
  });
}

async function checkpointModel(bytes: Uint8Array<ArrayBuffer>, { key }: OpenChoices): Promise<Model> {
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

async function openOnnx(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<Model> {
  const { onnxModel } = await import('./models/onnx.ts');
  try {
    return onnxModel(path, bytes);
  } catch (error) {
    if (contains(bytes, 'saved_model')) {
      throw new CliError('this is a SavedModel of TensorFlow, which is not read: write model.save("model.keras")');
    }
    if (describeFile(bytes) !== undefined || /\.onnx$/i.test(path)) throw error;
    throw new CliError(
      'its first bytes tell no format that is read: safetensors, PyTorch, ONNX, Keras, TensorFlow.js, JSON of effects',
    );
  }
}

async function openJson(path: string, bytes: Uint8Array<ArrayBuffer>, { weights }: OpenChoices): Promise<Model> {
  const text = decodeText(bytes);
  const json = parseObject(text);
  const has = (...keys: readonly string[]) => keys.every((key) => Object.hasOwn(json, key));
  if (has('weight_map')) return openShards(path, bytes, json.weight_map);
  if (has('modelTopology') || has('weightsManifest')) {
    const { kerasModel } = await import('./models/keras.ts');
    if (weights !== undefined) return kerasModel(ARCHITECTURE, { modelJson: text, h5: readBytes(weights) });
    const files = new Map(pathsOf(json.weightsManifest).map((name) => [name, readBeside(path, name)]));
    return kerasModel('TensorFlow.js', { modelJson: text, weights: files });
  }
  if (has('class_name', 'config')) {
    const { kerasModel } = await import('./models/keras.ts');
    if (weights === undefined)
      throw new CliError('this is an architecture of Keras: give the file of its weights as --weights FILE.h5');
    return kerasModel(ARCHITECTURE, { modelJson: text, h5: readBytes(weights) });
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
async function openShards(path: string, index: Uint8Array<ArrayBuffer>, map: unknown): Promise<Model> {
  const names = [...new Set(Object.values(Object(map) as object))].filter((name) => typeof name === 'string');
  const files = new Map(names.map((name) => [name, readBeside(path, name)]));
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

function contains(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(text);
}

/** Says which file of a folder to give. */
function explainFolder(path: string): string {
  const names = readdirSync(path);
  if (names.includes('saved_model.pb')) {
    return 'is a SavedModel of TensorFlow, which is not read: write model.save("model.keras") and give that file';
  }
  const known = names
    .filter((name) => /\.(safetensors(\.index\.json)?|pt|pth|bin|onnx|keras|h5|nam|json)$/i.test(name))
    .slice(0, 3);
  return `is a folder: give a file of it${known.length > 0 ? `, such as ${known.join(', ')}` : ''}`;
}
