import { floats, integers, isInside } from './arena.ts';

// Between linear memory and arrays outside. Nothing here makes garbage, but for a view where only a part of an array is read.

/** The pointer `count` floats after another. */
export function skip(pointer: number, count: number): number {
  return pointer + 4 * count;
}

/** Fills `count` floats. */
export function fill(pointer: number, count: number, value: number): void {
  floats().fill(value, pointer / 4, pointer / 4 + count);
}

/** Copies `count` floats of `array`, from `at` on, to linear memory. */
export function copyIn(pointer: number, array: Float32Array, at: number, count: number): void {
  const whole = at === 0 && count === array.length;
  floats().set(whole ? array : array.subarray(at, at + count), pointer / 4);
}

/** As copyIn(), without a view of the part: slower where there is much to copy. */
export function copyInSome(pointer: number, array: Float32Array, at: number, count: number): void {
  const memory = floats();
  let to = pointer / 4;
  for (const end = at + count; at < end; at++, to++) memory[to] = array[at]!;
}

/** Where an array lies in linear memory, which stays true when memory grows and takes the array's length; -1 if it lies outside. */
export function placeOf(array: Float32Array): number {
  return isInside(array) ? array.byteOffset : -1;
}

/** As copyIn(), of an array whose place was asked for before memory could grow. */
export function copyInFrom(pointer: number, array: Float32Array, place: number, at: number, count: number): void {
  const from = place / 4 + at;
  if (place < 0) copyIn(pointer, array, at, count);
  else floats().copyWithin(pointer / 4, from, from + count);
}

/** Copies `count` integers of `list`, from `at` on, to linear memory. */
export function writeIntegers(pointer: number, list: ArrayLike<number>, at: number, count: number): void {
  const words = integers();
  for (let i = 0; i < count; i++) words[pointer / 4 + i] = list[at + i]!;
}

/** Writes values[which[at]] and what follows for `count` entries of `which`: pointers of streams, say. */
export function writeChosen(pointer: number, values: Uint32Array, which: Int32Array, at: number, count: number): void {
  const words = integers();
  for (let i = 0; i < count; i++) words[pointer / 4 + i] = values[which[at + i]!]!;
}

// Results are copied out of linear memory in pieces of 64 * 2^k floats, each at a multiple of twice its size from the beginning of its
// 512 bytes: however sizes vary from call to call, there are few such pieces, so that their views can be kept. A view made for each
// call would be garbage; a loop over all elements takes five times as long.

/** The smallest piece, in floats; what is left after it is copied by a loop. */
const PIECE = 64;
const MOST_PIECES = 8192;
const pieces = new Map<number, Float32Array>();

/** Copies `count` floats at `pointer`, a Layout's output(), to `target` from `at` on. Makes no garbage. */
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
  // without a length, it is one of memory before it grew
  if (!view?.length) {
    if (pieces.size >= MOST_PIECES) pieces.clear();
    view = memory.subarray(from, from + (PIECE << power));
    pieces.set(key, view);
  }
  return view;
}

type Order = readonly number[] | null | undefined;

/**
 * Copies rows of `array` to linear memory, where they follow each other: row g * batch + b there is row first + g * groupStride + b *
 * rowStride of the array, or with `order` order[b] in place of b.
 */
export function readRows(
  pointer: number,
  array: Float32Array,
  size: number,
  rows: number,
  batch: number,
  first: number,
  groupStride: number,
  rowStride: number,
  order?: Order,
): void {
  if (!order && rowStride === 1 && groupStride === batch) {
    copyIn(pointer, array, first * size, rows * size);
    return;
  }
  const memory = floats();
  let at = pointer / 4;
  for (let group = first; rows > 0; group += groupStride) {
    for (let b = 0; b < batch; b++, rows--) {
      let i = (group + (order ? order[b]! : b) * rowStride) * size;
      for (const end = at + size; at < end; at++, i++) memory[at] = array[i]!;
    }
  }
}

/** Copies them back to where readRows() found them. */
export function writeRows(
  pointer: number,
  array: Float32Array,
  size: number,
  rows: number,
  batch: number,
  first: number,
  groupStride: number,
  rowStride: number,
  order?: Order,
): void {
  if (!order && rowStride === 1 && groupStride === batch) {
    copyOut(pointer, rows * size, array, first * size);
    return;
  }
  const memory = floats();
  let at = pointer / 4;
  for (let group = first; rows > 0; group += groupStride) {
    for (let b = 0; b < batch; b++, rows--) {
      let i = (group + (order ? order[b]! : b) * rowStride) * size;
      for (const end = at + size; at < end; at++, i++) array[i] = memory[at]!;
    }
  }
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
