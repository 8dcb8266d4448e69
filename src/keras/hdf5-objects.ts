import type { Budget } from '../budget.ts';
import { Hdf5Attributes } from './hdf5-attributes.ts';
import { readChunks } from './hdf5-chunks.ts';
import { Hdf5Cursor } from './hdf5-cursor.ts';
import { readGroup } from './hdf5-group.ts';
import { MESSAGE, type Message, readHeader } from './hdf5-header.ts';
import { type Datatype, readDataspace, readDatatype } from './hdf5-types.ts';

// A walk over an HDF5 file in the format of its first releases, which h5py and with it Keras writes (superblock 0, symbol
// tables, object headers of version 1; HDF5 file format III and IV). It reads structure, not values: those are jsfive's, which
// follows sizes and addresses wherever they lead. So what is not accepted here never gets there.

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const ROOT_ENTRY = 56;
const ROOT_ENTRY_BYTES = 40;
const NOWHERE = 2 ** 64;
const MAX_DEPTH = 32;
/** What an object costs beyond its bytes. */
const OBJECT_BYTES = 1000;

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
  readonly #attributes: Hdf5Attributes;

  constructor(cursor: Hdf5Cursor, budget: Budget) {
    this.#cursor = cursor;
    this.#budget = budget;
    this.#attributes = new Hdf5Attributes(cursor, budget);
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
    cursor.claim(0, ROOT_ENTRY + ROOT_ENTRY_BYTES, 'superblock');
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
    const messages = readHeader(this.#cursor, this.#budget, name, at);
    const only = (type: number) => {
      const found = messages.filter((message) => message.type === type);
      if (found.length > 1) this.#cursor.refuse('invalid-hdf5', name, `two messages of type ${type}`, found[1]!.at);
      return found[0];
    };
    const names = new Set<string>();
    for (const message of messages) {
      if (message.type === MESSAGE.attribute) this.#attributes.read(name, message, names);
    }
    const [symbols, space] = [only(MESSAGE.symbols), only(MESSAGE.dataspace)];
    const [type, layout, filters] = [only(MESSAGE.datatype), only(MESSAGE.layout), only(MESSAGE.filters)];
    if (symbols && !space) {
      if (depth > MAX_DEPTH) this.#cursor.refuse('too-deep', name, `groups deeper than ${MAX_DEPTH}`, at);
      this.#groups.add(path);
      const links = readGroup(this.#cursor, this.#budget, name, symbols);
      for (const link of links.reverse()) {
        this.#open.push({ path: path === '' ? link.name : `${path}/${link.name}`, at: link.at, depth: depth + 1 });
      }
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
