import type { Budget } from '../../files/budget.ts';
import { type Attribute, Hdf5Attributes } from './attributes.ts';
import { type Chunks, readChunks } from './chunks.ts';
import { Hdf5Cursor } from './cursor.ts';
import { MESSAGE, type Message, readHeader } from './header.ts';
import { readHeap } from './heap.ts';
import { readLinks } from './links.ts';
import { readSuperblock } from './superblock.ts';
import { type Datatype, readDataspace, readDatatype } from './types.ts';

// Walks over an HDF5 file (HDF5 file format 3.0), in the format of the first releases, which h5py and so Keras writes, or in a
// newer one. Everything is checked here, before any value is read.

/** The undefined address. */
const NOWHERE = 2 ** 64;
const MAX_DEPTH = 32;

/** Bytes on the budget for an object, beyond its path. */
const OBJECT_BYTES = 600;

/** A dataset that was checked and can be read. */
export interface Dataset {
  readonly path: string;
  readonly dims: readonly number[];
  readonly type: Datatype;
  /** The offset of its bytes in a row; undefined if they are in chunks. */
  readonly begin: number | undefined;
  readonly chunks: Chunks | undefined;
}

/** The groups, datasets and attributes of a file by path: `a/b`, and `` for the root. */
export interface Contents {
  readonly groups: ReadonlySet<string>;
  readonly datasets: ReadonlyMap<string, Dataset>;
  /** Reads an attribute; `texts` is undefined if it has numbers. Gives undefined if it is missing. */
  attribute(
    path: string,
    name: string,
  ): { dims: readonly number[]; texts: string[] | undefined; where: string } | undefined;
}

/**
 * Walks over all objects of a file.
 * @throws ModelError unless the whole file can be read safely
 */
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
  readonly #byObject = new Map<string, ReadonlyMap<string, Attribute>>();

  constructor(cursor: Hdf5Cursor, budget: Budget) {
    this.#cursor = cursor;
    this.#budget = budget;
    this.#attributes = new Hdf5Attributes(cursor, budget);
  }

  run(): Contents {
    this.#open.push({ path: '', at: readSuperblock(this.#cursor), depth: 0 });
    // with a stack of its own, not by recursion, and in the order of the file
    for (let next = this.#open.pop(); next; next = this.#open.pop()) this.#readObject(next.path, next.at, next.depth);
    const chunked = [...this.#datasets.values()].find(({ begin }) => begin === undefined);
    if (chunked && this.#cursor.newer) {
      const text = 'chunks in a file of a newer format: write it with libver="earliest", the default of h5py';
      this.#cursor.refuse('unsupported', chunked.path, text, 0);
    }
    return {
      groups: this.#groups,
      datasets: this.#datasets,
      attribute: (path, name) => {
        const found = this.#byObject.get(path)?.get(name);
        return found && { where: found.where, dims: found.dims, texts: this.#attributes.texts(found) };
      },
    };
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
    const [space, info] = [only(MESSAGE.dataspace), only(MESSAGE.attributes)];
    const [type, layout, filters] = [only(MESSAGE.datatype), only(MESSAGE.layout), only(MESSAGE.filters)];
    for (const once of [MESSAGE.symbols, MESSAGE.links]) only(once);
    const attributes = new Map<string, Attribute>();
    const own = messages.filter((message) => message.type === MESSAGE.attribute);
    const more = info ? readHeap(this.#cursor, this.#budget, name, info, 2) : [];
    for (const message of [...own, ...more]) this.#attributes.read(name, message, attributes);
    if (attributes.size > 0) this.#byObject.set(path, attributes);
    const links = readLinks(this.#cursor, this.#budget, name, messages);
    if (links && !space) {
      if (depth > MAX_DEPTH) this.#cursor.refuse('too-deep', name, `groups deeper than ${MAX_DEPTH}`, at);
      this.#groups.add(path);
      for (const link of links.reverse()) {
        this.#open.push({ path: path === '' ? link.name : `${path}/${link.name}`, at: link.at, depth: depth + 1 });
      }
      return;
    }
    if (links || !space || !type || !layout) {
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
    const known = kind === 1 ? version === 3 || version === 4 : kind === 2 && version === 3;
    if (!known) {
      cursor.refuse('unsupported', name, `a layout of version ${version} and class ${kind}`, at);
    }
    if (kind === 2) return readChunks(cursor, this.#budget, name, layout, filters, dims, type);
    if (filters) cursor.refuse('invalid-hdf5', name, 'filters without chunks', filters.at);
    cursor.check(at, size, 18, name);
    const bytes = dims.reduce((product, length) => product * length, type.size);
    const begin = cursor.u64(at + 2);
    const stored = cursor.u64(at + 10);
    if (bytes === 0) return { begin: 0, chunks: undefined };
    if (begin >= NOWHERE) cursor.refuse('size-mismatch', name, 'its values were never written', at);
    if (stored !== bytes) cursor.refuse('size-mismatch', name, `expected ${bytes} bytes, got ${stored}`, at);
    cursor.claim(begin, bytes, name);
    return { begin, chunks: undefined };
  }
}
