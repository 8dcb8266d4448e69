import type { Budget } from '../budget.ts';
import { describe } from '../tensor.ts';
import { readChunks } from './hdf5-chunks.ts';
import { Hdf5Cursor } from './hdf5-cursor.ts';
import { type Datatype, readDataspace, readDatatype } from './hdf5-types.ts';

// A walk over an HDF5 file in the format of its first releases, which h5py and with it Keras writes (superblock 0, symbol
// tables, object headers of version 1; HDF5 file format III and IV). It reads structure, not values: those are jsfive's, which
// follows sizes and addresses wherever they lead. So what is not accepted here never gets there.

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const ROOT_ENTRY = 56;
const SYMBOL_BYTES = 40;
const NOWHERE = 2 ** 64;
const MAX_DEPTH = 32;
/** What an object, a link or an attribute costs beyond its bytes. */
const OBJECT_BYTES = 1000;

const MESSAGE = { nil: 0, dataspace: 1, datatype: 3, layout: 8, filters: 11, attribute: 12, more: 16, symbols: 17 };
/** Old and new fill values, comments, times of change, counts of links: they change nothing. */
const IGNORED = [4, 5, 13, 14, 18, 22];
const UNSUPPORTED: ReadonlyMap<number, string> = new Map([
  [2, 'a group of a newer format: write the file with libver="earliest", as h5py does by itself'],
  [6, 'a link of a newer format: write the file with libver="earliest", as h5py does by itself'],
  [7, 'data in another file, which is never opened'],
  [21, 'attributes of a newer format: write the file with libver="earliest", as h5py does by itself'],
]);

interface Message {
  readonly type: number;
  readonly at: number;
  readonly size: number;
}

/** A dataset that can be read. */
export interface Dataset {
  readonly path: string;
  readonly dims: readonly number[];
  readonly type: Datatype;
  /** Where its bytes are in a row; undefined if they are in chunks */
  readonly begin: number | undefined;
  /** Of a chunk, unpacked */
  readonly chunkBytes: number;
}

/** What is in a file, by path: `a/b`, and `` for the root. */
export interface Contents {
  readonly groups: ReadonlySet<string>;
  readonly datasets: ReadonlyMap<string, Dataset>;
}

/** @throws ModelError unless all of the file can be read safely */
export function walkHdf5(file: Uint8Array, budget: Budget): Contents {
  return new Walk(new Hdf5Cursor(file), budget).run();
}

class Walk {
  readonly #cursor: Hdf5Cursor;
  readonly #budget: Budget;
  readonly #groups = new Set<string>();
  readonly #datasets = new Map<string, Dataset>();
  readonly #open: { path: string; at: number; depth: number }[] = [];
  readonly #seen = new Set<number>();
  /** Objects of each collection of texts, by its address */
  readonly #texts = new Map<number, Set<number>>();

  constructor(cursor: Hdf5Cursor, budget: Budget) {
    this.#cursor = cursor;
    this.#budget = budget;
  }

