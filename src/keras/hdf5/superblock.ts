import type { Hdf5Cursor } from './cursor.ts';

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Reads the beginning of an HDF5 file (HDF5 file format, II.A). @returns the address of its root group */
export function readSuperblock(cursor: Hdf5Cursor): number {
  const { file } = cursor;
  if (SIGNATURE.some((byte, i) => file[i] !== byte)) {
    cursor.refuse('not-hdf5', 'the file', 'it does not begin with the signature of HDF5', 0);
  }
  cursor.claim(0, 48, 'superblock');
  const version = cursor.u8(8);
  if (![0, 2, 3].includes(version)) {
    cursor.refuse('unsupported', 'superblock', `expected a superblock of version 0, 2 or 3, got ${version}`, 8);
  }
  const first = version === 0;
  cursor.newer = !first;
  // version 0: sizes, base, free space, end, driver, and the entry of the root group, whose header is its second field
  if (first) cursor.claim(48, 48, 'superblock');
  const [sizes, base, end, root] = first ? [13, 24, 40, 64] : [9, 12, 28, 36];
  if (cursor.u8(sizes!) !== 8 || cursor.u8(sizes! + 1) !== 8 || cursor.u64(base!) !== 0) {
    const text = 'expected addresses and sizes of 8 bytes, from the start of the file';
    cursor.refuse('unsupported', 'superblock', text, sizes!);
  }
  const length = cursor.u64(end!);
  if (length > file.length) {
    cursor.refuse('truncated', 'superblock', `expected a file of ${length} bytes, got ${file.length}`, end!);
  }
  return cursor.u64(root!);
}
