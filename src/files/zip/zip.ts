import { crc32 } from '../../base/crc32.ts';
import type { Refuse } from '../../base/errors.ts';
import { describe } from '../../base/tensor.ts';
import type { Budget } from '../budget.ts';
import { inflate } from './inflate.ts';
import { DESCRIPTOR_FLAG, readDirectory, UNKNOWN32, type ZipEntry } from './zip-directory.ts';
import { ZipFields } from './zip-fields.ts';

// Zip archives (APPNOTE 6.3.9), as far as torch.save and common tools write them. The central directory is read and compared
// with the local headers: every byte before it belongs to exactly one entry, in the order of the offsets. An entry's name is
// a key of a Map and nothing else; no path is ever opened.

const LOCAL_HEADER = 0x04034b50;
const DESCRIPTOR = 0x08074b50;

/** The entries of a zip file by name. The constructor checks all headers, read() the data of an entry. */
export class Zip {
  readonly #file: Uint8Array;
  readonly #fields: ZipFields;
  readonly #budget: Budget;
  readonly #entries: ReadonlyMap<string, ZipEntry>;

  /**
   * @param refuse that of the reader whose file it is
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

  /** The names of all entries, in the order of the directory. */
  get names(): Iterable<string> {
    return this.#entries.keys();
  }

  /** Tells whether there is an entry `name`. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Counts the bytes of an entry that is there, inflated. */
  size(name: string): number {
    return this.#entries.get(name)!.size;
  }

  /**
   * Reads an entry that is there: a view of the file, or inflated bytes, which are on the budget until giveBack().
   * @throws ModelError if they cannot be inflated or have another checksum
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
      this.#fields.refuse('wrong-checksum', name, `${describe(name)} checksum (CRC-32)`, crc, found);
    }
    return bytes;
  }

  /** Returns to the budget what read() took for `name`. */
  giveBack(name: string): void {
    const { method, size } = this.#entries.get(name)!;
    if (method !== 0) this.#budget.giveBack(size);
  }

  /** Checks that every entry begins where the one before it ends, the first at byte 0 and the directory after the last. */
  #checkLocalHeaders(directory: number): void {
    const entries = [...this.#entries.values()].sort((a, b) => a.offset - b.offset);
    let reached = 0;
    for (const entry of entries) {
      const { name, offset, flags, method, zippedSize, size, crc } = entry;
      if (offset !== reached) {
        const code = offset < reached ? 'overlap' : 'hole';
        const note = code === 'hole' ? ': a hole' : ': it overlaps the entry before it';
        this.#fields.refuse(code, name, `the offset of ${describe(name)}`, reached, offset, note);
      }
      if (offset + 30 > directory || this.#fields.u32(offset) !== LOCAL_HEADER) {
        this.#fields.wrong(`local header of ${describe(name)}`, offset);
      }
      const nameEnd = offset + 30 + this.#fields.u16(offset + 26);
      entry.begin = nameEnd + this.#fields.u16(offset + 28);
      reached = entry.begin + zippedSize;
      if (reached > directory) {
        const reason = `${describe(name)} should end at byte ${reached}, but the central directory begins at ${directory}`;
        this.#fields.refuse.because('truncated', name, reason, reached, directory);
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
      if (flags & DESCRIPTOR_FLAG) reached = this.#skipDescriptor(entry, reached);
    }
    if (reached !== directory) {
      this.#fields.refuse(
        'hole',
        `byte ${reached}`,
        'the offset of the central directory',
        reached,
        directory,
        ': a hole',
      );
    }
  }

  /** Skips the descriptor behind the data of an entry whose local header has no sizes: CRC-32, and sizes of 4 or 8 bytes. */
  #skipDescriptor({ name, crc, zippedSize, size }: ZipEntry, at: number): number {
    const from = at + 4;
    // the directory is behind it, so there are bytes to look at
    if (this.#fields.u32(at) === DESCRIPTOR && this.#fields.u32(from) === crc) {
      if (this.#fields.u32(from + 4) === zippedSize && this.#fields.u32(from + 8) === size) return from + 12;
      if (this.#fields.u64(from + 4) === zippedSize && this.#fields.u64(from + 12) === size) return from + 20;
    }
    this.#fields.wrong(`data descriptor of ${describe(name)}`, at);
  }
}
