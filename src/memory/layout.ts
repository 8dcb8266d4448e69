import { scratch } from './arena.ts';

/** Bytes of a cache line. */
const LINE = 64;
/** Bytes to whose multiples output() is aligned: twice the smallest piece of copyOut(). */
const PIECES = 512;

/** A multiple of the rows of every kernel's tile. */
const ROWS = 4;

function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}

/** Counts the rows of `rowBytes` in `bytes` that fill whole tiles. Takes integers: a quotient as an argument would be garbage. */
export function wholeTiles(bytes: number, rowBytes: number): number {
  return Math.floor(bytes / rowBytes / ROWS) * ROWS;
}

/**
 * Lays out blocks of linear memory one after the other: first each block is added, which gives its distance from the beginning in
 * bytes, then scratch() gives the memory for all of them. Its owner keeps and refills it, so that a call makes no garbage.
 */
export class Layout {
  /** The bytes of all blocks so far. */
  bytes = 0;

  /** Removes all blocks. */
  clear(): this {
    this.bytes = 0;
    return this;
  }

  /** Adds a block of bytes, directly after the last one. */
  take(bytes: number): number {
    const place = this.bytes;
    this.bytes = place + bytes;
    return place;
  }

  /** Adds a block of floats or 32-bit integers, directly after the last one. */
  floats(count: number): number {
    return this.take(4 * count);
  }

  /** Adds a block of bytes from the next cache line on. */
  line(bytes: number): number {
    this.bytes = roundUp(this.bytes, LINE);
    return this.take(bytes);
  }

  /** Adds a block of floats that copyOut() will read. */
  output(count: number): number {
    this.bytes = roundUp(this.bytes, PIECES);
    return this.floats(count);
  }

  /** Gives the beginning of all blocks in the scratch that calls share, valid until scratch is asked for again. */
  scratch(): number {
    return roundUp(scratch(this.bytes + PIECES), PIECES);
  }
}
