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
/** What a field of 4 bytes has whose value stands elsewhere. */
export const UNKNOWN32 = 0xffffffff;

/** Bits of an entry's flags: levels of deflate, sizes in a descriptor after the data, a name in UTF-8. */
export const DESCRIPTOR_FLAG = 0x0008;
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

export interface Entry {
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

export interface Directory {
  readonly entries: ReadonlyMap<string, Entry>;
  /** Where the directory begins, and the entries have to end */
  readonly begin: number;
}

/** @throws ModelError */
export function readDirectory(fields: ZipFields, budget: Budget): Directory {
  return new DirectoryReader(fields, budget).run();
}

class DirectoryReader {
  readonly #fields: ZipFields;
  readonly #budget: Budget;
  readonly #entries = new Map<string, Entry>();

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
      const text =
        'the zip file is truncated, or something follows it: its last 22 bytes are no end of central directory';
      this.#fields.refuse('truncated', `byte ${Math.max(0, at)}`, text, 'end of central directory', undefined);
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

  /** The fields of an end of central directory, whose sizes have 2 and 4 bytes, or 8 each in its zip64 form. */
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
      const text = `the central directory of the zip should end at byte ${begin + size}, its end record is at byte ${end}`;
      this.#fields.refuse('invalid-zip', `byte ${end}`, text, begin + size, end);
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
        const what = flags & ~KNOWN_FLAGS ? `flags ${flags}` : `compression method ${method}`;
        const text = `${describe(name)} has ${what}, which a model does not need (at byte ${at})`;
        this.#fields.refuse('unsupported-zip', name, text, [...METHODS.values()].join(', '), what);
      }
      const [size, zippedSize, offset] = this.#readSizes(at, nameEnd, extraEnd);
      const crc = this.#fields.u32(at + 16);
      this.#add({ name, flags, method, crc, zippedSize, size, offset, begin: 0 }, at);
      at = next;
    }
    if (this.#entries.size !== count) {
      const text = `the central directory of the zip should have ${count} entries, it has ${this.#entries.size}`;
      this.#fields.refuse('invalid-zip', `byte ${begin}`, text, count, this.#entries.size);
    }
  }

  #add(entry: Entry, at: number): void {
    const { name, method, zippedSize, size } = entry;
    if (this.#entries.has(name)) {
      this.#fields.refuse(
        'duplicate-entry',
        name,
        `the zip has two entries ${describe(name)} (at byte ${at})`,
        'one entry',
        name,
      );
    }
    if (/(^|[\\/])\.\.([\\/]|$)/.test(name)) {
      this.#fields.refuse(
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
      this.#fields.refuse('size-mismatch', name, text, method === 0 ? zippedSize : `at most ${most}`, size);
    }
    this.#budget.spend(ENTRY_BYTES + 2 * name.length, 'central directory');
    this.#entries.set(name, entry);
  }

  /** Size, size in the file and offset of a directory entry: its own, or for each that is unknown the next zip64 one. */
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
