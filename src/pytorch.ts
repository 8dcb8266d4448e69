import { checkOptions, describe, wrongType } from './base/tensor.ts';
import { Budget } from './files/budget.ts';
import { checkFile } from './files/bytes.ts';
import { decodeUtf8, findInvalidUtf8 } from './files/utf8.ts';
import { Zip } from './files/zip/zip.ts';
import { READ, refuse } from './pytorch/refuse.ts';
import { findStateDict } from './pytorch/state-dict.ts';
import { type CheckpointTensor, readTensors } from './pytorch/tensors.ts';
import { unpickle } from './pytorch/unpickle.ts';

export { ModelError } from './base/errors.ts';
export type { CheckpointTensor } from './pytorch/tensors.ts';

export interface CheckpointOptions {
  /** Where the state dict is, in a checkpoint that has more: 'model' in `{'model': ..., 'epoch': 3}`. */
  readonly key?: string | undefined;
}

/**
 * Reads a file of `torch.save(model.state_dict(), path)`: the tensors by name, in the order of the state dict. The zip format
 * of torch 1.6 and later, any pickle protocol. F64 is rounded to nearest, the conversion of F16 and BF16 is exact, and F32
 * keeps its bits; views of shared storages come in row-major order on memory of their own, but names of the very same view
 * (tied weights) share one array.
 *
 * The pickle is read by a machine that knows the few globals of a state dict and refuses any other by name: a checkpoint never
 * runs code. Reading takes at most 3 times the size of the file and some megabytes.
 * @throws ModelError where the file is damaged, or holds something else than a state dict; it says what to save instead
 * @throws TypeError if `bytes` is no Uint8Array or ArrayBuffer, or shared or detached
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
  const budget = new Budget('pytorch', file.length);
  const zip = new Zip(file, budget, refuse);
  const folder = findFolder(zip);
  checkByteOrder(zip, `${folder}byteorder`);
  const pickle = zip.read(`${folder}data.pkl`);
  const stateDict = findStateDict(unpickle(pickle, budget), key);
  return readTensors(zip, folder, stateDict, budget);
}

/** How a zip begins, and the pickle that came before torch 1.6: PROTO 2, LONG1 of ten bytes. */
const ZIP = [0x50, 0x4b, 0x03, 0x04];
const LEGACY = [0x80, 0x02, 0x8a, 0x0a];

function checkFormat(file: Uint8Array): void {
  const begins = (magic: readonly number[]) => magic.every((byte, i) => file[i] === byte);
  if (begins(LEGACY)) {
    const text =
      'this is the old format, no zip, of torch before 1.6. Load and save it again: torch.save(state_dict, path) in torch 1.6 or later';
    refuse('legacy-format', 'byte 0', text, 'a zip', 'a pickle');
  }
  if (!begins(ZIP)) {
    const text = 'this is no zip, as torch.save writes it since torch 1.6: it does not begin with PK';
    refuse('not-a-zip', 'byte 0', text, 'PK', file.length ? [...file.subarray(0, 4)] : 'no byte');
  }
}

/** All entries lie in one folder of any name, or in none. */
function findFolder(zip: Zip): string {
  const pickles: string[] = [];
  for (const name of zip.names) {
    if (/(^|\/)constants\.pkl$/.test(name)) {
      const text =
        'this is a TorchScript archive (torch.jit.save), which holds code. Save the weights: torch.save(module.state_dict(), path)';
      refuse('torchscript', name, text, 'a checkpoint', 'TorchScript');
    }
    if (/(^|\/)data\.pkl$/.test(name)) pickles.push(name);
  }
  if (pickles.length !== 1) {
    const found = pickles.length ? pickles.slice(0, 2).map(describe).join(', ') : 'none';
    const text = `the zip expected one entry data.pkl, got ${found}: it was not written by torch.save`;
    refuse('missing-entry', 'data.pkl', text, 'one data.pkl', found);
  }
  return pickles[0]!.slice(0, -'data.pkl'.length);
}

function checkByteOrder(zip: Zip, name: string): void {
  if (!zip.has(name)) return;
  const bytes = zip.read(name).subarray(0, 100);
  const order = findInvalidUtf8(bytes) < 0 ? decodeUtf8(bytes) : 'no text';
  if (order !== 'little') {
    refuse(
      'unsupported-byte-order',
      name,
      `${describe(name)} expected little, got ${describe(order)}`,
      'little',
      order,
    );
  }
}
