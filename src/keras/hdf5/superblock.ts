import type { Hdf5Cursor } from './cursor.ts';

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** What an HDF5 file begins with (HDF5 file format, II.A): where its root group is. */
export function readSuperblock(cursor: Hdf5Cursor): number {
  const { file } = cursor;
  if (SIGNATURE.some((byte, i) => file[i] !== byte)) {
    cursor.refuse('not-hdf5', 'the file', 'it does not begin as an HDF5 file does', 0);
  }
  cursor.claim(0, 48, 'superblock');
  const version = cursor.u8(8);
  if (![0, 2, 3].includes(version)) {
    cursor.refuse('unsupported', 'superblock', `a superblock of version ${version}, 0, 2 and 3 are read`, 8);
  }
  const first = version === 0;
  cursor.newer = !first;
  // version 0: sizes, base, free space, end, driver, and the entry of the root group, whose header is its second field
  if (first) cursor.claim(48, 48, 'superblock');
  const [sizes, base, end, root] = first ? [13, 24, 40, 64] : [9, 12, 28, 36];
  if (cursor.u8(sizes!) !== 8 || cursor.u8(sizes! + 1) !== 8 || cursor.u64(base!) !== 0) {
    const text = 'addresses and sizes of 8 bytes expected, from the start of the file';
    cursor.refuse('unsupported', 'superblock', text, sizes!);
  }
  const length = cursor.u64(end!);
  if (length > file.length) {
    cursor.refuse('truncated', 'superblock', `the file should have ${length} bytes, it has ${file.length}`, end!);
  }
  return cursor.u64(root!);
}
