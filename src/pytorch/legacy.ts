import type { Budget } from '../files/budget.ts';
import { DTYPES } from '../files/dtypes.ts';
import { VALUE_BYTES } from './pickle-cursor.ts';
import { refuse } from './refuse.ts';
import { refuseForeign } from './state-dict.ts';
import { FileStorages, type Place, type StorageSource } from './storages.ts';
import { unpickle } from './unpickle.ts';
import { Dict, describeValue, Foreign, List } from './values.ts';

// The format of torch.save before 1.6, and since then with _use_new_zipfile_serialization=False: a pickle each of a magic number, a
// version, facts about the machine, the value, and the list of its storages' keys; then the storages in that order, each as the
// number of its elements in 8 bytes and the elements.

/** The pickle of 0x1950a86a20f9469cfc6c, behind the protocol and before STOP. */
const MAGIC = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
const VERSION = 1001;
const PROTO = 0x80;
const FRAME = 0x95;

/** The name of the file in messages. */
const FILE = 'the file';

/** Bytes of an element of a storage whose type is not read. */
const OTHER_SIZES: ReadonlyMap<string, number> = new Map([
  ['torch.ComplexHalfStorage', 4],
  ['torch.ComplexFloatStorage', 8],
  ['torch.ComplexDoubleStorage', 16],
  ['torch.QInt8Storage', 1],
  ['torch.QUInt8Storage', 1],
  ['torch.QInt32Storage', 4],
]);

/** The parts of a file before torch 1.6. */
export interface LegacyFile {
  readonly value: unknown;
  readonly foreign: Foreign | undefined;
  readonly storages: StorageSource;
}

/** Tells whether a file begins as torch.save wrote it before 1.6, with any protocol of pickle from 2. */
export function isLegacy(file: Uint8Array): boolean {
  const begin = file[2] === FRAME ? 11 : 2;
  return file[0] === PROTO && MAGIC.every((byte, i) => file[begin + i] === byte);
}

/**
 * Reads a file of which isLegacy() is true, but for the elements of its storages.
 * @throws ModelError
 */
export function readLegacy(file: Uint8Array, budget: Budget): LegacyFile {
  const magic = unpickle(file, budget, 'legacy', FILE);
  const version = unpickle(file, budget, 'legacy', FILE, magic.end);
  if (version.value !== VERSION) {
    const found = describeValue(version.value);
    refuse('unsupported-version', `byte ${magic.end}`, 'the version of the format', VERSION, found);
  }
  const machine = unpickle(file, budget, 'legacy', FILE, version.end);
  const little = machine.value instanceof Dict ? machine.value.items.get('little_endian') : undefined;
  if (little !== true) {
    refuse('unsupported-byte-order', `byte ${version.end}`, 'little_endian', 'True', describeValue(little ?? null));
  }
  const { value, foreign, storages, end } = unpickle(file, budget, 'legacy', FILE, machine.end);
  const list = unpickle(file, budget, 'names', FILE, end);
  const keys = list.value instanceof List ? list.value.items : undefined;
  if (!keys) {
    const found = describeValue(list.value);
    refuse('invalid-pickle', `byte ${end}`, 'what follows the value', 'a list of names', found);
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const places = new Map<string, Place>();
  let at = list.end;
  for (const key of keys) {
    const what = `storage ${describeValue(key)}`;
    const stored = storages.get(key);
    if (typeof key !== 'string' || !stored || places.has(key)) {
      const found = stored ? 'one that was before' : 'none';
      refuse('invalid-pickle', `byte ${end}`, what, 'a storage that the value names', found);
    }
    const bytes = stored instanceof Foreign ? OTHER_SIZES.get(stored.found) : DTYPES.get(stored.dtype)!.bits / 8;
    if (bytes === undefined) refuseForeign(stored as Foreign);
    const begin = at + 8;
    const count = begin > file.length ? Number.NaN : Number(view.getBigInt64(at, true));
    at = begin + count * bytes;
    if (!(count >= 0 && at <= file.length)) {
      const reason = `${what} has ${count} elements of ${bytes} bytes at byte ${begin}, but the file has ${file.length} bytes`;
      refuse.because('truncated', what, reason, at, file.length);
    }
    budget.spend(2 * VALUE_BYTES, what);
    places.set(key, { begin, end: at });
  }
  if (at !== file.length) {
    const reason = `${file.length - at} bytes follow the last storage, which ends at byte ${at}`;
    refuse.because('hole', `byte ${at}`, reason, at, file.length);
  }
  return { value, foreign, storages: new FileStorages(file, places) };
}

/** Tells whether a file is the tar that torch.save wrote before 0.1.10. */
export function isTar(file: Uint8Array): boolean {
  return [...'ustar'].every((char, i) => file[257 + i] === char.charCodeAt(0));
}
