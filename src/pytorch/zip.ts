import type { Budget } from '../budget.ts';
import { crc32 } from '../crc32.ts';
import { describe } from '../tensor.ts';
import { decodeUtf8, findInvalidUtf8 } from '../utf8.ts';
import { inflate, type Refuse } from './inflate.ts';

// Zip archives (APPNOTE 6.3.9), as far as torch.save and common tools write them. The central directory is read and held
// against the local headers: every byte before it belongs to exactly one entry, in the order of the offsets. An entry's name is
// a key of a Map and nothing else; no path is ever opened.

const LOCAL_HEADER = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const DIRECTORY_HEADER = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR_BYTES = 20;
const UNKNOWN32 = 0xffffffff;

/** Bits of an entry's flags: levels of deflate, sizes in a descriptor after the data, a name in UTF-8. */
const DESCRIPTOR_FLAG = 0x0008;
const KNOWN_FLAGS = 0x0006 | DESCRIPTOR_FLAG | 0x0800;

/** How an entry may be compressed, by the number in its header. */
export const METHODS: ReadonlyMap<number, string> = new Map([
  [0, 'stored'],
  [8, 'deflated'],
]);

/** A deflated entry may give so many times its size, and some more; what floats need is less than 2. */
export const MAX_RATIO = 16;
const RATIO_FREE_BYTES = 65_536;

/** What an entry costs beyond its name. */
const ENTRY_BYTES = 200;

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  /** In the file, and what it stands for */
  readonly zippedSize: number;
  readonly size: number;
  /** Where its local header is */
  readonly offset: number;
  /** Where its data begin, once the local header was checked */
  begin: number;
}

/** The entries of a zip file by name. All headers are checked at once, the data of an entry when it is read. */
export class Zip {
  readonly #file: Uint8Array;
  readonly #view: DataView;
  readonly #budget: Budget;
  readonly #refuse: Refuse;
  readonly #entries = new Map<string, Entry>();

  /**
   * @param refuse throws what is wrong
   * @throws ModelError
   */
  constructor(file: Uint8Array, budget: Budget, refuse: Refuse) {
    this.#file = file;
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    this.#budget = budget;
    this.#refuse = refuse;
    const { begin, end, count } = this.#findDirectory();
    this.#readDirectory(begin, end, count);
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
      bytes = inflate(bytes, size, name, this.#refuse);
    }
    const found = crc32(bytes);
    if (found !== crc) {
      this.#refuse(
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

  #findDirectory(): { begin: number; end: number; count: number } {
    const { length } = this.#file;
    const view = this.#view;
    const at = length - END_BYTES;
    if (at < 0 || view.getUint32(at, true) !== END || view.getUint16(at + 20, true) !== 0) {
      const text =
        'the zip file is truncated, or something follows it: its last 22 bytes are no end of central directory';
      this.#refuse('truncated', `byte ${Math.max(0, at)}`, text, 'end of central directory', undefined);
    }
    const here = this.#readEnd(at, 2);
    const locator = at - LOCATOR_BYTES;
    if (locator < 0 || view.getUint32(locator, true) !== END64_LOCATOR) return this.#checkDirectory(here, at);
    const end64 = this.#size64(locator + 8);
    if (
      view.getUint32(locator + 4, true) !== 0 ||
      view.getUint32(locator + 16, true) !== 1 ||
      end64 > locator - END64_BYTES
    ) {
      this.#wrong('zip64 locator', locator);
    }
    if (view.getUint32(end64, true) !== END64 || end64 + 12 + this.#size64(end64 + 4) !== locator) {
      this.#wrong('zip64 end of central directory', end64);
    }
    const there = this.#readEnd(end64, 4);
    const agrees = (field: keyof typeof here, unknown: number) => {
      return here[field] === there[field] || here[field] === unknown;
    };
    if (!agrees('count', 0xffff) || !agrees('size', UNKNOWN32) || !agrees('begin', UNKNOWN32)) {
      this.#wrong('zip64 end of central directory, which differs from the other one,', end64);
    }
    return this.#checkDirectory(there, end64);
  }

  /** The fields of an end of central directory, whose sizes have 2 and 4 bytes, or 8 each in its zip64 form. */
  #readEnd(at: number, width: 2 | 4): { count: number; size: number; begin: number } {
    const view = this.#view;
    const short = width === 2;
    const disks = at + (short ? 4 : 16);
    const read16 = (from: number) => view.getUint16(from, true);
    const read32 = (from: number) => view.getUint32(from, true);
    const count = short ? read16(at + 10) : this.#size64(at + 32);
    const countHere = short ? read16(at + 8) : this.#size64(at + 24);
    const firstDisks = short ? read16(disks) || read16(disks + 2) : read32(disks) || read32(disks + 4);
    if (count !== countHere || firstDisks !== 0) this.#wrong('end of central directory, of several disks,', at);
    if (short) return { count, size: read32(at + 12), begin: read32(at + 16) };
    return { count, size: this.#size64(at + 40), begin: this.#size64(at + 48) };
  }

  #checkDirectory({ count, size, begin }: { count: number; size: number; begin: number }, end: number) {
    if (begin + size !== end) {
      const text = `the central directory of the zip should end at byte ${begin + size}, its end record is at byte ${end}`;
      this.#refuse('invalid-zip', `byte ${end}`, text, begin + size, end);
    }
    return { begin, end, count };
  }

