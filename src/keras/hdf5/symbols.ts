import { describe } from '../../base/tensor.ts';
import type { Hdf5Cursor } from './cursor.ts';
import type { Message } from './header.ts';

const SYMBOL_BYTES = 40;

/**
 * Reads the names of a group of the first format (HDF5 file format, III.A to D): a B-tree of tables of symbols, whose names are
 * in a heap.
 */
export function readSymbols(
  cursor: Hdf5Cursor,
  name: string,
  { at }: Message,
  add: (link: string, at: number, from: number) => void,
): void {
  const heap = cursor.u64(at + 8);
  cursor.signature(heap, 'HEAP', 32, name);
  const begin = cursor.u64(heap + 24);
  const size = cursor.u64(heap + 8);
  if (cursor.u8(heap + 4) !== 0) cursor.refuse('unsupported', name, 'a heap of another version', heap);
  cursor.claim(begin, size, name);
  for (const table of readTree(cursor, name, cursor.u64(at))) {
    cursor.signature(table, 'SNOD', 8, name);
    if (cursor.u8(table + 4) !== 1) cursor.refuse('unsupported', name, 'a symbol table of another version', table);
    const count = cursor.u16(table + 6);
    cursor.claim(table + 8, count * SYMBOL_BYTES, name);
    for (let i = 0; i < count; i++) {
      const entry = table + 8 + i * SYMBOL_BYTES;
      const link = cursor.text(begin + cursor.u64(entry), begin + size, name);
      if (cursor.u32(entry + 16) > 1) {
        cursor.refuse('unsupported', name, `${describe(link)} is a link to another name, which is not followed`, entry);
      }
      add(link, cursor.u64(entry + 8), entry);
    }
  }
}

/** Finds the addresses in the leaves of a group's B-tree of version 1. */
function readTree(cursor: Hdf5Cursor, name: string, root: number): number[] {
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
  // the stack gave the last leaf first
  return leaves.reverse();
}
