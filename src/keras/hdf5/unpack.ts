import { describe, product } from '../../base/tensor.ts';
import { inflate } from '../../files/zip/inflate.ts';
import { copyElements } from '../../graph/copy.ts';
import { strides } from '../../graph/layout.ts';
import { refuse } from '../refuse.ts';
import { type Chunks, FILTER } from './chunks.ts';

/**
 * Joins the chunks of a dataset to its bytes in a row.
 * @param size bytes of an element
 * @throws ModelError if a chunk cannot be unpacked
 */
export function joinChunks(
  file: Uint8Array<ArrayBuffer>,
  path: string,
  dims: readonly number[],
  size: number,
  { sizes, list, filters }: Chunks,
): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(product(dims) * size);
  // an element is `size` bytes, the last axis
  const steps = [...strides(dims).map((step) => step * size), 1];
  const chunkSteps = [...strides(sizes).map((step) => step * size), 1];
  const chunkBytes = product(sizes) * size;
  for (const { at, bytes, offset } of list) {
    const chunk = unfilter(file.subarray(at, at + bytes), path, chunkBytes, size, filters);
    // chunks may reach beyond the edge
    const inside = sizes.map((length, i) => Math.min(length, dims[i]! - offset[i]!));
    const start = offset.reduce((sum, place, i) => sum + place * steps[i]!, 0);
    copyElements(chunk, 0, chunkSteps, whole, start, steps, [...inside, size]);
  }
  return whole;
}

/** Undoes filters, the last first. */
function unfilter(
  stored: Uint8Array<ArrayBuffer>,
  path: string,
  chunkBytes: number,
  size: number,
  filters: readonly number[],
): Uint8Array<ArrayBuffer> {
  // how many bytes each filter was given; unknown after deflate
  let given = chunkBytes;
  const before = filters.map((id) => {
    const bytes = given;
    if (id === FILTER.deflate) given = Number.NaN;
    else if (id === FILTER.checksum) given += 4;
    return bytes;
  });
  return filters.reduceRight((bytes, id, i) => {
    const expected = before[i]!;
    if (id === FILTER.deflate) {
      // without zlib's two bytes before the data and its checksum after them
      return inflate(bytes.subarray(2, Math.max(2, bytes.length - 4)), expected, path, refuse);
    }
    const wanted = id === FILTER.checksum ? expected + 4 : expected;
    if (wanted !== bytes.length && !(Number.isNaN(wanted) && bytes.length >= 4)) {
      refuse('size-mismatch', path, `a chunk of ${describe(path)}`, wanted, bytes.length);
    }
    return id === FILTER.checksum ? checked(bytes, path) : unshuffle(bytes, size);
  }, stored);
}

/** Gathers the bytes of each element, of which the first of all came first, then the second of all. */
function unshuffle(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  const count = bytes.length / size;
  return bytes.map((_, i) => bytes[(i % size) * count + Math.floor(i / size)]!);
}

/** Takes the checksum off, Fletcher's of 32 bits over words of two bytes. */
function checked(bytes: Uint8Array<ArrayBuffer>, path: string): Uint8Array<ArrayBuffer> {
  const end = bytes.length - 4;
  let [low, high] = [0, 0];
  for (let i = 0; i < end; i += 2) {
    low = (low + 256 * bytes[i]! + (i + 1 < end ? bytes[i + 1]! : 0)) % 65535;
    high = (high + low) % 65535;
  }
  const word = (at: number) => (bytes[at]! + 256 * bytes[at + 1]!) % 65535;
  if (low !== word(end) || high !== word(end + 2)) {
    refuse(
      'invalid-hdf5',
      path,
      `the checksum of a chunk of ${describe(path)}`,
      [word(end), word(end + 2)],
      [low, high],
    );
  }
  return bytes.subarray(0, end);
}
