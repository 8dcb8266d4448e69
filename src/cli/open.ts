import { readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { describeFile } from '../files/what-file.ts';
import type { AnyTensor } from '../index.ts';
import { about, CliError, nameOf, refuseCall } from './errors.ts';
import { isFile, isFolder, readBeside, readBytes, readStart } from './files.ts';
import { ARCHITECTURE, CHECKPOINT, readModel } from './formats.ts';
import type { Model } from './model.ts';
import { stateDictModel } from './models/state-dict.ts';

// Models by the paths of their files: formats.ts says which reader they are for.

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

function openAny(path: string, { key, weights }: OpenChoices): Promise<Model> {
  return about(path, async () => {
    if (isFolder(path)) throw new CliError(explainFolder(path));
    // a large file of tensors is not read as a whole
    if (isFile(path) && describeFile(readStart(path, START)) === 'a safetensors file') return openTensors(path);
    const choices = { key, weights: weights === undefined ? undefined : () => readBytes(weights) };
    return readModel(path, readBytes(path), choices, (name) => readBeside(path, name));
  });
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
