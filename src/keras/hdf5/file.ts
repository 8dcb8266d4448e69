import { describe, formatDims, product } from '../../base/tensor.ts';
import type { Budget } from '../../files/budget.ts';
import { float16ToFloat32 } from '../../files/float-formats.ts';
import type { LazyTensor } from '../named-weights.ts';
import { refuse } from '../refuse.ts';
import { type Contents, type Dataset, walkHdf5 } from './objects.ts';
import { joinChunks } from './unpack.ts';

/** An HDF5 file, checked as a whole before any value is read. */
export class Hdf5 {
  readonly contents: Contents;
  readonly #file: Uint8Array<ArrayBuffer>;

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

  /** Copies floats, which lie in a row or in chunks. */
  #read({ path, dims, type, begin, chunks }: Dataset): Float32Array {
    const { size } = type;
    const bytes = chunks
      ? joinChunks(this.#file, path, dims, size, chunks)
      : this.#file.slice(begin, begin! + product(dims) * size);
    if (type.bigEndian) for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
    const { buffer } = bytes;
    if (size === 4) return new Float32Array(buffer);
    return size === 2 ? float16ToFloat32(new Uint16Array(buffer)) : Float32Array.from(new Float64Array(buffer));
  }
}

function wrongAttribute({ where, texts, dims }: NonNullable<ReturnType<Contents['attribute']>>, wanted: string): never {
  const found = `${texts ? 'texts' : 'numbers'} ${formatDims(dims)}`;
  return refuse('wrong-type', where, describe(where), wanted, found);
}
