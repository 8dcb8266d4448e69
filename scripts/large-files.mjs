// Files of 32 MB that claim much: a reader has to refuse them with little memory.
import { crc32 } from './mutants.mjs';

/** Bytes of a file. */
export const SIZE = 32e6;

/** A zip of `pickle` as data.pkl and entries of `data` behind it, all of it in one buffer. */
export function largeZip(pickle, names = [], data = Buffer.alloc(0)) {
  const entries = [['a/data.pkl', pickle], ...names.map((name) => [name, data])];
  const size = entries.reduce((sum, [name, data]) => sum + 76 + 2 * name.length + data.length, 22);
  const file = Buffer.alloc(size);
  const offsets = [];
  let at = 0;
  for (const [name, data] of entries) {
    offsets.push(at);
    file.writeUInt32LE(0x04034b50, at);
    file.writeUInt32LE(crc32(data), at + 14);
    file.writeUInt32LE(data.length, at + 18);
    file.writeUInt32LE(data.length, at + 22);
    file.writeUInt16LE(name.length, at + 26);
    at += 30 + file.write(name, at + 30);
    at += data.copy(file, at);
  }
  const begin = at;
  for (const [i, [name, data]] of entries.entries()) {
    file.writeUInt32LE(0x02014b50, at);
    file.writeUInt32LE(crc32(data), at + 16);
    file.writeUInt32LE(data.length, at + 20);
    file.writeUInt32LE(data.length, at + 24);
    file.writeUInt16LE(name.length, at + 28);
    file.writeUInt32LE(offsets[i], at + 42);
    at += 46 + file.write(name, at + 46);
  }
  file.writeUInt32LE(0x06054b50, at);
  file.writeUInt16LE(Math.min(65535, entries.length), at + 8);
  file.writeUInt16LE(Math.min(65535, entries.length), at + 10);
  file.writeUInt32LE(at - begin, at + 12);
  file.writeUInt32LE(begin, at + 16);
  return file;
}

/** `start`, and then `part` again and again. */
export function fill(start, part) {
  const buffer = Buffer.alloc(SIZE);
  return buffer.fill(part, buffer.write(start, 'latin1'), 'latin1');
}

/** A checkpoint whose pickle is `start`, and then `part` again and again. */
export function largePickle(start, part) {
  return largeZip(fill(start, part));
}

/** A safetensors file whose header is `start`, and then `part` again and again. */
export function largeSafetensors(start, part) {
  const file = fill(`12345678${start}`, part);
  file.writeBigUInt64LE(BigInt(SIZE - 8));
  return file;
}

/**
 * An HDF5 file whose root has `count` links, each to the root: superblock, object header, B-tree, heap, tables of 50,000.
 */
export function largeHdf5(count) {
  const tables = Math.ceil(count / 50_000);
  const [tree, heap, names] = [136, 1000, 1100];
  const first = names + 8 * count;
  const at = (table) => first + 50_000 * 40 * table + 8 * table;
  const file = Buffer.alloc(at(tables));
  file.set([0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10]);
  file.set([8, 8], 13);
  file.writeBigUInt64LE(BigInt(file.length), 40);
  file.writeBigUInt64LE(96n, 64);
  // one message of 16 bytes, the symbol table
  file.set([1, 0, 1, 0, 1, 0, 0, 0, 24], 96);
  file.set([17, 0, 16], 112);
  file.writeBigUInt64LE(BigInt(tree), 120);
  file.writeBigUInt64LE(BigInt(heap), 128);
  file.write('TREE', tree);
  file.writeUInt16LE(tables, tree + 6);
  file.write('HEAP', heap);
  file.writeBigUInt64LE(BigInt(8 * count), heap + 8);
  file.writeBigUInt64LE(BigInt(names), heap + 24);
  for (let i = 0; i < count; i++) {
    file.write(i.toString(36), names + 8 * i);
    const entry = at(Math.floor(i / 50_000)) + 8 + 40 * (i % 50_000);
    file.writeBigUInt64LE(BigInt(8 * i), entry);
    file.writeBigUInt64LE(96n, entry + 8);
  }
  for (let table = 0; table < tables; table++) {
    file.writeBigUInt64LE(BigInt(at(table)), tree + 32 + 16 * table);
    file.write('SNOD', at(table));
    file[at(table) + 4] = 1;
    file.writeUInt16LE(Math.min(50_000, count - 50_000 * table), at(table) + 6);
  }
  return file;
}
