import { FreeBlocks } from './free-blocks.ts';
import { wasm } from './wasm.ts';

// Linear memory belongs to this file: who has which bytes, and when memory grows. Pointers are plain numbers, since
// memory may reach 4 GiB and 32-bit integer operators would turn the upper half negative.

const PAGE = 65536;
/** Bytes of scratch that are kept between calls; a larger block goes back after the call that needed it. */
const SCRATCH_KEPT = 8 << 20;

const free = new FreeBlocks();
/**
 * Memory that users got views of, taken in slabs and never given back to `free`: whoever writes to a view of a disposed stream changes no
 * weights, states or descriptions, at worst what another stream shows. The last to be given back are not used again yet.
 */
const freeForViews = new FreeBlocks();
const SLAB = 16_384;
const retired: number[] = [];
const RETIRED_BLOCKS = 256;
const shown = new Set<number>();
const allocated = new Map<number, number>();
let used = 0;
let end = 0;
let scratchStart = 0;
let scratchBytes = 0;

// Growth detaches the buffer of whatever views there are, whose length becomes 0: asking a view takes a nanosecond, asking
// memory.buffer sixty.
let heap = new Float32Array(0);
let words = new Int32Array(0);

/** The next multiple of 64, a cache line. */
export function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** All of linear memory as floats; index with `pointer / 4`. Ask again after anything that may allocate. */
export function floats(): Float32Array {
  if (heap.length === 0) heap = new Float32Array(wasm().memory.buffer);
  return heap;
}

/** All of linear memory as 32-bit integers, also to move floats without touching a NaN's bits. */
export function integers(): Int32Array {
  if (words.length === 0) words = new Int32Array(wasm().memory.buffer);
  return words;
}

/** Whether `array` is a view of linear memory. */
export function isInside(array: ArrayBufferView): boolean {
  return array.buffer === floats().buffer;
}

/** `kept` if it is still a view of linear memory, else a new one of `length` floats at `pointer`: growth takes the length of a view. */
export function currentView(
  kept: Float32Array<ArrayBuffer>,
  pointer: number,
  length: number,
): Float32Array<ArrayBuffer> {
  const isCurrent = length > 0 ? kept.length === length : isInside(kept);
  return isCurrent ? kept : new Float32Array(wasm().memory.buffer, pointer, length);
}

/** Copies `array` if it lies in linear memory itself, such as a stream's output: it would vanish when memory grows. */
export function copyIfInside(array: Float32Array): Float32Array {
  return isInside(array) ? array.slice() : array;
}

/**
 * Counts the bytes of linear memory that all modules and streams of this thread use, without the scratch that calls share.
 *
 * @example
 * ```js
 * import { bytesUsed, LSTM } from 'lstm-wasm';
 *
 * const before = bytesUsed();
 * const lstm = new LSTM(64, 64);
 * console.log(bytesUsed() - before > 4 * 4 * 64 * (64 + 64)); // true
 * lstm.dispose();
 * console.log(bytesUsed() === before); // true
 * ```
 */
export function bytesUsed(): number {
  return used - scratchBytes;
}

/**
 * A block of at least `bytes` bytes, aligned to 64, contents undefined.
 * @throws RangeError if memory cannot grow that far; nothing is changed then
 */
export function allocate(bytes: number): number {
  const size = align(Math.max(bytes, 1));
  let start = free.take(size);
  if (start < 0) {
    grow(size);
    start = free.take(size);
  }
  allocated.set(start, size);
  used += size;
  return start;
}

/** As allocate(), filled with zeros. */
export function allocateZeros(bytes: number): number {
  const block = allocate(bytes);
  new Uint8Array(floats().buffer, block, bytes).fill(0);
  return block;
}

/** As allocateZeros(), for memory that users get views of. */
export function allocateForViews(bytes: number): number {
  const size = align(Math.max(bytes, 1));
  let start = freeForViews.take(size);
  if (start < 0) {
    const slab = allocate(Math.max(size, SLAB));
    const slabBytes = allocated.get(slab)!;
    used -= slabBytes;
    freeForViews.add(slab, slabBytes);
    start = freeForViews.take(size);
  }
  new Uint8Array(floats().buffer, start, size).fill(0);
  allocated.set(start, size);
  shown.add(start);
  used += size;
  return start;
}

/** Gives a block back. Its neighbours join it, so that memory does not crumble. */
export function release(start: number): void {
  const bytes = allocated.get(start)!;
  used -= bytes;
  if (!shown.has(start)) {
    allocated.delete(start);
    free.add(start, bytes);
    return;
  }
  retired.push(start);
  if (retired.length <= RETIRED_BLOCKS) return;
  const oldest = retired.shift()!;
  freeForViews.add(oldest, allocated.get(oldest)!);
  allocated.delete(oldest);
  shown.delete(oldest);
}

/** The shared scratch block, at least `bytes` long, valid until the next call of `scratch` or `endScratch`. */
export function scratch(bytes: number): number {
  if (scratchBytes < bytes) {
    dropScratch();
    scratchStart = allocate(bytes);
    scratchBytes = allocated.get(scratchStart)!;
  }
  return scratchStart;
}

/** Ends the use of scratch by one call: a block beyond the usual size is given back. */
export function endScratch(): void {
  if (scratchBytes > SCRATCH_KEPT) dropScratch();
}

function dropScratch(): void {
  if (scratchBytes > 0) release(scratchStart);
  scratchBytes = 0;
}

/** Makes the last free block at least `size` bytes long. */
function grow(size: number): void {
  const { memory, HEAP_BASE } = wasm();
  if (end === 0) {
    end = memory.buffer.byteLength;
    const start = align(HEAP_BASE.value);
    free.add(start, end - start);
  }
  const tail = free.bytesBefore(end);
  if (tail >= size) return;
  const pages = Math.ceil((size - tail) / PAGE);
  try {
    memory.grow(pages);
  } catch (cause) {
    throw new RangeError(
      `lstm-wasm: WebAssembly memory of ${end} bytes cannot grow by ${pages * PAGE} bytes; its limit is 4 GiB`,
      { cause },
    );
  }
  free.add(end, pages * PAGE);
  end += pages * PAGE;
}
