import { decodeUtf8, findInvalidUtf8 } from '../utf8.ts';
import type { Refuse } from './inflate.ts';

/** The fields of a zip file's headers, little-endian. */
export class ZipFields {
  readonly refuse: Refuse;
  readonly #file: Uint8Array;
  readonly #view: DataView;

  /** @param refuse throws what is wrong */
  constructor(file: Uint8Array, refuse: Refuse) {
    this.refuse = refuse;
    this.#file = file;
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  get length(): number {
    return this.#file.length;
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** Beyond 2^53 not exact, and then larger than any file. */
  u64(at: number): number {
    return this.u32(at) + 2 ** 32 * this.u32(at + 4);
  }

  name(begin: number, end: number): string {
    const bytes = this.#file.subarray(begin, end);
    if (findInvalidUtf8(bytes) >= 0) this.wrong('name of an entry, not UTF-8,', begin);
    return decodeUtf8(bytes);
  }

  wrong(what: string, at: number): never {
    this.refuse('invalid-zip', `byte ${at}`, `wrong ${what} in the zip (at byte ${at})`, what, undefined);
  }
}
