import { FreeBlocks } from './free-blocks.ts';
import { wasm } from './wasm.ts';

// Linear memory belongs to this file: it knows which bytes are taken, and makes memory grow. Pointers are plain numbers: memory
// may reach 4 GiB, and 32-bit integer operators would turn the upper half negative.

const PAGE = 65536;
/** The most bytes of scratch that are kept between calls; a larger block is freed after the call that needed it. */
const SCRATCH_KEPT = 8 << 20;

const free = new FreeBlocks();
/**
 * Free memory that users got views of, allocated in slabs and never returned to `free`: a write to a view of a disposed stream
 * changes no weights, states or descriptions; at worst it changes the input or output of another stream.
 */
const freeForViews = new FreeBlocks();
/** The bytes of a slab, unless a block needs more. */
const SLAB = 16_384;
/** The blocks for views that were released last; they are not used again yet. */
const retired: number[] = [];
const RETIRED_BLOCKS = 256;
/** The addresses of all blocks for views. */
const shown = new Set<number>();
/** The bytes of each allocated block, by its address. */
const allocated = new Map<number, number>();
let used = 0;
let end = 0;
let scratchStart = 0;
let scratchBytes = 0;

// When memory grows, the buffer of all views is detached and their length becomes 0. Asking a view for its length takes a
// nanosecond, reading memory.buffer sixty.
let heap = new Float32Array(0);
let words = new Int32Array(0);

/** Rounds up to a multiple of 64, the bytes of a cache line. */
export function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** Gives all of linear memory as floats; index with `pointer / 4`. Call again after anything that may allocate. */
export function floats(): Float32Array {
  if (heap.length === 0) heap = new Float32Array(wasm().memory.buffer);
  return heap;
}

/** Gives all of linear memory as 32-bit integers; they also move floats without touching a NaN's bits. */
export function integers(): Int32Array {
  if (words.length === 0) words = new Int32Array(wasm().memory.buffer);
  return words;
}

/** Tells whether `array` is a view of linear memory. */
export function isInside(array: ArrayBufferView): boolean {
  return array.buffer === floats().buffer;
}

/** Gives `kept` if it is still a view of linear memory, which growth detaches; else a new one of `length` floats at `pointer`. */
export function currentView(
  kept: Float32Array<ArrayBuffer>,
  pointer: number,
  length: number,
): Float32Array<ArrayBuffer> {
  const isCurrent = length > 0 ? kept.length === length : isInside(kept);
  return isCurrent ? kept : new Float32Array(wasm().memory.buffer, pointer, length);
}

/** Makes a view of linear memory at `pointer`; growth detaches it. */
export function viewAt<View>(pointer: number, make: (buffer: ArrayBuffer, pointer: number) => View): View {
  return make(wasm().memory.buffer as ArrayBuffer, pointer);
}

/** Copies `array` if it lies in linear memory itself, as a stream's output does: growth would detach it. */
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
 * Allocates a block of at least `bytes` bytes, aligned to 64, with undefined contents.
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

/** Allocates a block and fills it with zeros. */
export function allocateZeros(bytes: number): number {
  const block = allocate(bytes);
  new Uint8Array(floats().buffer, block, bytes).fill(0);
  return block;
}

/** Allocates a block of zeros that users get views of. */
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

/** Frees a block and joins it with free neighbours, so that free memory does not fragment. */
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

/** Gives the shared scratch block, at least `bytes` long, valid until the next call of `scratch` or `endScratch`. */
export function scratch(bytes: number): number {
  if (scratchBytes < bytes) {
    dropScratch();
    scratchStart = allocate(bytes);
    scratchBytes = allocated.get(scratchStart)!;
  }
  return scratchStart;
}

/** Ends the use of scratch by one call: frees a block beyond the usual size. */
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