  run(): Contents {
    this.#open.push({ path: '', at: this.#readSuperblock(), depth: 0 });
    // by hand, not by recursion, and first things first
    for (let next = this.#open.pop(); next; next = this.#open.pop()) this.#readObject(next.path, next.at, next.depth);
    return { groups: this.#groups, datasets: this.#datasets };
  }

  #readSuperblock(): number {
    const cursor = this.#cursor;
    const { file } = cursor;
    if (SIGNATURE.some((byte, i) => file[i] !== byte)) {
      cursor.refuse('not-hdf5', 'the file', 'it does not begin as an HDF5 file does', 0);
    }
    cursor.claim(0, ROOT_ENTRY + SYMBOL_BYTES, 'superblock');
    const version = cursor.u8(8);
    if (version !== 0) {
      const text = `a superblock of version ${version}: write the file with libver="earliest", as h5py does by itself`;
      cursor.refuse('unsupported', 'superblock', text, 8);
    }
    if (cursor.u8(13) !== 8 || cursor.u8(14) !== 8 || cursor.u64(24) !== 0) {
      cursor.refuse(
        'unsupported',
        'superblock',
        'addresses and sizes of 8 bytes expected, from the start of the file',
        13,
      );
    }
    const end = cursor.u64(40);
    if (end > file.length) {
      cursor.refuse('truncated', 'superblock', `the file should have ${end} bytes, it has ${file.length}`, 40);
    }
    return cursor.u64(ROOT_ENTRY + 8);
  }

  #readObject(path: string, at: number, depth: number): void {
    const name = path === '' ? '/' : path;
    if (this.#seen.has(at)) this.#cursor.refuse('overlap', name, 'an object with two names, or a cycle', at);
    this.#seen.add(at);
    this.#budget.spend(OBJECT_BYTES + 2 * path.length, name);
    const messages = this.#readHeader(name, at);
    const only = (type: number) => {
      const found = messages.filter((message) => message.type === type);
      if (found.length > 1) this.#cursor.refuse('invalid-hdf5', name, `two messages of type ${type}`, found[1]!.at);
      return found[0];
    };
    const names = new Set<string>();
    for (const message of messages) {
      if (message.type === MESSAGE.attribute) this.#readAttribute(name, message, names);
    }
    const [symbols, space] = [only(MESSAGE.symbols), only(MESSAGE.dataspace)];
    const [type, layout, filters] = [only(MESSAGE.datatype), only(MESSAGE.layout), only(MESSAGE.filters)];
    if (symbols && !space) {
      if (depth > MAX_DEPTH) this.#cursor.refuse('too-deep', name, `groups deeper than ${MAX_DEPTH}`, at);
      this.#groups.add(path);
      this.#readGroup(path, symbols, depth);
      return;
    }
    if (symbols || !space || !type || !layout) {
      this.#cursor.refuse('invalid-hdf5', name, 'neither a group nor a dataset', at);
    }
    const dims = readDataspace(this.#cursor, space.at, space.size, name);
    const datatype = readDatatype(this.#cursor, type.at, type.size, name);
    this.#datasets.set(path, {
      path,
      dims,
      type: datatype,
      ...this.#readLayout(name, layout, filters, dims, datatype),
    });
  }

  /** The messages of an object header of version 1: in blocks, of which a message may name the next. */
  #readHeader(name: string, at: number): Message[] {
    const cursor = this.#cursor;
    cursor.claim(at, 16, name);
    if (cursor.u8(at) !== 1) {
      const text = 'no object header of version 1: write the file with libver="earliest", as h5py does by itself';
      cursor.refuse('unsupported', name, text, at);
    }
    const count = cursor.u16(at + 2);
    const blocks = [{ begin: at + 16, size: cursor.u32(at + 8) }];
    const messages: Message[] = [];
    let block = blocks.shift()!;
    cursor.claim(block.begin, block.size, name);
    let used = 0;
    for (let i = 0; i < count; i++) {
      if (used === block.size) {
        const next = blocks.shift();
        block = next ?? cursor.refuse('invalid-hdf5', name, `${count} messages expected, it has ${i}`, at);
        cursor.claim(block.begin, block.size, name);
        used = 0;
      }
      const here = block.begin + used;
      if (used + 8 > block.size) cursor.refuse('invalid-hdf5', name, 'a message beyond the end of its block', here);
      const [type, size, flags] = [cursor.u16(here), cursor.u16(here + 2), cursor.u8(here + 4)];
      used += 8 + size;
      if (used > block.size) cursor.refuse('invalid-hdf5', name, 'a message beyond the end of its block', here);
      const message = { type, at: here + 8, size };
      this.#checkMessage(name, message, flags);
      if (type === MESSAGE.more) blocks.push({ begin: cursor.u64(here + 8), size: cursor.u64(here + 16) });
      messages.push(message);
      this.#budget.spend(50, name);
    }
    return messages;
  }

