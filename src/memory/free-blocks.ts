/** Blocks are whole cache lines. */
const LINE = 64;
/** Blocks of fewer than 16 lines have a class for each size; larger ones have 16 classes for each power of two. */
const FINE = 4;
const STEPS = 1 << FINE;
const CLASSES = STEPS * 24;
/** The most blocks of the fitting class that are looked at before a larger class is tried. */
const LOOKS = 16;

interface Block {
  readonly start: number;
  readonly bytes: number;
  /** The neighbours in the list of its class. */
  previous: Block | undefined;
  next: Block | undefined;
}

/**
 * The free blocks of linear memory, none touching the next. Each is in the list of its class of sizes, so that giving back and
 * taking do not depend on how many there are (as in TLSF, M. Masmano et al. 2004).
 */
export class FreeBlocks {
  private readonly _heads: (Block | undefined)[] = new Array(CLASSES).fill(undefined);
  /** Has a bit set for each class that has blocks. */
  private readonly _filled = new Uint32Array(CLASSES / 32);
  private readonly _byStart = new Map<number, Block>();
  private readonly _byEnd = new Map<number, Block>();

  /** Adds a block; its neighbours join it. */
  add(start: number, bytes: number): void {
    const before = this._byEnd.get(start);
    const after = this._byStart.get(start + bytes);
    if (before) this._remove(before);
    if (after) this._remove(after);
    const first = before?.start ?? start;
    this._insert(first, (after ? after.start + after.bytes : start + bytes) - first);
  }

  /** Takes `bytes`, a multiple of 64, and gives their address; -1 if no block is large enough. */
  take(bytes: number): number {
    const block = this._find(bytes);
    if (!block) return -1;
    this._remove(block);
    if (block.bytes > bytes) this._insert(block.start + bytes, block.bytes - bytes);
    return block.start;
  }

  /** Counts the bytes of the free block that ends at `end`; 0 if no block ends there. */
  bytesBefore(end: number): number {
    return this._byEnd.get(end)?.bytes ?? 0;
  }

  private _find(bytes: number): Block | undefined {
    if (!(bytes <= 2 ** 32)) return undefined;
    const own = classOf(bytes);
    let block = this._heads[own];
    for (let looks = LOOKS; block && looks > 0; looks--, block = block.next) if (block.bytes >= bytes) return block;
    // every block of a larger class is large enough
    const larger = this._nextFilled(own + 1);
    if (larger < CLASSES) return this._heads[larger];
    // memory does not grow while a block fits
    for (; block; block = block.next) if (block.bytes >= bytes) return block;
    return undefined;
  }

  /** Finds the first class from `from` on that has blocks; CLASSES if all are empty. */
  private _nextFilled(from: number): number {
    for (let word = from >> 5, mask = -1 << (from & 31); word < this._filled.length; word++, mask = -1) {
      const bits = this._filled[word]! & mask;
      if (bits) return 32 * word + 31 - Math.clz32(bits & -bits);
    }
    return CLASSES;
  }

  private _insert(start: number, bytes: number): void {
    const number = classOf(bytes);
    const next = this._heads[number];
    const block: Block = { start, bytes, previous: undefined, next };
    if (next) next.previous = block;
    this._heads[number] = block;
    this._filled[number >> 5]! |= 1 << (number & 31);
    this._byStart.set(start, block);
    this._byEnd.set(start + bytes, block);
  }

  private _remove(block: Block): void {
    const number = classOf(block.bytes);
    if (block.next) block.next.previous = block.previous;
    if (block.previous) block.previous.next = block.next;
    else {
      this._heads[number] = block.next;
      if (!block.next) this._filled[number >> 5]! &= ~(1 << (number & 31));
    }
    this._byStart.delete(block.start);
    this._byEnd.delete(block.start + block.bytes);
  }
}

/** Finds the class of a block of `bytes`, at most 4 GiB. */
function classOf(bytes: number): number {
  const lines = bytes / LINE;
  const power = 31 - Math.clz32(lines);
  return power < FINE ? lines : STEPS * (power - FINE) + (lines >> (power - FINE));
}
