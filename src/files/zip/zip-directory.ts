import { describe } from '../../base/tensor.ts';
import type { Budget } from '../budget.ts';
import type { ZipFields } from './zip-fields.ts';

const DIRECTORY_HEADER = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR_BYTES = 20;

/** The value of a 4-byte field whose number stands in a zip64 field instead. */
export const UNKNOWN32 = 0xffffffff;

/** Bits of an entry's flags: sizes follow the data, in a descriptor; and besides, levels of deflate, a name in UTF-8. */
export const DESCRIPTOR_FLAG = 0x0008;
const KNOWN_FLAGS = 0x0006 | DESCRIPTOR_FLAG | 0x0800;

/** Compression methods by the number in an entry's header. */
export const METHODS: ReadonlyMap<number, string> = new Map([
  [0, 'stored'],
  [8, 'deflated'],
]);

/** The most that a deflated entry may expand, beyond some bytes that are free. Floats need less than 2. */
export const MAX_RATIO = 16;
const RATIO_FREE_BYTES = 65_536;

/** Bytes on the budget for an entry, beyond its name. */
const ENTRY_BYTES = 200;

/** An entry of the central directory. */
export interface ZipEntry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  /** Bytes of its data in the file. */
  readonly zippedSize: number;
  /** Bytes of its data, inflated. */
  readonly size: number;
  /** The offset of its local header. */
  readonly offset: number;
  /** The offset of its data; 0 until the local header was checked. */
  begin: number;
}

/** The central directory of a zip. */
export interface Directory {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** The offset where the directory begins and the entries have to end. */
  readonly begin: number;
}

/**
 * Reads the central directory.
 * @throws ModelError
 */
export function readDirectory(fields: ZipFields, budget: Budget): Directory {
  return new DirectoryReader(fields, budget).run();
}

class DirectoryReader {
  readonly #fields: ZipFields;
  readonly #budget: Budget;
  readonly #entries = new Map<string, ZipEntry>();

  constructor(fields: ZipFields, budget: Budget) {
    this.#fields = fields;
    this.#budget = budget;
  }

  run(): Directory {
    const { begin, end, count } = this.#findDirectory();
    this.#readDirectory(begin, end, count);
    return { entries: this.#entries, begin };
  }

  #findDirectory(): { begin: number; end: number; count: number } {
    const { length } = this.#fields.file;
    const at = length - END_BYTES;
    if (at < 0 || this.#fields.u32(at) !== END || this.#fields.u16(at + 20) !== 0) {
      const reason =
        'the zip file is truncated, or something follows it: its last 22 bytes are no end of central directory';
      const path = `byte ${Math.max(0, at)}`;
      this.#fields.refuse.because('truncated', path, reason, 'end of central directory', undefined);
    }
    const here = this.#readEnd(at, 2);
    const locator = at - LOCATOR_BYTES;
    if (locator < 0 || this.#fields.u32(locator) !== END64_LOCATOR) return this.#checkDirectory(here, at);
    const end64 = this.#fields.u64(locator + 8);
    if (this.#fields.u32(locator + 4) !== 0 || this.#fields.u32(locator + 16) !== 1 || end64 > locator - END64_BYTES) {
      this.#fields.wrong('zip64 locator', locator);
    }
    if (this.#fields.u32(end64) !== END64 || end64 + 12 + this.#fields.u64(end64 + 4) !== locator) {
      this.#fields.wrong('zip64 end of central directory', end64);
    }
    const there = this.#readEnd(end64, 4);
    const agrees = (field: keyof typeof here, unknown: number) => {
      return here[field] === there[field] || here[field] === unknown;
    };
    if (!agrees('count', 0xffff) || !agrees('size', UNKNOWN32) || !agrees('begin', UNKNOWN32)) {
      this.#fields.wrong('zip64 end of central directory, which differs from the other one,', end64);
    }
    return this.#checkDirectory(there, end64);
  }

  /** Reads an end of central directory. Its count has 2 bytes and its sizes 4; in the zip64 form all have 8. */
  #readEnd(at: number, width: 2 | 4): { count: number; size: number; begin: number } {
    const short = width === 2;
    const disks = at + (short ? 4 : 16);
    const read16 = (from: number) => this.#fields.u16(from);
    const read32 = (from: number) => this.#fields.u32(from);
    const count = short ? read16(at + 10) : this.#fields.u64(at + 32);
    const countHere = short ? read16(at + 8) : this.#fields.u64(at + 24);
    const firstDisks = short ? read16(disks) || read16(disks + 2) : read32(disks) || read32(disks + 4);
    if (count !== countHere || firstDisks !== 0) this.#fields.wrong('end of central directory, of several disks,', at);
    if (short) return { count, size: read32(at + 12), begin: read32(at + 16) };
    return { count, size: this.#fields.u64(at + 40), begin: this.#fields.u64(at + 48) };
  }

  #checkDirectory({ count, size, begin }: { count: number; size: number; begin: number }, end: number) {
    if (begin + size !== end) {
      const what = 'the offset of the end of central directory';
      this.#fields.refuse('invalid-zip', `byte ${end}`, what, begin + size, end);
    }
    return { begin, end, count };
  }