  #checkMessage(name: string, { type, at, size }: Message, flags: number): void {
    const cursor = this.#cursor;
    const unsupported = UNSUPPORTED.get(type);
    if (unsupported) cursor.refuse('unsupported', name, unsupported, at);
    if (!Object.values(MESSAGE).includes(type) && !IGNORED.includes(type)) {
      cursor.refuse('unsupported', name, `a message of type ${type}`, at);
    }
    if (flags & 2) cursor.refuse('unsupported', name, 'a message that is somewhere else', at);
    if (type === MESSAGE.more || type === MESSAGE.symbols) cursor.check(at, size, 16, name);
    if (type === MESSAGE.symbols && size !== 16)
      cursor.refuse('invalid-hdf5', name, `a symbol table message of ${size} bytes`, at);
  }

  /** The names of a group: a B-tree of tables of entries, their names in a heap. */
  #readGroup(path: string, { at }: Message, depth: number): void {
    const cursor = this.#cursor;
    const name = path === '' ? '/' : path;
    const heap = cursor.u64(at + 8);
    cursor.signature(heap, 'HEAP', 32, name);
    const begin = cursor.u64(heap + 24);
    const size = cursor.u64(heap + 8);
    if (cursor.u8(heap + 4) !== 0) cursor.refuse('unsupported', name, 'a heap of another version', heap);
    cursor.claim(begin, size, name);
    const names = new Set<string>();
    const found: { path: string; at: number; depth: number }[] = [];
    for (const table of this.#readTree(name, cursor.u64(at))) {
      cursor.signature(table, 'SNOD', 8, name);
      if (cursor.u8(table + 4) !== 1) cursor.refuse('unsupported', name, 'a symbol table of another version', table);
      const count = cursor.u16(table + 6);
      cursor.claim(table + 8, count * SYMBOL_BYTES, name);
      for (let i = 0; i < count; i++) {
        const entry = table + 8 + i * SYMBOL_BYTES;
        const link = cursor.text(begin + cursor.u64(entry), begin + size, name);
        this.#budget.spend(OBJECT_BYTES + 4 * link.length, name);
        if (cursor.u32(entry + 16) > 1) {
          cursor.refuse(
            'unsupported',
            name,
            `${describe(link)} is a link to another name, which is not followed`,
            entry,
          );
        }
        if (names.has(link) || /^$|^\.\.?$|[/\0]|^__proto__$/.test(link)) {
          cursor.refuse('invalid-name', name, `the name ${describe(link)}, which is not allowed or there twice`, entry);
        }
        names.add(link);
        found.push({ path: path === '' ? link : `${path}/${link}`, at: cursor.u64(entry + 8), depth: depth + 1 });
      }
    }
    this.#open.push(...found.reverse());
  }

  /** The addresses in the leaves of a B-tree of version 1 for groups. */
  #readTree(name: string, root: number): number[] {
    const cursor = this.#cursor;
    const leaves: number[] = [];
    const open: { at: number; level: number | undefined }[] = [{ at: root, level: undefined }];
    for (let next = open.pop(); next; next = open.pop()) {
      const { at } = next;
      cursor.signature(at, 'TREE', 24, name);
      const level = cursor.u8(at + 5);
      const count = cursor.u16(at + 6);
      if (cursor.u8(at + 4) !== 0 || (next.level !== undefined && level !== next.level)) {
        cursor.refuse('invalid-hdf5', name, 'a B-tree of another kind or level', at);
      }
      cursor.claim(at + 24, 16 * count + 8, name);
      for (let i = count - 1; i >= 0; i--) {
        const child = cursor.u64(at + 24 + 16 * i + 8);
        if (level === 0) leaves.push(child);
        else open.push({ at: child, level: level - 1 });
      }
    }
    // the last leaf's were found first
    return leaves.reverse();
  }

  #readAttribute(path: string, { at, size }: Message, names: Set<string>): void {
    const cursor = this.#cursor;
    cursor.check(at, size, 9, path);
    const version = cursor.u8(at);
    if (version !== 1 && version !== 3) cursor.refuse('unsupported', path, `an attribute of version ${version}`, at);
    if (cursor.u8(at + 1) !== 0) cursor.refuse('unsupported', path, 'an attribute whose type is somewhere else', at);
    const lengths = [2, 4, 6].map((i) => cursor.u16(at + i)) as [number, number, number];
    const padded = version === 1 ? lengths.map((length) => 8 * Math.ceil(length / 8)) : lengths;
    const nameAt = at + (version === 1 ? 8 : 9);
    const typeAt = nameAt + padded[0]!;
    const spaceAt = typeAt + padded[1]!;
    const valueAt = spaceAt + padded[2]!;
    cursor.check(at, size, valueAt - at, path);
    const name = cursor.text(nameAt, nameAt + lengths[0], path);
    const where = `${path}@${name}`;
    if (names.has(name) || name === '__proto__')
      cursor.refuse('invalid-name', where, 'the name is not allowed or there twice', at);
    names.add(name);
    const type = readDatatype(cursor, typeAt, lengths[1], where);
    const dims = readDataspace(cursor, spaceAt, lengths[2], where);
    const count = dims.reduce((product, length) => product * length, 1);
    cursor.check(at, size, valueAt - at + count * type.size, where);
    this.#budget.spend(100 + count * (20 + 2 * type.size), where);
    if (type.kind !== 'text') return;
    for (let i = 0; i < count; i++) this.#checkText(where, valueAt + 16 * i);
  }

  /** A reference to characters: their count, the address of a collection, and a number in it. */
  #checkText(where: string, at: number): void {
    const cursor = this.#cursor;
    const address = cursor.u64(at + 4);
    let objects = this.#texts.get(address);
    const size = () => cursor.u64(address + 8);
    if (!objects) {
      cursor.signature(address, 'GCOL', 16, where);
      objects = this.#readTexts(where, address, size());
      this.#texts.set(address, objects);
    }
    // jsfive copies it for each object that refers to it, and makes strings
    this.#budget.spend(size(), where);
    if (!objects.has(cursor.u32(at + 12))) cursor.refuse('invalid-hdf5', where, 'a text that is not there', at);
  }

  #readTexts(where: string, address: number, size: number): Set<number> {
    const cursor = this.#cursor;
    cursor.check(address, size, 16, where);
    cursor.claim(address + 16, size - 16, where);
    const objects = new Set<number>();
    const end = address + size;
    for (let at = address + 16; at + 16 <= end; ) {
      const index = cursor.u16(at);
      if (index === 0) break;
      const length = cursor.u64(at + 8);
      at += 16 + 8 * Math.ceil(length / 8);
      if (at > end || objects.has(index)) cursor.refuse('invalid-hdf5', where, 'a wrong collection of texts', address);
      objects.add(index);
      this.#budget.spend(100, where);
    }
    return objects;
  }

  #readLayout(name: string, layout: Message, filters: Message | undefined, dims: readonly number[], type: Datatype) {
    const cursor = this.#cursor;
    const { at, size } = layout;
    cursor.check(at, size, 2, name);
    const [version, kind] = [cursor.u8(at), cursor.u8(at + 1)];
    if (version !== 3 || (kind !== 1 && kind !== 2)) {
      cursor.refuse('unsupported', name, `a layout of version ${version} and class ${kind}`, at);
    }
    if (kind === 2) return readChunks(cursor, this.#budget, name, layout, filters, dims, type);
    if (filters) cursor.refuse('invalid-hdf5', name, 'filters without chunks', filters.at);
    cursor.check(at, size, 18, name);
    const bytes = dims.reduce((product, length) => product * length, type.size);
    const begin = cursor.u64(at + 2);
    const stored = cursor.u64(at + 10);
    if (bytes === 0) return { begin: 0, chunkBytes: 0 };
    if (begin >= NOWHERE) cursor.refuse('size-mismatch', name, 'its values were never written', at);
    if (stored !== bytes) cursor.refuse('size-mismatch', name, `${bytes} bytes expected, it has ${stored}`, at);
    cursor.claim(begin, bytes, name);
    return { begin, chunkBytes: 0 };
  }
}
