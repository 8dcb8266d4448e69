// @ts-expect-error: it has no types
import { Filters, File as Hdf5File } from 'jsfive';
import type { Budget } from '../budget.ts';
import { ModelError } from '../errors.ts';
import { float16ToFloat32 } from '../float-formats.ts';
import { inflate } from '../pytorch/inflate.ts';
import { describe, formatDims, product } from '../tensor.ts';
import { type Contents, type Dataset, walkHdf5 } from './hdf5-objects.ts';
import type { StoredTensor } from './named-weights.ts';
import { refuse } from './refuse.ts';

/** What is used of jsfive's groups and datasets. */
interface Hdf5Object {
  get(path: string): Hdf5Object;
  readonly attrs: Record<string, unknown>;
  readonly value: ArrayLike<number>;
}

/** The chunk that is unpacked now: jsfive does not say, and its own inflate knows no bound. */
let unpacking: { readonly name: string; readonly bytes: number } | undefined;

const DEFLATE = 1;
(Filters as Map<number, (bytes: ArrayBuffer) => ArrayBuffer>).set(DEFLATE, (bytes) => {
  const { name, bytes: size } = unpacking!;
  // zlib's two bytes before and checksum behind
  return inflate(new Uint8Array(bytes, 2, Math.max(0, bytes.byteLength - 6)), size, name, refuse).buffer;
});

/** An HDF5 file, walked over and checked as a whole before any value is read. */
export class Hdf5 {
  readonly contents: Contents;
  readonly #file: Uint8Array<ArrayBuffer>;
  #root: Hdf5Object | undefined;

  /** @throws ModelError */
  constructor(file: Uint8Array<ArrayBuffer>, budget: Budget) {
    this.contents = walkHdf5(file, budget);
    this.#file = file;
  }

  has(path: string): boolean {
    return this.contents.groups.has(path) || this.contents.datasets.has(path);
  }

  /** A text attribute of a group; undefined if there is none. */
  text(path: string, name: string): string | undefined {
    const value = this.#attributes(path)[name];
    if (value === undefined) return undefined;
    if (typeof value === 'string') return trim(value);
    const where = `${path}@${name}`;
    return refuse('wrong-type', where, `${describe(where)} expected a text, got ${describe(value)}`, 'a text', value);
  }

  /** A list of texts, which long ones are split into name0, name1 and so on; undefined if there is none. */
  texts(path: string, name: string): string[] | undefined {
    const attributes = this.#attributes(path);
    const own = (key: string) => (Object.hasOwn(attributes, key) ? attributes[key] : undefined);
    const whole = own(name);
    if (whole !== undefined) return readTexts(`${path}@${name}`, whole);
    if (own(`${name}0`) === undefined) return undefined;
    const texts: string[] = [];
    for (let i = 0; own(`${name}${i}`) !== undefined; i++) {
      for (const text of readTexts(`${path}@${name}${i}`, own(`${name}${i}`))) texts.push(text);
    }
    return texts;
  }

  /** A dataset of floats. */
  tensor(dataset: Dataset): StoredTensor {
    const { path, dims, type } = dataset;
    if (type.kind !== 'float') {
      const text = `${describe(path)} expected floating-point numbers, got ${type.kind}s of ${type.size} bytes`;
      refuse('not-float', path, text, 'floats', type.kind);
    }
    return { dims, read: () => this.#read(dataset) };
  }

  /** Little-endian floats in a row are copied as they are; what else there is jsfive reads. */
  #read({ path, dims, type, begin, chunkBytes }: Dataset): Float32Array {
    const count = product(dims);
    if (begin !== undefined && !type.bigEndian) {
      const { buffer } = this.#file.slice(begin, begin + count * type.size);
      if (type.size === 4) return new Float32Array(buffer);
      return type.size === 2 ? float16ToFloat32(new Uint16Array(buffer)) : Float32Array.from(new Float64Array(buffer));
    }
    // an array of any numbers, at most 2^31
    const values = this.#ask(path, (root) => {
      unpacking = { name: path, bytes: chunkBytes };
      return Float32Array.from(root.get(path).value);
    });
    if (values.length !== count) {
      const text = `${describe(path)} ${formatDims(dims)} has ${values.length} numbers`;
      refuse('size-mismatch', path, text, count, values.length);
    }
    return values;
  }

  #attributes(path: string): Record<string, unknown> {
    return this.#ask(path === '' ? '/' : path, (root) => (path === '' ? root : root.get(path)).attrs);
  }

  /** What jsfive throws are texts and errors of any kind. */
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
      return refuse('invalid-hdf5', path, `${describe(path)} cannot be read: ${reason}`, 'HDF5', reason);
    }
  }
}

function readTexts(where: string, value: unknown): string[] {
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value.map(trim);
  // as h5py writes an empty list: no numbers
  if (Array.isArray(value) && value.length === 0) return [];
  return refuse('wrong-type', where, `${describe(where)} expected texts, got ${describe(value)}`, 'texts', value);
}

/** Texts of a fixed length have zeros behind. */
function trim(text: string): string {
  return text.replace(/\0+$/, '');
}
