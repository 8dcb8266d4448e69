import type { Budget } from '../../files/budget.ts';
import type { Hdf5Cursor, Span } from './cursor.ts';

// An object with many links or attributes has a B-tree of version 2 (HDF5 file format, III.A.2), whose records point into a
// fractal heap (III.G). Read are the heaps of small objects: without filters, with one level of indirect blocks at most.

const NOWHERE = 2 ** 64;
const LEAST_BLOCK = 64;

/**
 * Reads the objects that a message points to with the addresses of a heap and of a B-tree.
 * @param counter bytes of the counter that may stand before the addresses: 8 for links, 2 for attributes
 */
export function readHeap(
  cursor: Hdf5Cursor,
  budget: Budget,
  name: string,
  { at, size }: Span,
  counter: 2 | 8,
): readonly Span[] {
  cursor.check(at, size, 18, name);
  const [version, flags] = [cursor.u8(at), cursor.u8(at + 1)];
  if (version !== 0) cursor.refuse('unsupported', name, `a list of version ${version}`, at);
  const addresses = at + 2 + (flags & 1 ? counter : 0);
  cursor.check(at, size, addresses + 16 - at, name);
  const heapAt = cursor.u64(addresses);
  if (heapAt >= NOWHERE) return [];
  const heap = new FractalHeap(cursor, name, heapAt);
  const objects: Span[] = [];
  // the record of a link is a hash and an ID; that of an attribute begins with an ID
  for (const record of readRecords(cursor, name, cursor.u64(addresses + 8), counter === 8 ? 5 : 8)) {
    budget.spend(100, name);
    objects.push(heap.find(record + (counter === 8 ? 4 : 0)));
  }
  return objects;
}

/** Counts the bytes that a number up to `limit` needs. */
function width(limit: number): number {
  return Math.floor(Math.log2(limit) / 8) + 1;
}

/** The blocks of a fractal heap, to find objects by their IDs. */
class FractalHeap {
  readonly #cursor: Hdf5Cursor;
  readonly #name: string;
  /** The blocks in the order of `start`, their address within the heap. */
  readonly #blocks: (Span & { readonly start: number })[] = [];
  readonly #offsetBytes: number;
  readonly #lengthBytes: number;

  constructor(cursor: Hdf5Cursor, name: string, at: number) {
    this.#cursor = cursor;
    this.#name = name;
    cursor.signature(at, 'FRHP', 146, name);
    const [columns, first] = [cursor.u16(at + 110), cursor.u64(at + 112)];
    const [largest, bits] = [cursor.u64(at + 120), cursor.u16(at + 128)];
    const rows = cursor.u16(at + 140);
    const directRows = Math.log2(largest) - Math.log2(first) + 2;
    const sane = [columns, first, largest].every((size) => Number.isInteger(Math.log2(size))) && first >= LEAST_BLOCK;
    if (cursor.u8(at + 4) !== 0 || cursor.u16(at + 7) !== 0 || !sane || bits > 64 || rows > directRows) {
      cursor.refuse('unsupported', name, 'a fractal heap of another version, with filters, or too large', at);
    }
    this.#offsetBytes = Math.ceil(bits / 8);
    this.#lengthBytes = Math.min(Math.ceil(Math.log2(largest) / 8), width(cursor.u32(at + 10)));
    const root = cursor.u64(at + 132);
    if (root >= NOWHERE) return;
    if (rows === 0) this.#addBlock(0, first, root);
    else this.#readRows(root, rows, columns, first);
  }

  /** Reads an indirect block: addresses of direct blocks, whose size doubles in each row from the third on. */
  #readRows(at: number, rows: number, columns: number, first: number): void {
    const cursor = this.#cursor;
    const head = 13 + this.#offsetBytes;
    cursor.signature(at, 'FHIB', head + 8 * rows * columns + 4, this.#name);
    let start = 0;
    let size = first;
    for (let row = 0; row < rows; row++) {
      // blocks of the first two rows have one size
      if (row > 1) size *= 2;
      for (let column = 0; column < columns; column++, start += size) {
        const address = cursor.u64(at + head + 8 * (row * columns + column));
        if (address < NOWHERE) this.#addBlock(start, size, address);
      }
    }
  }

  #addBlock(start: number, size: number, at: number): void {
    this.#cursor.signature(at, 'FHDB', size, this.#name);
    this.#blocks.push({ start, size, at });
  }

  /** Finds the object with the ID at `at`: a byte of flags, its address within the heap, and its size. */
  find(at: number): Span {
    const cursor = this.#cursor;
    if (cursor.u8(at) !== 0) cursor.refuse('unsupported', this.#name, 'an object outside the blocks of its heap', at);
    const offset = cursor.unsigned(at + 1, this.#offsetBytes);
    const size = cursor.unsigned(at + 1 + this.#offsetBytes, this.#lengthBytes);
    let [low, high] = [0, this.#blocks.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#blocks[middle]!.start <= offset) low = middle;
      else high = middle;
    }
    const block = this.#blocks[low];
    if (!block || offset < block.start || offset + size > block.start + block.size) {
      return cursor.refuse('invalid-hdf5', this.#name, 'an object beyond the end of its heap', at);
    }
    return { at: block.at + offset - block.start, size };
  }
}

/** Finds the offsets of the records of a B-tree of version 2, in order. */
function readRecords(cursor: Hdf5Cursor, name: string, at: number, type: number): number[] {
  cursor.signature(at, 'BTHD', 38, name);
  const [nodeBytes, recordBytes, depth] = [cursor.u32(at + 6), cursor.u16(at + 10), cursor.u16(at + 12)];
  if (cursor.u8(at + 4) !== 0 || cursor.u8(at + 5) !== type || depth > 8 || recordBytes < 11) {
    cursor.refuse('unsupported', name, 'a B-tree of another version or kind', at);
  }
  // the most records of a node at each level, and of all nodes below it: they determine the width of these counts
  const most = [Math.floor((nodeBytes - 10) / recordBytes)];
  const all = [most[0]!];
  const countBytes = width(most[0]!);
  const pointerBytes = (level: number) => 8 + countBytes + (level > 1 ? width(all[level - 1]!) : 0);
  for (let level = 1; level <= depth; level++) {
    most.push(Math.floor((nodeBytes - 10 - pointerBytes(level)) / (recordBytes + pointerBytes(level))));
    all.push((most[level]! + 1) * all[level - 1]! + most[level]!);
  }
  const records: number[] = [];
  const walk = (node: number, count: number, level: number): void => {
    if (count > most[level]!) cursor.refuse('invalid-hdf5', name, 'a node of a B-tree with too many records', node);
    const children = level > 0 ? count + 1 : 0;
    const size = 6 + count * recordBytes + children * pointerBytes(level) + 4;
    cursor.signature(node, level > 0 ? 'BTIN' : 'BTLF', size, name);
    for (let i = 0; i <= count; i++) {
      if (level > 0) {
        const child = node + 6 + count * recordBytes + i * pointerBytes(level);
        walk(cursor.u64(child), cursor.unsigned(child + 8, countBytes), level - 1);
      }
      if (i < count) records.push(node + 6 + i * recordBytes);
    }
  };
  const root = cursor.u64(at + 16);
  if (root < NOWHERE) walk(root, cursor.u16(at + 24), depth);
  return records;
}
