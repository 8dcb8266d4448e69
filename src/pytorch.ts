import { checkOptions, describe, wrongType } from './base/tensor.ts';
import { Budget } from './files/budget.ts';
import { checkFile } from './files/bytes.ts';
import { decodeUtf8, findInvalidUtf8 } from './files/utf8.ts';
import { explainRefusal } from './files/what-file.ts';
import { Zip } from './files/zip/zip.ts';
import { isLegacy, isTar, readLegacy } from './pytorch/legacy.ts';
import { refuse, WHO } from './pytorch/refuse.ts';
import { findStateDict } from './pytorch/state-dict.ts';
import { ZipStorages } from './pytorch/storages.ts';
import { type CheckpointTensor, readTensors } from './pytorch/tensors.ts';
import { unpickle } from './pytorch/unpickle.ts';

export { ModelError, type ModelErrorDetails } from './base/errors.ts';
export type { AnyTensor, AnyTypedArray } from './base/tensor.ts';
export type { CheckpointTensor } from './pytorch/tensors.ts';

/** Options of parseCheckpoint(). */
export interface CheckpointOptions {
  /**
   * The key of the state dict in a checkpoint that holds more: 'model' for `{'model': ..., 'epoch': 3}`, or a list of keys from the
   * outermost to the innermost: `['ckpt', 'state_dict']`. Whatever else is in the checkpoint may then be of any class.
   */
  readonly key?: string | readonly string[] | undefined;
}

const READ = 'parseCheckpoint';

/**
 * Reads a file that `torch.save(model.state_dict(), path)` wrote: the zip format of torch 1.6 and later, with any pickle
 * protocol (https://docs.pytorch.org/docs/stable/notes/serialization.html), or the format before it. Returns the tensors by name, in the order of the
 * state dict. F64 is rounded to nearest, F16 and BF16 are converted exactly, F32 keeps its bits. Views of shared storages come
 * in row-major order on memory of their own; names of the very same view (tied weights) share one array.
 *
 * A checkpoint never runs code: the pickle is read by a machine that knows the few globals of a state dict. Any other is refused
 * by name; with `key`, only if it is in what the key names. Reading takes at most 3 times the size of the file and some megabytes.
 * @param bytes the whole file
 * @throws ModelError if the file is damaged or holds anything but a state dict; the message says what to save instead
 * @throws TypeError unless `bytes` is a Uint8Array or ArrayBuffer, neither shared nor detached; for an unknown option or a `key` that
 * is neither a string nor a list of strings
 * @example
 * ```js
 * import { readFileSync } from 'node:fs'; // in a page: await (await fetch('model.pt')).arrayBuffer()
 * import { LSTM } from 'lstm-wasm';
 * import { parseCheckpoint } from 'lstm-wasm/pytorch';
 *
 * const tensors = parseCheckpoint(readFileSync('model.pt'));
 * const { dtype, dims } = tensors.get('lstm.weight_hh_l0');
 * console.log(dtype, dims); // F32 [ 24, 6 ]
 * const lstm = LSTM.fromStateDict(tensors, { prefix: 'lstm.' });
 * console.log(lstm.hiddenSize); // 6
 * ```
 */
export function parseCheckpoint(
  bytes: Uint8Array | ArrayBuffer,
  options?: CheckpointOptions,
): Map<string, CheckpointTensor> {
  const file = checkFile(READ, bytes);
  checkOptions(READ, options, ['key']);
  const keys = checkKey(options?.key);
  return explainRefusal(WHO, file, OWN, () => read(file, keys));
}

/** The kinds of files that this reader's own errors are about. */
const OWN = ['a zip file of torch.save', 'a zip file', 'a Python pickle', 'a tar file'];

function read(file: Uint8Array<ArrayBuffer>, keys: readonly string[]): Map<string, CheckpointTensor> {
  const budget = new Budget(WHO, file.length);
  const { value, foreign, storages } = isLegacy(file) ? readLegacy(file, budget) : readZip(file, budget);
  return readTensors(storages, findStateDict(value, keys, foreign), budget);
}

/** Checks the option `key` and gives the path of keys that it means. */
function checkKey(key: unknown): string[] {
  const keys: unknown[] = key === undefined ? [] : Array.isArray(key) ? [...key] : [key];
  for (const part of keys) {
    if (typeof part !== 'string') throw wrongType(READ, 'key', 'a string or an array of strings', key);
  }
  return keys as string[];
}

function readZip(file: Uint8Array, budget: Budget) {
  checkFormat(file);
  const zip = new Zip(file, budget, refuse);
  const folder = findFolder(zip);
  checkByteOrder(zip, `${folder}byteorder`);
  const pickle = zip.read(`${folder}data.pkl`);
  return { ...unpickle(pickle, budget, 'zip', 'data.pkl'), storages: new ZipStorages(zip, folder) };
}

/** The first bytes of a zip. */
const ZIP = [0x50, 0x4b, 0x03, 0x04];

function checkFormat(file: Uint8Array): void {
  if (ZIP.every((byte, i) => file[i] === byte)) return;
  if (isTar(file)) {
    const note =
      ', the format of torch before 0.1.10. Load and save it again: torch.save(state_dict, path) in a later torch';
    refuse('legacy-format', 'byte 0', 'the file', 'a zip', 'a tar', note);
  }
  const found = file.length ? [...file.subarray(0, 4)] : 'no byte';
  const note = ': it is neither a zip, the format of torch.save since torch 1.6, nor the format before it';
  refuse('not-a-zip', 'byte 0', 'the beginning of the file', 'PK', found, note);
}

/** Finds the folder of data.pkl, with its slash. All entries lie in one folder of any name, or in none. */
function findFolder(zip: Zip): string {
  const pickles: string[] = [];
  for (const name of zip.names) {
    if (/(^|\/)constants\.pkl$/.test(name)) {
      const note = ' (torch.jit.save), which holds code. Save the weights: torch.save(module.state_dict(), path)';
      refuse('torchscript', name, 'the zip', 'a checkpoint', 'TorchScript', note);
    }
    if (/(^|\/)data\.pkl$/.test(name)) pickles.push(name);
  }
  if (pickles.length !== 1) {
    const found = pickles.length ? pickles.slice(0, 2).map(describe).join(', ') : 'none';
    refuse('missing-entry', 'data.pkl', 'the zip', 'one data.pkl', found, ': it was not written by torch.save');
  }
  return pickles[0]!.slice(0, -'data.pkl'.length);
}

function checkByteOrder(zip: Zip, name: string): void {
  if (!zip.has(name)) return;
  const bytes = zip.read(name).subarray(0, 100);
  const order = findInvalidUtf8(bytes) < 0 ? decodeUtf8(bytes) : 'no text';
  if (order !== 'little') {
    refuse('unsupported-byte-order', name, describe(name), 'little', order);
  }
}
