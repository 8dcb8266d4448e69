// @ts-expect-error: it has no types
import { Filters, File as Hdf5File } from 'jsfive';
import { ModelError } from '../../base/errors.ts';
import { describe, formatDims, product } from '../../base/tensor.ts';
import type { Budget } from '../../files/budget.ts';
import { float16ToFloat32 } from '../../files/float-formats.ts';
import { inflate } from '../../files/zip/inflate.ts';
import type { LazyTensor } from '../named-weights.ts';
import { refuse } from '../refuse.ts';
import { type Contents, type Dataset, walkHdf5 } from './objects.ts';

/** The part of jsfive's objects that is used. */
interface Hdf5Object {
  get(path: string): Hdf5Object;
  readonly value: ArrayLike<number>;
}

/** The dataset whose chunks are unpacked now. jsfive does not pass it to filters, and its own inflate has no bound. */
let unpacking: { readonly name: string; readonly bytes: number } | undefined;

const DEFLATE = 1;
(Filters as Map<number, (bytes: ArrayBuffer) => ArrayBuffer>).set(DEFLATE, (bytes) => {
  const { name, bytes: size } = unpacking!;
  // without zlib's two bytes before the data and its checksum after them
  return inflate(new Uint8Array(bytes, 2, Math.max(0, bytes.byteLength - 6)), size, name, refuse).buffer;
});

/** An HDF5 file, checked as a whole before any value is read. jsfive reads values in chunks. */
export class Hdf5 {
  readonly contents: Contents;
  readonly #file: Uint8Array<ArrayBuffer>;
  #root: Hdf5Object | undefined;

  /** Checks the whole file. @throws ModelError */
  constructor(file: Uint8Array<ArrayBuffer>, budget: Budget) {
    this.contents = walkHdf5(file, budget);
    this.#file = file;
  }

  /** Tells whether there is a group or dataset at `path`. */
  has(path: string): boolean {
    return this.contents.groups.has(path) || this.contents.datasets.has(path);
  }

  /** Reads a text attribute of a group; undefined if it is missing. */
  text(path: string, name: string): string | undefined {
    const found = this.contents.attribute(path, name);
    if (found && (found.dims.length > 0 || !found.texts)) return wrongAttribute(found, 'a text');
    return found?.texts?.[0];
  }

  /** Reads an attribute with a list of texts, or its parts name0, name1 and so on; undefined if it is missing. */
  texts(path: string, name: string): string[] | undefined {
    const whole = this.#list(path, name);
    if (whole) return whole;
    const texts: string[] = [];
    for (let i = 0; ; i++) {
      const part = this.#list(path, `${name}${i}`);
      if (!part) return i > 0 ? texts : undefined;
      for (const text of part) texts.push(text);
    }
  }

  /** Reads one attribute with a list of texts; undefined if it is missing. */
  #list(path: string, name: string): string[] | undefined {
    const found = this.contents.attribute(path, name);
    if (!found) return undefined;
    // h5py writes an empty list as no numbers
    if (product(found.dims) === 0) return [];
    return (found.dims.length > 0 && found.texts) || wrongAttribute(found, 'texts');
  }

  /** Gives a dataset of floats as a tensor, not read yet. @throws ModelError if it has no floats */
  tensor(dataset: Dataset): LazyTensor {
    const { path, dims, type } = dataset;
    if (type.kind !== 'float') {
      refuse('not-float', path, `the type of ${describe(path)}`, 'floats', type.kind);
    }
    return { dims, read: () => this.#read(dataset) };
  }

  /** Copies floats that lie in a row; leaves those in chunks to jsfive. */
  #read({ path, dims, type, begin, chunkBytes }: Dataset): Float32Array {
    const count = product(dims);
    if (begin !== undefined) {
      const bytes = this.#file.slice(begin, begin + count * type.size);
      if (type.bigEndian)
        for (let at = 0; at < bytes.length; at += type.size) bytes.subarray(at, at + type.size).reverse();
      const { buffer } = bytes;
      if (type.size === 4) return new Float32Array(buffer);
      return type.size === 2 ? float16ToFloat32(new Uint16Array(buffer)) : Float32Array.from(new Float64Array(buffer));
    }
    // jsfive gives an array of numbers, at most 2^31
    const values = this.#ask(path, (root) => {
      unpacking = { name: path, bytes: chunkBytes };
      return Float32Array.from(root.get(path).value);
    });
    if (values.length !== count) {
      refuse('size-mismatch', path, `the numbers of ${describe(path)} ${formatDims(dims)}`, count, values.length);
    }
    return values;
  }

  /** Reads by jsfive, which throws strings and errors of any kind. @throws ModelError in their place */
  #ask<T>(path: string, read: (root: Hdf5Object) => T): T {
    try {
      if (!this.#root) {
        // it takes a whole buffer
        const file = this.#file.byteLength === this.#file.buffer.byteLength ? this.#file : this.#file.slice();
        this.#root = new Hdf5File(file.buffer) as Hdf5Object;
      }
      return read(this.#root);
    } catch (error) {
      if (error instanceof ModelError) throw error;
      const reason = error instanceof Error ? error.message : `${error}`.slice(0, 200);
      return refuse.because('invalid-hdf5', path, `${describe(path)} cannot be read: ${reason}`, 'HDF5', reason);
    }
  }
}

function wrongAttribute({ where, texts, dims }: NonNullable<ReturnType<Contents['attribute']>>, wanted: string): never {
  const found = `${texts ? 'texts' : 'numbers'} ${formatDims(dims)}`;
  return refuse('wrong-type', where, describe(where), wanted, found);
}
