import { wasm } from './wasm.ts';

// Linear memory belongs to this file: who has which bytes, and when memory grows. Pointers are plain numbers, since
// memory may reach 4 GiB and 32-bit integer operators would turn the upper half negative.

const PAGE = 65536;
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
let scratchStart = 0;
let scratchBytes = 0;

let heap = new Float32Array(0);
let words = new Int32Array(0);

/** The next multiple of 64, a cache line. */
export function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

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

// Results are copied out of linear memory in pieces of 64 * 2^k floats, each at a multiple of twice its size from the beginning of its
// 512 bytes: however sizes vary from call to call, there are few such pieces, so that their views can be kept. A view made for each
// call would be garbage; a loop over all elements takes five times as long.

/** The smallest piece, in floats; what is left after it is copied by a loop. */
const PIECE = 64;
/** From which pointers copyOut() takes pieces. */
const PIECES_BYTES = 8 * PIECE;
const MOST_PIECES = 8192;
const pieces = new Map<number, Float32Array>();

/** The next multiple of 512 bytes, where blocks that copyOut() reads should begin. */
export function alignPieces(bytes: number): number {
  return Math.ceil(bytes / PIECES_BYTES) * PIECES_BYTES;
}

/** Copies `count` floats at `pointer`, a multiple of 512, to `target` from `at` on. Makes no garbage. */
export function copyOut(pointer: number, count: number, target: Float32Array, at: number): void {
  const memory = floats();
  let from = pointer / 4;
  let left = count;
  while (left >= PIECE) {
    // the largest power of two of pieces
    const power = 31 - Math.clz32(left / PIECE);
    target.set(piece(memory, from, power), at);
    const size = PIECE << power;
    from += size;
    at += size;
    left -= size;
  }
  for (; left > 0; left--) target[at++] = memory[from++]!;
}

/** The view of PIECE << power floats from `from` on, made at its first use. */
function piece(memory: Float32Array, from: number, power: number): Float32Array {
  // a small integer: other keys of a Map are numbers on the heap
  const key = (from / PIECE) * 32 + power;
  let view = pieces.get(key);
  if (view?.buffer !== memory.buffer) {
    if (pieces.size >= MOST_PIECES) pieces.clear();
    view = memory.subarray(from, from + (PIECE << power));
    pieces.set(key, view);
  }
  return view!;
}

/**
 * Whether writing rows of `width` to `output` may change rows of `input` that are read later: where they share bytes, unless each row
 * lies over its own input. Makes no garbage.
 */
export function overwrites(output: Float32Array, width: number, input: Float32Array, inputSize: number): boolean {
  if (output.buffer !== input.buffer) return false;
  if (output.byteOffset === input.byteOffset && width === inputSize) return false;
  return (
    output.byteOffset < input.byteOffset + input.byteLength && input.byteOffset < output.byteOffset + output.byteLength
  );
}

/** `array`, or a copy if it lies in linear memory itself, such as a stream's output: it would vanish when memory grows. */
export function outside(array: Float32Array): Float32Array {
  return array.buffer === wasm().memory.buffer ? array.slice() : array;
}

/** Bytes of linear memory in use by all models and streams of this thread; scratch shared between calls not counted. */
export function bytesUsed(): number {
  return used - scratchBytes;
}

/**
 * A block of at least `bytes` bytes, aligned to 64, contents undefined.
 * @throws RangeError if memory cannot grow that far; nothing is changed then
 */
export function allocate(bytes: number): number {
  const size = align(Math.max(bytes, 1));
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

function insert(block: Block): void {
  free.push(block);
  free.sort((a, b) => a.start - b.start);
  for (let i = free.length - 1; i > 0; i--) {
    const before = free[i - 1]!;
    if (before.start + before.bytes === free[i]!.start) before.bytes += free.splice(i, 1)[0]!.bytes;
  }
}

/** Makes the last free block at least `size` bytes long. */
function grow(size: number): void {
  const { memory, HEAP_BASE } = wasm();
  if (end === 0) {
    end = memory.buffer.byteLength;
    const start = align(HEAP_BASE.value);
    insert({ start, bytes: end - start });
  }
  const last = free[free.length - 1];
  const tail = last && last.start + last.bytes === end ? last.bytes : 0;
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
  insert({ start: end, bytes: pages * PAGE });
  end += pages * PAGE;
}
