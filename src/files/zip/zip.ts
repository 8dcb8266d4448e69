import { crc32 } from '../../base/crc32.ts';
import { describe } from '../../base/tensor.ts';
import type { Budget } from '../budget.ts';
import { inflate, type Refuse } from './inflate.ts';
import { DESCRIPTOR_FLAG, type Entry, readDirectory, UNKNOWN32 } from './zip-directory.ts';
import { ZipFields } from './zip-fields.ts';

// Zip archives (APPNOTE 6.3.9), as far as torch.save and common tools write them. The central directory is read and held
// against the local headers: every byte before it belongs to exactly one entry, in the order of the offsets. An entry's name is
// a key of a Map and nothing else; no path is ever opened.

const LOCAL_HEADER = 0x04034b50;
const DESCRIPTOR = 0x08074b50;

/** The entries of a zip file by name. All headers are checked at once, the data of an entry when it is read. */
export class Zip {
  readonly #file: Uint8Array;
  readonly #fields: ZipFields;
  readonly #budget: Budget;
  readonly #entries: ReadonlyMap<string, Entry>;

  /**
   * @param refuse throws what is wrong
   * @throws ModelError
   */
  constructor(file: Uint8Array, budget: Budget, refuse: Refuse) {
    this.#file = file;
    this.#fields = new ZipFields(file, refuse);
    this.#budget = budget;
    const { entries, begin } = readDirectory(this.#fields, budget);
    this.#entries = entries;
    this.#checkLocalHeaders(begin);
  }

  get names(): Iterable<string> {
    return this.#entries.keys();
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** The bytes that `name`, which is there, stands for. */
  size(name: string): number {
    return this.#entries.get(name)!.size;
  }

  /**
   * The bytes of an entry that is there: a part of the file, or inflated and on the budget, to be given back.
   * @throws ModelError if they are not those that were written
   */
  read(name: string): Uint8Array {
    const { method, begin, zippedSize, size, crc } = this.#entries.get(name)!;
    let bytes = this.#file.subarray(begin, begin + zippedSize);
    if (method !== 0) {
      this.#budget.spend(size, name);
      bytes = inflate(bytes, size, name, this.#fields.refuse);
    }
    const found = crc32(bytes);
    if (found !== crc) {
      this.#fields.refuse(
        'wrong-checksum',
        name,
        `${describe(name)} checksum (CRC-32) expected ${crc}, got ${found}`,
        crc,
        found,
      );
    }
    return bytes;
  }

  /** Ends the use of what read() gave for `name`. */
  giveBack(name: string): void {
    const { method, size } = this.#entries.get(name)!;
    if (method !== 0) this.#budget.giveBack(size);
  }

  /** Every entry begins where the one before it ends, the first at byte 0 and the directory after the last. */
  #checkLocalHeaders(directory: number): void {
    const entries = [...this.#entries.values()].sort((a, b) => a.offset - b.offset);
    let reached = 0;
    for (const entry of entries) {
      const { name, offset, flags, method, zippedSize, size, crc } = entry;
      if (offset !== reached) {
        const code = offset < reached ? 'overlap' : 'hole';
        const text = `${describe(name)} begins at byte ${offset} of the zip, expected ${reached}: ${code === 'hole' ? 'a hole' : 'it overlaps the entry before it'}`;
        this.#fields.refuse(code, name, text, reached, offset);
      }
      if (offset + 30 > directory || this.#fields.u32(offset) !== LOCAL_HEADER) {
        this.#fields.wrong(`local header of ${describe(name)}`, offset);
      }
      const nameEnd = offset + 30 + this.#fields.u16(offset + 26);
      entry.begin = nameEnd + this.#fields.u16(offset + 28);
      reached = entry.begin + zippedSize;
      if (reached > directory) {
        const text = `${describe(name)} should end at byte ${reached}, the central directory begins at ${directory}`;
        this.#fields.refuse('truncated', name, text, reached, directory);
      }
      const same = (at: number, value: number) => {
        const found = this.#fields.u32(at);
        return found === value || found === UNKNOWN32 || (flags & DESCRIPTOR_FLAG && found === 0);
      };
      const sameHeader =
        this.#fields.u16(offset + 6) === flags &&
        this.#fields.u16(offset + 8) === method &&
        same(offset + 14, crc) &&
        same(offset + 18, zippedSize) &&
        same(offset + 22, size) &&
        this.#fields.name(offset + 30, nameEnd) === name;
      if (!sameHeader)
        this.#fields.wrong(`local header of ${describe(name)}, which differs from the directory,`, offset);
      if (flags & DESCRIPTOR_FLAG) reached = this.#passDescriptor(entry, reached);
    }
    if (reached !== directory) {
      const text = `the entries of the zip end at byte ${reached}, the central directory begins at ${directory}`;
      this.#fields.refuse('hole', `byte ${reached}`, text, reached, directory);
    }
  }

  /** What follows the data of an entry whose local header has no sizes: CRC-32 and sizes of 4 or 8 bytes. */
  #passDescriptor({ name, crc, zippedSize, size }: Entry, at: number): number {
    const from = at + 4;
    // the directory is behind it, so there are bytes to look at
    if (this.#fields.u32(at) === DESCRIPTOR && this.#fields.u32(from) === crc) {
      if (this.#fields.u32(from + 4) === zippedSize && this.#fields.u32(from + 8) === size) return from + 12;
      if (this.#fields.u64(from + 4) === zippedSize && this.#fields.u64(from + 12) === size) return from + 20;
    }
    this.#fields.wrong(`data descriptor of ${describe(name)}`, at);
  }
}