  #readDirectory(begin: number, end: number, count: number): void {
    let at = begin;
    while (at < end) {
      if (at + 46 > end || this.#fields.u32(at) !== DIRECTORY_HEADER) this.#fields.wrong('central directory', at);
      const [flags, method] = [this.#fields.u16(at + 8), this.#fields.u16(at + 10)];
      const nameEnd = at + 46 + this.#fields.u16(at + 28);
      const extraEnd = nameEnd + this.#fields.u16(at + 30);
      const next = extraEnd + this.#fields.u16(at + 32);
      if (next > end) this.#fields.wrong('central directory', at);
      const name = this.#fields.name(at + 46, nameEnd);
      if (this.#fields.u16(at + 34) !== 0)
        this.#fields.wrong(`central directory, of several disks, entry ${describe(name)}`, at);
      if (flags & ~KNOWN_FLAGS || !METHODS.has(method)) {
        const found = flags & ~KNOWN_FLAGS ? `flags ${flags}` : `compression method ${method}`;
        const known = [...METHODS.values()].join(', ');
        this.#fields.refuse('unsupported-zip', name, `the entry ${describe(name)}`, known, found, ` (at byte ${at})`);
      }
      const [size, zippedSize, offset] = this.#readSizes(at, nameEnd, extraEnd);
      const crc = this.#fields.u32(at + 16);
      this.#add({ name, flags, method, crc, zippedSize, size, offset, begin: 0 }, at);
      at = next;
    }
    if (this.#entries.size !== count) {
      const what = 'the number of entries in the central directory';
      this.#fields.refuse('invalid-zip', `byte ${begin}`, what, count, this.#entries.size);
    }
  }

  #add(entry: ZipEntry, at: number): void {
    const { name, method, zippedSize, size } = entry;
    if (this.#entries.has(name)) {
      const reason = `the zip has two entries ${describe(name)} (at byte ${at})`;
      this.#fields.refuse.because('duplicate-entry', name, reason, 'one entry', name);
    }
    if (/(^|[\\/])\.\.([\\/]|$)/.test(name)) {
      const reason = `the name ${describe(name)} leads out of the zip (at byte ${at})`;
      this.#fields.refuse.because('unsafe-path', name, reason, 'no ..', name);
    }
    const most = method === 0 ? zippedSize : MAX_RATIO * zippedSize + RATIO_FREE_BYTES;
    if (size > most || (method === 0 && size !== zippedSize)) {
      const what = `the size of ${describe(name)}, ${METHODS.get(method)} in ${zippedSize} bytes,`;
      const expected = method === 0 ? zippedSize : `at most ${most}`;
      this.#fields.refuse('size-mismatch', name, what, expected, size, ` (at byte ${at})`);
    }
    this.#budget.spend(ENTRY_BYTES + 2 * name.length, 'central directory');
    this.#entries.set(name, entry);
  }

  /** Reads size, size in the file and offset of a directory entry. In place of an unknown one stands the next zip64 field. */
  #readSizes(at: number, extraBegin: number, extraEnd: number): [number, number, number] {
    const sizes = [24, 20, 42].map((field) => this.#fields.u32(at + field)) as [number, number, number];
    let extra = extraBegin;
    while (extra + 4 <= extraEnd) {
      const dataEnd = extra + 4 + this.#fields.u16(extra + 2);
      if (dataEnd > extraEnd) this.#fields.wrong('extra field', extra);
      if (this.#fields.u16(extra) === 1) {
        let wide = extra + 4;
        for (const [i, value] of sizes.entries()) {
          if (value !== UNKNOWN32) continue;
          if (wide + 8 > dataEnd) this.#fields.wrong('zip64 extra field', extra);
          sizes[i] = this.#fields.u64(wide);
          wide += 8;
        }
        break;
      }
      extra = dataEnd;
    }
    return sizes;
  }
}
