import type { JsonCursor } from '../files/json.ts';
import { encodeUtf8 } from '../files/utf8.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** More than the offset of any key: a header has at most 100,000,000 bytes. */
const OFFSETS = 2 ** 27;

/** Differs from process to process, so that no file can be made of colliding keys. */
const SEED = Math.floor(2 ** 32 * Math.random());

/**
 * Collects the keys of an object to find a repeated one, in 8 bytes each that are sorted in the end. A Set of strings takes
 * several times the memory of the header, and a hash table several times as long, since it misses the caches.
 */
export class Keys {
  readonly #cursor: JsonCursor;
  readonly #header: Uint8Array;
  /** 26 bits of a key's hash, then its offset. */
  readonly #list: Float64Array;
  #size = 0;

  /** @param most an upper bound of the number of keys */
  constructor(cursor: JsonCursor, header: Uint8Array, most: number) {
    this.#cursor = cursor;
    this.#header = header;
    this.#list = new Float64Array(most);
  }

  /** Adds the key at offset `at`, which was read. */
  add(at: number): void {
    this.#list[this.#size++] = (this.#hash(at) >>> 6) * OFFSETS + at;
  }

  /** Finds the offset of the first key that occurred before; -1 if there is none. */
  findRepeated(): number {
    const list = this.#list.subarray(0, this.#size).sort();
    let first = Number.POSITIVE_INFINITY;
    for (let i = 0; i < list.length; i++) {
      const nextHash = (Math.floor(list[i]! / OFFSETS) + 1) * OFFSETS;
      // the few others with this hash
      for (let j = i + 1; j < list.length && list[j]! < nextHash; j++) {
        if (!this.#same(list[i]! % OFFSETS, list[j]! % OFFSETS)) continue;
        first = Math.min(first, list[j]! % OFFSETS);
        break;
      }
    }
    return first < Number.POSITIVE_INFINITY ? first : -1;
  }

  #hash(at: number): number {
    let hash = SEED;
    for (let i = at + 1; this.#header[i] !== QUOTE; i++) {
      if (this.#header[i] === BACKSLASH) return encodeUtf8(this.#cursor.stringAt(at)).reduce(mix, SEED);
      hash = mix(hash, this.#header[i]!);
    }
    return hash;
  }

  #same(a: number, b: number): boolean {
    for (let i = 1; ; i++) {
      const byte = this.#header[a + i];
      const other = this.#header[b + i];
      if (byte === BACKSLASH || other === BACKSLASH) return this.#cursor.stringAt(a) === this.#cursor.stringAt(b);
      if (byte !== other) return false;
      if (byte === QUOTE) return true;
    }
  }
}

function mix(hash: number, byte: number): number {
  const product = Math.imul(hash ^ byte, 0x9e3779b1);
  return product ^ (product >>> 15);
}
