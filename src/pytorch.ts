import { checkOptions, describe, wrongType } from './base/tensor.ts';
import { Budget } from './files/budget.ts';
import { checkFile } from './files/bytes.ts';
import { decodeUtf8, findInvalidUtf8 } from './files/utf8.ts';
import { Zip } from './files/zip/zip.ts';
import { refuse, WHO } from './pytorch/refuse.ts';
import { findStateDict } from './pytorch/state-dict.ts';
import { type CheckpointTensor, readTensors } from './pytorch/tensors.ts';
import { unpickle } from './pytorch/unpickle.ts';

export { ModelError, type ModelErrorDetails } from './base/errors.ts';
export type { AnyTensor, AnyTypedArray } from './base/tensor.ts';
export type { CheckpointTensor } from './pytorch/tensors.ts';

/** Options of parseCheckpoint(). */
export interface CheckpointOptions {
  /** The key of the state dict in a checkpoint that holds more: 'model' for `{'model': ..., 'epoch': 3}`. */
  readonly key?: string | undefined;
}

const READ = 'parseCheckpoint';

/**
 * Reads a file that `torch.save(model.state_dict(), path)` wrote: the zip format of torch 1.6 and later, with any pickle
 * protocol (https://docs.pytorch.org/docs/stable/notes/serialization.html). Returns the tensors by name, in the order of the
 * state dict. F64 is rounded to nearest, F16 and BF16 are converted exactly, F32 keeps its bits. Views of shared storages come
 * in row-major order on memory of their own; names of the very same view (tied weights) share one array.
 *
 * A checkpoint never runs code: the pickle is read by a machine that knows the few globals of a state dict and refuses any
 * other by name. Reading takes at most 3 times the size of the file and some megabytes.
 * @param bytes the whole file
 * @throws ModelError if the file is damaged or holds anything but a state dict; the message says what to save instead
 * @throws TypeError unless `bytes` is a Uint8Array or ArrayBuffer, neither shared nor detached; for an unknown option
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
  const key = options?.key;
  if (key !== undefined && typeof key !== 'string') throw wrongType(READ, 'key', 'a string', key);
  checkFormat(file);
  const budget = new Budget(WHO, file.length);
  const zip = new Zip(file, budget, refuse);
  const folder = findFolder(zip);
  checkByteOrder(zip, `${folder}byteorder`);
  const pickle = zip.read(`${folder}data.pkl`);
  const stateDict = findStateDict(unpickle(pickle, budget), key);
  return readTensors(zip, folder, stateDict, budget);
}

/** The first bytes of a zip, and of the pickle that torch wrote before 1.6: PROTO 2, LONG1 of ten bytes. */
const ZIP = [0x50, 0x4b, 0x03, 0x04];
const LEGACY = [0x80, 0x02, 0x8a, 0x0a];

function checkFormat(file: Uint8Array): void {
  const begins = (magic: readonly number[]) => magic.every((byte, i) => file[i] === byte);
  if (begins(LEGACY)) {
    const note =
      ', the format of torch before 1.6. Load and save it again: torch.save(state_dict, path) in torch 1.6 or later';
    refuse('legacy-format', 'byte 0', 'the file', 'a zip', 'a pickle', note);
  }
  if (!begins(ZIP)) {
    const found = file.length ? [...file.subarray(0, 4)] : 'no byte';
    const note = ': it is no zip, the format of torch.save since torch 1.6';
    refuse('not-a-zip', 'byte 0', 'the beginning of the file', 'PK', found, note);
  }
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
