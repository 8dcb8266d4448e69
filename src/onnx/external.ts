import { describe, tag, wrongType } from '../base/tensor.ts';
import { Budget } from '../files/budget.ts';
import { bytesOf } from '../files/bytes.ts';
import { refuse, refuseBecause } from './refuse.ts';

/** The files beside an ONNX file, by the names that it gives them. */
export type ExternalData =
  | ReadonlyMap<string, Uint8Array | ArrayBuffer>
  | Readonly<Record<string, Uint8Array | ArrayBuffer>>;

/** A part of a file beside the model. */
export interface ExternalPart {
  readonly file: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The most names of files that an error lists. */
const LISTED = 3;

/** Files that a caller gave beside the model. A name in the model only picks one of them: nothing is opened. */
export class ExternalFiles {
  /** Bytes of all files */
  readonly bytes: number;
  private readonly _files = new Map<string, Uint8Array>();
  private readonly _budget: Budget;

  /** @throws TypeError unless `given` is an object or Map of bytes, neither shared nor detached */
  constructor(who: string, given: unknown) {
    if (given !== undefined && (given === null || typeof given !== 'object')) {
      throw wrongType(who, 'externalData', 'an object or Map of files by name', given);
    }
    const all = tag(given) === 'Map' ? (given as Map<unknown, unknown>) : Object.entries(given ?? {});
    for (const [name, file] of all) {
      const isBytes = ArrayBuffer.isView(file) ? tag(file) === 'Uint8Array' : tag(file) === 'ArrayBuffer';
      const bytes = isBytes ? bytesOf(file as Uint8Array | ArrayBuffer) : undefined;
      if (!bytes) {
        const what = `externalData of ${describe(name)}`;
        throw wrongType(who, what, 'a Uint8Array or an ArrayBuffer, not shared and not detached', file);
      }
      this._files.set(withoutDot(String(name)), bytes);
    }
    let sum = 0;
    for (const file of this._files.values()) sum += file.length;
    this.bytes = sum;
    this._budget = new Budget('onnx', sum);
  }

  /** Finds the part with a tensor's data, of which there have to be `bytes`. */
  find(path: string, name: string, entries: ReadonlyMap<string, string>, bytes: number): ExternalPart {
    const location = entries.get('location') ?? '';
    const what = `the data of tensor ${describe(name)}`;
    if (location === '')
      refuseBecause('external-data', path, `${what} are in another file, without its name`, 'location', '');
    const file = this._files.get(withoutDot(location));
    if (!file) return this._refuseMissing(path, what, location);
    const start = integerOf(path, entries, 'offset', 0);
    const length = integerOf(path, entries, 'length', bytes);
    if (length !== bytes) refuse('wrong-length', path, `bytes of ${what}`, bytes, length);
    if (start + length > file.length) {
      refuse('truncated', path, `bytes of ${describe(location)}`, `at least ${start + length}`, file.length);
    }
    // many tensors may read the same bytes, each into an array of its own
    this._budget.spend(length, path);
    return { file, start, end: start + length };
  }

  private _refuseMissing(path: string, what: string, location: string): never {
    const names = [...this._files.keys()].slice(0, LISTED).map(describe);
    const more = this._files.size > LISTED ? ' and others' : '';
    const found = names.length ? `, which has only ${names.join(', ')}${more}` : '';
    const file = describe(location);
    const text = `${what} are in another file, ${file}: give its bytes by that name in the option externalData${found}, or export with external_data=False`;
    return refuseBecause('external-data', path, text, location, this._files.size ? [...this._files.keys()] : 'no file');
  }
}

function integerOf(path: string, entries: ReadonlyMap<string, string>, key: string, fallback: number): number {
  const text = entries.get(key);
  if (text === undefined) return fallback;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  return refuse('out-of-range', path, `external_data ${key}`, 'an integer of at least 0', describe(text));
}

/** A name without the "./" that some writers put before it. */
function withoutDot(name: string): string {
  return name.replace(/^(\.\/)+/, '');
}
