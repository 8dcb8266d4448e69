import { product } from '../../base/tensor.ts';
import type { Budget } from '../../files/budget.ts';
import type { Hdf5Cursor, Span } from './cursor.ts';
import { type Datatype, readDataspace, readDatatype } from './types.ts';

/** An attribute whose numbers or texts are still in the file. */
export interface Attribute {
  /** Its path in messages, `group@name`. */
  readonly where: string;
  readonly type: Datatype;
  readonly dims: readonly number[];
  /** The offset of its values. */
  readonly at: number;
}

/** Reads attributes (HDF5 file format, IV.A.2.m) and the collections of texts that they refer to (III.E). */
export class Hdf5Attributes {
  readonly #cursor: Hdf5Cursor;
  readonly #budget: Budget;
  /** The texts of each collection by number, by the address of the collection. */
  readonly #collections = new Map<number, Map<number, Span>>();

  constructor(cursor: Hdf5Cursor, budget: Budget) {
    this.#cursor = cursor;
    this.#budget = budget;
  }

  /** Checks an attribute and adds it to those of its object. */
  read(path: string, { at, size }: Span, attributes: Map<string, Attribute>): void {
    const cursor = this.#cursor;
    cursor.check(at, size, 9, path);
    const version = cursor.u8(at);
    if (version !== 1 && version !== 3) cursor.refuse('unsupported', path, `an attribute of version ${version}`, at);
    if (cursor.u8(at + 1) !== 0)
      cursor.refuse('unsupported', path, 'an attribute with a shared type, which is stored elsewhere', at);
    const lengths = [2, 4, 6].map((i) => cursor.u16(at + i)) as [number, number, number];
    const padded = version === 1 ? lengths.map((length) => 8 * Math.ceil(length / 8)) : lengths;
    const nameAt = at + (version === 1 ? 8 : 9);
    const typeAt = nameAt + padded[0]!;
    const spaceAt = typeAt + padded[1]!;
    const valueAt = spaceAt + padded[2]!;
    cursor.check(at, size, valueAt - at, path);
    const name = cursor.text(nameAt, nameAt + lengths[0], path);
    const where = `${path}@${name}`;
    if (attributes.has(name)) cursor.refuse('invalid-name', where, 'the name is repeated', at);
    const type = readDatatype(cursor, typeAt, lengths[1], where);
    const dims = readDataspace(cursor, spaceAt, lengths[2], where);
    const count = product(dims);
    cursor.check(at, size, valueAt - at + count * type.size, where);
    this.#budget.spend(300 + count * (20 + 2 * type.size), where);
    attributes.set(name, { where, type, dims, at: valueAt });
    if (type.kind !== 'text') return;
    for (let i = 0; i < count; i++) this.#budget.spend(100 + 2 * this.#findText(where, valueAt + 16 * i).size, where);
  }

  /** Reads the texts of an attribute; undefined if it has numbers. */
  texts({ where, type, dims, at }: Attribute): string[] | undefined {
    if (type.kind !== 'text' && type.kind !== 'string') return undefined;
    return Array.from({ length: product(dims) }, (_, i) => {
      const begin = at + i * type.size;
      const text = type.kind === 'text' ? this.#findText(where, begin) : { at: begin, size: type.size };
      return this.#cursor.characters(text.at, text.at + text.size, where).replace(/\0+$/, '');
    });
  }

  /** Follows a reference to characters: their count, the address of a collection, and a number in it. */
  #findText(where: string, at: number): Span {
    const cursor = this.#cursor;
    const [count, address] = [cursor.u32(at), cursor.u64(at + 4)];
    if (count === 0) return { at, size: 0 };
    let collection = this.#collections.get(address);
    if (!collection) {
      cursor.signature(address, 'GCOL', 16, where);
      collection = this.#readCollection(where, address, cursor.u64(address + 8));
      this.#collections.set(address, collection);
    }
    const text = collection.get(cursor.u32(at + 12));
    if (!text || count > text.size) return cursor.refuse('invalid-hdf5', where, 'a text that does not exist', at);
    return { at: text.at, size: count };
  }

  /** Finds the texts of a collection by their numbers. */
  #readCollection(where: string, address: number, size: number): Map<number, Span> {
    const cursor = this.#cursor;
    cursor.check(address, size, 16, where);
    cursor.claim(address + 16, size - 16, where);
    const collection = new Map<number, Span>();
    const end = address + size;
    for (let at = address + 16; at + 16 <= end; ) {
      const index = cursor.u16(at);
      if (index === 0) break;
      const length = cursor.u64(at + 8);
      const begin = at + 16;
      at = begin + 8 * Math.ceil(length / 8);
      if (at > end || collection.has(index)) {
        cursor.refuse('invalid-hdf5', where, 'a damaged collection of texts', address);
      }
      collection.set(index, { at: begin, size: length });
      this.#budget.spend(150, where);
    }
    return collection;
  }
}
