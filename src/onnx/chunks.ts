import { floats, scratch } from '../memory/arena.ts';

/** Elements that pass through linear memory at once. */
const CHUNK = 1 << 16;

/** Fills `out` with what `run` makes of `inputs`, a chunk at a time; it works in place on the first. */
export function inMemory(
  inputs: readonly Float32Array[],
  out: Float32Array,
  run: (pointers: readonly number[], count: number) => void,
): void {
  const size = Math.min(out.length, CHUNK);
  for (let at = 0; at < out.length; at += size) {
    const start = scratch(4 * size * inputs.length);
    const count = Math.min(size, out.length - at);
    const pointers = inputs.map((input, i) => {
      const pointer = start + 4 * size * i;
      floats().set(input.subarray(at, at + count), pointer / 4);
      return pointer;
    });
    run(pointers, count);
    out.set(floats().subarray(start / 4, start / 4 + count), at);
  }
}
