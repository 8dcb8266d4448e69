import { formatDims } from '../../base/tensor.ts';
import type { Budget } from '../../files/budget.ts';
import type { Hdf5Cursor, Span } from './cursor.ts';
import type { Datatype } from './types.ts';

/** The numbers of the filters that are read. */
export const FILTER = { deflate: 1, shuffle: 2, checksum: 3 } as const;
const FILTERS: readonly number[] = Object.values(FILTER);

/** The chunks of a dataset, checked. */
export interface Chunks {
  /** The size of a chunk along each axis. */
  readonly sizes: readonly number[];
  /** Where the bytes of each are in the file, and the place of its first element. */
  readonly list: readonly { readonly at: number; readonly bytes: number; readonly offset: readonly number[] }[];
  /** The filters that each went through, in that order. */
  readonly filters: readonly number[];
}

/** The most that a deflated chunk may expand, beyond some bytes that are free. Floats need less than 2. */
const MAX_RATIO = 16;
const RATIO_FREE_BYTES = 4096;

/** Bytes on the budget for an element of a chunk: in the dataset, in a chunk that is unpacked, and as float32. */
const ELEMENT_BYTES = 20;

/**
 * Reads where the chunks of a dataset are. Checks their sizes against the dataset and its type, one chunk at each place, their bytes
 * in the file, and filters.
 */
export function readChunks(
  cursor: Hdf5Cursor,
  budget: Budget,
  name: string,
  { at, size }: Span,
  filters: Span | undefined,
  dims: readonly number[],
  type: Datatype,
): { begin: undefined; chunks: Chunks } {
  cursor.check(at, size, 11, name);
  const rank = cursor.u8(at + 2) - 1;
  if (rank !== dims.length || rank < 1) cursor.refuse('invalid-hdf5', name, `chunks of ${rank} dimensions`, at);
  cursor.check(at, size, 11 + 4 * (rank + 1), name);
  const chunk = dims.map((_, i) => cursor.u32(at + 11 + 4 * i));
  const tooLarge = chunk.some((length, i) => length < 1 || length > dims[i]!);
  if (tooLarge || cursor.u32(at + 11 + 4 * rank) !== type.size) {
    const found = formatDims(chunk);
    cursor.refuse('invalid-hdf5', name, `chunks of ${found} in a dataset of ${formatDims(dims)}`, at);
  }
  if (type.kind === 'text') cursor.refuse('unsupported', name, 'texts in chunks', at);
  const ids = readFilters(cursor, name, filters);
  const deflated = ids.includes(FILTER.deflate);
  const chunkBytes = chunk.reduce((product, length) => product * length, type.size);
  const places = dims.map((length, i) => Math.ceil(length / chunk[i]!));
  const count = places.reduce((product, length) => product * length, 1);
  // whole chunks count, with elements beyond the edge
  budget.spend((count * chunkBytes * ELEMENT_BYTES) / type.size, name);
  const found = new Set<string>();
  const list: { at: number; bytes: number; offset: readonly number[] }[] = [];
  const open: { at: number; level: number | undefined }[] = [{ at: cursor.u64(at + 3), level: undefined }];
  const keyBytes = 8 + 8 * (rank + 1);
  for (let next = open.pop(); next; next = open.pop()) {
    const node = next.at;
    cursor.signature(node, 'TREE', 24, name);
    const [level, entries] = [cursor.u8(node + 5), cursor.u16(node + 6)];
    if (cursor.u8(node + 4) !== 1 || (next.level !== undefined && level !== next.level)) {
      cursor.refuse('invalid-hdf5', name, 'a B-tree of another kind or level', node);
    }
    cursor.claim(node + 24, entries * (keyBytes + 8) + keyBytes, name);
    for (let i = 0; i < entries; i++) {
      const key = node + 24 + i * (keyBytes + 8);
      const child = cursor.u64(key + keyBytes);
      if (level > 0) {
        open.push({ at: child, level: level - 1 });
        continue;
      }
      const offset = dims.map((_, k) => cursor.u64(key + 8 + 8 * k));
      const place = `${offset}`;
      if (offset.some((start, k) => start % chunk[k]! !== 0 || start >= dims[k]!) || found.has(place)) {
        cursor.refuse(
          'invalid-hdf5',
          name,
          `a chunk at ${formatDims(offset)}, where none belongs or there is one already`,
          key,
        );
      }
      found.add(place);
      budget.spend(100, name);
      const stored = cursor.u32(key);
      if (filters ? cursor.u32(key + 4) !== 0 : stored !== chunkBytes) {
        cursor.refuse('size-mismatch', name, `expected a chunk of ${chunkBytes} bytes, got ${stored}`, key);
      }
      if (deflated && chunkBytes > MAX_RATIO * stored + RATIO_FREE_BYTES) {
        cursor.refuse('size-mismatch', name, `a chunk of ${stored} bytes that would inflate to ${chunkBytes}`, key);
      }
      cursor.claim(child, stored, name);
      list.push({ at: child, bytes: stored, offset });
    }
  }
  if (found.size !== count) cursor.refuse('size-mismatch', name, `expected ${count} chunks, got ${found.size}`, at);
  return { begin: undefined, chunks: { sizes: chunk, list, filters: ids } };
}

/** Reads the numbers of the filters. */
function readFilters(cursor: Hdf5Cursor, name: string, message: Span | undefined): number[] {
  if (!message) return [];
  const { at, size } = message;
  cursor.check(at, size, 8, name);
  const [version, count] = [cursor.u8(at), cursor.u8(at + 1)];
  if (version !== 1 || count < 1 || count > FILTERS.length) {
    cursor.refuse('unsupported', name, `${count} filters of version ${version}`, at);
  }
  const ids: number[] = [];
  let used = 8;
  for (let i = 0; i < count; i++) {
    cursor.check(at, size, used + 8, name);
    const id = cursor.u16(at + used);
    if (!FILTERS.includes(id) || ids.includes(id)) cursor.refuse('unsupported', name, `the filter ${id}`, at + used);
    ids.push(id);
    const values = cursor.u16(at + used + 6);
    used += 8 + 8 * Math.ceil(cursor.u16(at + used + 2) / 8) + 4 * (values + (values % 2));
    cursor.check(at, size, used, name);
  }
  return ids;
}
