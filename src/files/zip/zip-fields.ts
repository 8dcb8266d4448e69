import { LittleEndian } from '../little-endian.ts';
import { decodeUtf8, findInvalidUtf8 } from '../utf8.ts';
import type { Refuse } from './inflate.ts';

/** The fields of a zip file's headers. */
export class ZipFields extends LittleEndian {
  readonly refuse: Refuse;

  /** @param refuse throws what is wrong */
  constructor(file: Uint8Array, refuse: Refuse) {
    super(file);
    this.refuse = refuse;
  }

  name(begin: number, end: number): string {
    const bytes = this.file.subarray(begin, end);
    if (findInvalidUtf8(bytes) >= 0) this.wrong('name of an entry, not UTF-8,', begin);
    return decodeUtf8(bytes);
  }

  wrong(what: string, at: number): never {
    this.refuse('invalid-zip', `byte ${at}`, `wrong ${what} in the zip (at byte ${at})`, what, undefined);
  }
}
