import { describe } from '../../base/tensor.ts';
import { LittleEndian } from '../../files/little-endian.ts';
import { decodeUtf8, findInvalidUtf8 } from '../../files/utf8.ts';
import { refuse } from '../refuse.ts';

/** A part of the file: its offset and its bytes. */
export interface Span {
  readonly at: number;
  readonly size: number;
}

/**
 * Reads numbers of an HDF5 file. A caller claims bytes before it reads them, and all claims together cannot exceed the file:
 * however structures are linked, those that overlap, share or repeat bytes use up the file.
 */
export class Hdf5Cursor extends LittleEndian {
  /** Whether the file is in a newer format, in which chunks are not read. */
  newer = false;
  #claimed = 0;

  /** Checks that `size` bytes at `at` are in the file. */
  need(at: number, size: number, what: string): void {
    const { length } = this.file;
    if (!(at >= 0 && size >= 0 && at + size <= length)) {
      this.refuse('truncated', what, `it needs ${size} bytes here, but the file of ${length} bytes ends before`, at);
    }
  }

  /** Claims the bytes of one structure. */
  claim(at: number, size: number, what: string): void {
    this.need(at, size, what);
    this.#claimed += size;
    if (this.#claimed > this.file.length) {
      this.refuse('overlap', what, 'it overlaps a part that was read before: all parts together exceed the file', at);
    }
  }

  /** Claims a structure and checks the four letters that it begins with. */
  signature(at: number, letters: string, size: number, what: string): void {
    this.claim(at, size, what);
    const found = String.fromCharCode(...this.file.subarray(at, at + 4));
    if (found !== letters)
      this.refuse('invalid-hdf5', what, `expected ${describe(letters)}, got ${describe(found)}`, at);
  }

  /** Checks that a part of `length` bytes has the `needed` ones. */
  check(at: number, length: number, needed: number, what: string): void {
    if (length < needed) this.refuse('invalid-hdf5', what, `expected ${needed} bytes, got ${length}`, at);
  }

  /** Reads an unsigned integer of 1 to 8 bytes. */
  unsigned(at: number, width: number): number {
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = 256 * value + this.u8(at + i);
    return value;
  }

  /** Reads a text in UTF-8 up to a zero, which has to come before `end`. */
  text(at: number, end: number, what: string): string {
    const zero = this.file.subarray(0, end).indexOf(0, at);
    if (at > end || zero < 0) this.refuse('invalid-hdf5', what, 'a name without an end', at);
    return this.characters(at, zero, what);
  }

  /** Reads the text in UTF-8 between two offsets. */
  characters(at: number, end: number, what: string): string {
    const bytes = this.file.subarray(at, end);
    if (findInvalidUtf8(bytes) >= 0) this.refuse('invalid-utf8', what, 'a text that is not UTF-8', at);
    return decodeUtf8(bytes);
  }

  /** Refuses the object `path`; the details of the error have no `expected` and `found`. */
  refuse(code: string, path: string, reason: string, at: number): never {
    const place = `${describe(path)} in the HDF5 file`;
    return refuse.because(code, path, `${place}: ${reason} (at byte ${at})`, undefined, undefined);
  }
}
