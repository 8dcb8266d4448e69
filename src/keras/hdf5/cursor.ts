import { describe } from '../../base/tensor.ts';
import { LittleEndian } from '../../files/little-endian.ts';
import { decodeUtf8, findInvalidUtf8 } from '../../files/utf8.ts';
import { refuse } from '../refuse.ts';

/**
 * Numbers in an HDF5 file. Whatever is read has to be claimed first, and all claims together cannot be more than
 * the file: structures that overlap, share or repeat one another run out of it, however they are linked.
 */
export class Hdf5Cursor extends LittleEndian {
  /** Whether something is in a format that jsfive is not to be trusted with */
  newer = false;
  #claimed = 0;

  /** Refuses what is not all in the file. */
  need(at: number, size: number, what: string): void {
    const { length } = this.file;
    if (!(at >= 0 && size >= 0 && at + size <= length)) {
      this.refuse('truncated', what, `${size} bytes, where the file of ${length} bytes has no more`, at);
    }
  }

  /** Takes the bytes for one structure. */
  claim(at: number, size: number, what: string): void {
    this.need(at, size, what);
    this.#claimed += size;
    if (this.#claimed > this.file.length) {
      this.refuse('overlap', what, 'it overlaps what was read before: all parts together are more than the file', at);
    }
  }

  /** Claims and checks the four letters that a structure begins with. */
  signature(at: number, letters: string, size: number, what: string): void {
    this.claim(at, size, what);
    const found = String.fromCharCode(...this.file.subarray(at, at + 4));
    if (found !== letters)
      this.refuse('invalid-hdf5', what, `${describe(letters)} expected, got ${describe(found)}`, at);
  }

  /** Refuses a part that is shorter than what it should have. */
  check(at: number, length: number, needed: number, what: string): void {
    if (length < needed) this.refuse('invalid-hdf5', what, `${needed} bytes expected, it has ${length}`, at);
  }

  /** A number of 1 to 8 bytes. */
  unsigned(at: number, width: number): number {
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = 256 * value + this.u8(at + i);
    return value;
  }

  /** The text in UTF-8 up to a zero, which has to come before `end`. */
  text(at: number, end: number, what: string): string {
    const zero = this.file.subarray(0, end).indexOf(0, at);
    if (at > end || zero < 0) this.refuse('invalid-hdf5', what, 'a name without an end', at);
    return this.characters(at, zero, what);
  }

  /** The text in UTF-8 between two places. */
  characters(at: number, end: number, what: string): string {
    const bytes = this.file.subarray(at, end);
    if (findInvalidUtf8(bytes) >= 0) this.refuse('invalid-utf8', what, 'a text that is not UTF-8', at);
    return decodeUtf8(bytes);
  }

  refuse(code: string, path: string, text: string, at: number): never {
    return refuse(code, path, `${describe(path)} in the HDF5 file: ${text} (at byte ${at})`, undefined, undefined);
  }
}