  #readDirectory(begin: number, end: number, count: number): void {
    const view = this.#view;
    let at = begin;
    while (at < end) {
      if (at + 46 > end || view.getUint32(at, true) !== DIRECTORY_HEADER) this.#wrong('central directory', at);
      const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
      const nameEnd = at + 46 + view.getUint16(at + 28, true);
      const extraEnd = nameEnd + view.getUint16(at + 30, true);
      const next = extraEnd + view.getUint16(at + 32, true);
      if (next > end) this.#wrong('central directory', at);
      const name = this.#readName(at + 46, nameEnd);
      if (view.getUint16(at + 34, true) !== 0)
        this.#wrong(`central directory, of several disks, entry ${describe(name)}`, at);
      if (flags & ~KNOWN_FLAGS || !METHODS.has(method)) {
        const what = flags & ~KNOWN_FLAGS ? `flags ${flags}` : `compression method ${method}`;
        const text = `${describe(name)} has ${what}, which a model does not need (at byte ${at})`;
        this.#refuse('unsupported-zip', name, text, [...METHODS.values()].join(', '), what);
      }
      const [size, zippedSize, offset] = this.#readSizes(at, nameEnd, extraEnd);
      const crc = view.getUint32(at + 16, true);
      this.#add({ name, flags, method, crc, zippedSize, size, offset, begin: 0 }, at);
      at = next;
    }
    if (this.#entries.size !== count) {
      const text = `the central directory of the zip should have ${count} entries, it has ${this.#entries.size}`;
      this.#refuse('invalid-zip', `byte ${begin}`, text, count, this.#entries.size);
    }
  }

  #add(entry: Entry, at: number): void {
    const { name, method, zippedSize, size } = entry;
    if (this.#entries.has(name)) {
      this.#refuse(
        'duplicate-entry',
        name,
        `the zip has two entries ${describe(name)} (at byte ${at})`,
        'one entry',
        name,
      );
    }
    if (/(^|[\\/])\.\.([\\/]|$)/.test(name)) {
      this.#refuse(
        'unsafe-path',
        name,
        `the name ${describe(name)} leads out of the zip (at byte ${at})`,
        'no ..',
        name,
      );
    }
    const most = method === 0 ? zippedSize : MAX_RATIO * zippedSize + RATIO_FREE_BYTES;
    if (size > most || (method === 0 && size !== zippedSize)) {
      const text = `${describe(name)} of ${zippedSize} bytes, ${METHODS.get(method)}, is to give ${size} (at byte ${at})`;
      this.#refuse('size-mismatch', name, text, method === 0 ? zippedSize : `at most ${most}`, size);
    }
    this.#budget.spend(ENTRY_BYTES + 2 * name.length, 'central directory');
    this.#entries.set(name, entry);
  }

  /** Size, size in the file and offset of a directory entry: its own, or for each that is unknown the next zip64 one. */
  #readSizes(at: number, extraBegin: number, extraEnd: number): [number, number, number] {
    const view = this.#view;
    const sizes = [24, 20, 42].map((field) => view.getUint32(at + field, true)) as [number, number, number];
    let extra = extraBegin;
    while (extra + 4 <= extraEnd) {
      const dataEnd = extra + 4 + view.getUint16(extra + 2, true);
      if (dataEnd > extraEnd) this.#wrong('extra field', extra);
      if (view.getUint16(extra, true) === 1) {
        let wide = extra + 4;
        for (const [i, value] of sizes.entries()) {
          if (value !== UNKNOWN32) continue;
          if (wide + 8 > dataEnd) this.#wrong('zip64 extra field', extra);
          sizes[i] = this.#size64(wide);
          wide += 8;
        }
        break;
      }
      extra = dataEnd;
    }
    return sizes;
  }

  /** Every entry begins where the one before it ends, the first at byte 0 and the directory after the last. */
  #checkLocalHeaders(directory: number): void {
    const view = this.#view;
    const entries = [...this.#entries.values()].sort((a, b) => a.offset - b.offset);
    let reached = 0;
    for (const entry of entries) {
      const { name, offset, flags, method, zippedSize, size, crc } = entry;
      if (offset !== reached) {
        const code = offset < reached ? 'overlap' : 'hole';
        const text = `${describe(name)} begins at byte ${offset} of the zip, expected ${reached}: ${code === 'hole' ? 'a hole' : 'it overlaps the entry before it'}`;
        this.#refuse(code, name, text, reached, offset);
      }
      if (offset + 30 > directory || view.getUint32(offset, true) !== LOCAL_HEADER) {
        this.#wrong(`local header of ${describe(name)}`, offset);
      }
      const nameEnd = offset + 30 + view.getUint16(offset + 26, true);
      entry.begin = nameEnd + view.getUint16(offset + 28, true);
      reached = entry.begin + zippedSize;
      if (reached > directory) {
        const text = `${describe(name)} should end at byte ${reached}, the central directory begins at ${directory}`;
        this.#refuse('truncated', name, text, reached, directory);
      }
      const same = (at: number, value: number) => {
        const found = view.getUint32(at, true);
        return found === value || found === UNKNOWN32 || (flags & DESCRIPTOR_FLAG && found === 0);
      };
      const sameHeader =
        view.getUint16(offset + 6, true) === flags &&
        view.getUint16(offset + 8, true) === method &&
        same(offset + 14, crc) &&
        same(offset + 18, zippedSize) &&
        same(offset + 22, size) &&
        this.#readName(offset + 30, nameEnd) === name;
      if (!sameHeader) this.#wrong(`local header of ${describe(name)}, which differs from the directory,`, offset);
      if (flags & DESCRIPTOR_FLAG) reached = this.#passDescriptor(entry, reached);
    }
    if (reached !== directory) {
      const text = `the entries of the zip end at byte ${reached}, the central directory begins at ${directory}`;
      this.#refuse('hole', `byte ${reached}`, text, reached, directory);
    }
  }

  /** What follows the data of an entry whose local header has no sizes: CRC-32 and sizes of 4 or 8 bytes. */
  #passDescriptor({ name, crc, zippedSize, size }: Entry, at: number): number {
    const view = this.#view;
    const from = at + 4;
    // the directory is behind it, so there are bytes to look at
    if (view.getUint32(at, true) === DESCRIPTOR && view.getUint32(from, true) === crc) {
      if (view.getUint32(from + 4, true) === zippedSize && view.getUint32(from + 8, true) === size) return from + 12;
      if (this.#size64(from + 4) === zippedSize && this.#size64(from + 12) === size) return from + 20;
    }
    this.#wrong(`data descriptor of ${describe(name)}`, at);
  }

  #readName(begin: number, end: number): string {
    const bytes = this.#file.subarray(begin, end);
    if (findInvalidUtf8(bytes) >= 0) this.#wrong('name of an entry, not UTF-8,', begin);
    return decodeUtf8(bytes);
  }

  #size64(at: number): number {
    return this.#view.getUint32(at, true) + 2 ** 32 * this.#view.getUint32(at + 4, true);
  }

  #wrong(what: string, at: number): never {
    this.#refuse('invalid-zip', `byte ${at}`, `wrong ${what} in the zip (at byte ${at})`, what, undefined);
  }
}
