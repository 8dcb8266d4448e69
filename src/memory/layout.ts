import { scratch } from './arena.ts';

/** A cache line */
const LINE = 64;
/** Where the pieces of copyOut() begin: twice its smallest. */
const PIECES = 512;

/** A multiple of the rows of any tile */
const ROWS = 4;

function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}

/** The most rows of `rowBytes` in `bytes` that fill tiles of the kernels. Takes integers: a quotient as an argument would be garbage. */
export function wholeTiles(bytes: number, rowBytes: number): number {
  return Math.floor(bytes / rowBytes / ROWS) * ROWS;
}

/**
 * Places of blocks in linear memory, one after the other: first sizes, each of which gives its distance from the beginning in bytes,
 * then the memory for all of them. Kept and refilled by its owner, so that a call makes no garbage.
 */
export class Layout {
  /** All blocks so far */
  bytes = 0;

  clear(): this {
    this.bytes = 0;
    return this;
  }

  /** Bytes, next to what is there. */
  take(bytes: number): number {
    const place = this.bytes;
    this.bytes = place + bytes;
    return place;
  }

  /** Floats or integers, next to what is there. */
  floats(count: number): number {
    return this.take(4 * count);
  }

  /** Bytes from the next cache line on. */
  line(bytes: number): number {
    this.bytes = roundUp(this.bytes, LINE);
    return this.take(bytes);
  }

  /** Floats that copyOut() will read. */
  output(count: number): number {
    this.bytes = roundUp(this.bytes, PIECES);
    return this.floats(count);
  }

  /** The beginning of all blocks in the scratch that calls share, valid until it is asked for again. */
  scratch(): number {
    return roundUp(scratch(this.bytes + PIECES), PIECES);
  }
}
