import { wasm } from './wasm.ts';

// Linear memory belongs to this file: who has which bytes, and when memory grows. Pointers are plain numbers, since
// memory may reach 4 GiB and 32-bit integer operators would turn the upper half negative.

const PAGE = 65536;
const LIMIT = 65536 * PAGE;
const ALIGN = 64;
/** A larger scratch block goes back to the arena after the call that needed it. */
const SCRATCH_KEPT = 8 << 20;

interface Block {
  start: number;
  bytes: number;
}

/** Free blocks by address, none touching the next. */
const free: Block[] = [];
const allocated = new Map<number, number>();
let used = 0;
let end = 0;
let scratchBlock: Block | undefined;

let heap = new Float32Array(0);
let words = new Int32Array(0);

/** All of linear memory as floats; index with `pointer / 4`. Ask again after anything that may allocate. */
export function floats(): Float32Array {
  const { buffer } = wasm().memory;
  if (heap.buffer !== buffer) heap = new Float32Array(buffer);
  return heap;
}

/** All of linear memory as 32-bit integers, also to move floats without touching a NaN's bits. */
export function integers(): Int32Array {
  const { buffer } = wasm().memory;
  if (words.buffer !== buffer) words = new Int32Array(buffer);
  return words;
}

/** Bytes of linear memory in use by all models and streams of this thread; scratch shared between calls not counted. */
export function bytesUsed(): number {
  return used;
}

/**
 * A block of at least `bytes` bytes, aligned to 64, contents undefined.
 * @throws RangeError if memory cannot grow that far; nothing is changed then
 */
export function allocate(bytes: number): number {
  const size = roundUp(Math.max(bytes, 1), ALIGN);
  let index = free.findIndex((block) => block.bytes >= size);
  if (index < 0) {
    grow(size);
    index = free.length - 1;
  }
  const block = free[index]!;
  const start = block.start;
  block.start += size;
  block.bytes -= size;
  if (block.bytes === 0) free.splice(index, 1);
  allocated.set(start, size);
  used += size;
  return start;
}

/** Gives a block back. Its neighbours join it, so that memory does not crumble. */
export function release(start: number): void {
  const bytes = allocated.get(start)!;
  allocated.delete(start);
  used -= bytes;
  insert({ start, bytes });
}

/** The shared scratch block, at least `bytes` long, valid until the next call of `scratch` or `endScratch`. */
export function scratch(bytes: number): number {
  if (!scratchBlock || scratchBlock.bytes < bytes) {
    dropScratch();
    const start = allocate(bytes);
    scratchBlock = { start, bytes: allocated.get(start)! };
    used -= scratchBlock.bytes;
  }
  return scratchBlock.start;
}

/** Ends the use of scratch by one call: a block beyond the usual size is given back. */
export function endScratch(): void {
  if (scratchBlock && scratchBlock.bytes > SCRATCH_KEPT) dropScratch();
}

function dropScratch(): void {
  if (!scratchBlock) return;
  used += scratchBlock.bytes;
  release(scratchBlock.start);
  scratchBlock = undefined;
}

function insert(block: Block): void {
  let at = free.findIndex((other) => other.start > block.start);
  if (at < 0) at = free.length;
  const before = free[at - 1];
  const after = free[at];
  const joinsBefore = before && before.start + before.bytes === block.start;
  const joinsAfter = after && block.start + block.bytes === after.start;
  if (joinsBefore) {
    before.bytes += block.bytes;
    if (joinsAfter) {
      before.bytes += after.bytes;
      free.splice(at, 1);
    }
  } else if (joinsAfter) {
    after.start = block.start;
    after.bytes += block.bytes;
  } else {
    free.splice(at, 0, block);
  }
}

/** Makes the last free block at least `size` bytes long. */
function grow(size: number): void {
  const { memory, HEAP_BASE } = wasm();
  if (end === 0) {
    end = memory.buffer.byteLength;
    const start = roundUp(HEAP_BASE.value, ALIGN);
    insert({ start, bytes: end - start });
  }
  const last = free[free.length - 1];
  const tail = last && last.start + last.bytes === end ? last.bytes : 0;
  if (tail >= size) return;
  const needed = Math.ceil((size - tail) / PAGE);
  // a quarter more than now at least, so that many small models do not grow memory once each
  const wanted = Math.max(needed, Math.ceil(end / PAGE / 4));
  const grown = [wanted, needed].find((pages) => end + pages * PAGE <= LIMIT && tryGrow(memory, pages));
  if (grown === undefined) {
    throw new RangeError(
      `lstm-wasm: WebAssembly memory cannot grow by the ${needed * PAGE} bytes asked for: ` +
        `it has ${end} bytes, ${used} of them in use, and can have at most ${LIMIT}`,
    );
  }
  insert({ start: end, bytes: grown * PAGE });
  end += grown * PAGE;
}

function tryGrow(memory: WebAssembly.Memory, pages: number): boolean {
  try {
    memory.grow(pages);
    return true;
  } catch {
    return false;
  }
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
