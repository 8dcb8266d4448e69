import type { Budget } from '../budget.ts';
import type { Hdf5Cursor } from './hdf5-cursor.ts';
import type { Message } from './hdf5-header.ts';
import { readDataspace, readDatatype } from './hdf5-types.ts';

/** Checks attributes (HDF5 file format, IV.A.2.m), and the collections of texts that they refer to (III.E). */
export class Hdf5Attributes {
  readonly #cursor: Hdf5Cursor;
  readonly #budget: Budget;
  /** Objects of each collection of texts, by its address */
  readonly #texts = new Map<number, Set<number>>();

  constructor(cursor: Hdf5Cursor, budget: Budget) {
    this.#cursor = cursor;
    this.#budget = budget;
  }

  /** @param names of the object's attributes so far */
  read(path: string, { at, size }: Message, names: Set<string>): void {
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
}
