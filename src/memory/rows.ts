import { floats, integers, isInside } from './arena.ts';

// Copies between linear memory and arrays outside. The only garbage is a view, where a part of an array is copied to memory.

/** Gives the pointer that lies `count` floats after another. */
export function skip(pointer: number, count: number): number {
  return pointer + 4 * count;
}

/** Fills `count` floats. */
export function fill(pointer: number, count: number, value: number): void {
  floats().fill(value, pointer / 4, pointer / 4 + count);
}

/** Copies `count` floats inside linear memory. */
export function copyFloats(pointer: number, from: number, count: number): void {
  if (pointer !== from) integers().copyWithin(pointer / 4, from / 4, from / 4 + count);
}

/** Copies `count` floats of `array`, from `at` on, to linear memory. */
export function copyIn(pointer: number, array: Float32Array, at: number, count: number): void {
  const whole = at === 0 && count === array.length;
  floats().set(whole ? array : array.subarray(at, at + count), pointer / 4);
}

/** Copies as copyIn() does, but by a loop, without a view of the part: slower for many floats. */
export function copyInSome(pointer: number, array: Float32Array, at: number, count: number): void {
  const memory = floats();
  let to = pointer / 4;
  for (const end = at + count; at < end; at++, to++) memory[to] = array[at]!;
}

/** Gives the pointer of an array in linear memory, -1 outside. It stays valid when memory grows, which detaches the array. */
export function placeOf(array: Float32Array): number {
  return isInside(array) ? array.byteOffset : -1;
}

/** Copies as copyIn() does, from an array whose placeOf() was taken before memory could grow. */
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

/** Writes values[which[at]] to values[which[at + count - 1]] to linear memory: the pointers of some streams. */
export function writeChosen(pointer: number, values: Uint32Array, which: Int32Array, at: number, count: number): void {
  const words = integers();
  for (let i = 0; i < count; i++) words[pointer / 4 + i] = values[which[at + i]!]!;
}

// Results are copied out of linear memory in pieces of 64 * 2^k floats, the largest first. A result begins at a multiple of 512
// bytes, and each piece at a multiple of twice its size from there. However sizes vary from call to call, there are few different
// pieces, so that their views can be kept. A view made for each call would be garbage; a loop over all elements takes five times
// as long.

/** The floats of the smallest piece; a loop copies the rest. */
const PIECE = 64;
/** The most views that are kept. */
const MOST_PIECES = 8192;
const pieces = new Map<number, Float32Array>();

/** Copies `count` floats at `pointer`, which a Layout's output() gave, to `target` from `at` on. Makes no garbage. */
export function copyOut(pointer: number, count: number, target: Float32Array, at: number): void {
  const memory = floats();
  let from = pointer / 4;
  let left = count;
  while (left >= PIECE) {
    const power = 31 - Math.clz32(left / PIECE);
    target.set(piece(memory, from, power), at);
    const size = PIECE << power;
    from += size;
    at += size;
    left -= size;
  }
  for (; left > 0; left--) target[at++] = memory[from++]!;
}

/** Gives the view of PIECE << power floats from `from` on, made at its first use. */
function piece(memory: Float32Array, from: number, power: number): Float32Array {
  // a small integer: any other key would be garbage on the heap
  const key = (from / PIECE) * 32 + power;
  let view = pieces.get(key);
  // a view of memory before it grew has lost its length
  if (!view?.length) {
    if (pieces.size >= MOST_PIECES) pieces.clear();
    view = memory.subarray(from, from + (PIECE << power));
    pieces.set(key, view);
  }
  return view;
}

type Order = readonly number[] | null | undefined;

/**
 * Copies rows of `array` to linear memory, where they follow each other. Row g * batch + b in memory is row first + g *
 * groupStride + b * rowStride of the array; with `order`, order[b] takes the place of b.
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

/** Copies rows from linear memory to the places in `array` from which readRows() takes them. */
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
 * Tells whether writing rows of `width` to `output` may change rows of `input` that are read later: where the two share bytes,
 * unless each row lies over its own input. Makes no garbage.
 */
export function overwrites(output: Float32Array, width: number, input: Float32Array, inputSize: number): boolean {
  if (output.buffer !== input.buffer) return false;
  if (output.byteOffset === input.byteOffset && width === inputSize) return false;
  return (
    output.byteOffset < input.byteOffset + input.byteLength && input.byteOffset < output.byteOffset + output.byteLength
  );
}
