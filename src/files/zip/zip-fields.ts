import type { Refuse } from '../../base/errors.ts';
import { LittleEndian } from '../little-endian.ts';
import { decodeUtf8, findInvalidUtf8 } from '../utf8.ts';

/** Reads the fields of a zip file's headers. */
export class ZipFields extends LittleEndian {
  readonly refuse: Refuse;

  /** @param refuse that of the reader whose file it is */
  constructor(file: Uint8Array, refuse: Refuse) {
    super(file);
    this.refuse = refuse;
  }

  /** Decodes the name of an entry. */
  name(begin: number, end: number): string {
    const bytes = this.file.subarray(begin, end);
    if (findInvalidUtf8(bytes) >= 0) this.wrong('name of an entry, not UTF-8,', begin);
    return decodeUtf8(bytes);
  }

  /** Refuses the structure `what`, which begins at byte `at`. */
  wrong(what: string, at: number): never {
    this.refuse.because('invalid-zip', `byte ${at}`, `wrong ${what} in the zip (at byte ${at})`, what, undefined);
  }
}
