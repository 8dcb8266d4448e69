import { load_lanes, store_lanes } from './lanes';
import { float_bytes } from './panels';

/** dst[r][0 .. floats-1] = src[r][0 .. floats-1]; strides in bytes */
export function copy_rows(dst: usize, dstStride: usize, src: usize, srcStride: usize, rows: i32, floats: i32): void {
  const bytes = float_bytes(floats);
  for (; rows > 0; --rows) {
    memory.copy(dst, src, bytes);
    dst += dstStride;
    src += srcStride;
  }
}

class State {
  /** Copies `n` floats without overlap, four at a time. Inlined: for so few floats memory.copy, or a call, takes longer. */
  @inline
  static copy(to: usize, from: usize, n: i32): void {
    for (; n >= 4; n -= 4) {
      v128.store(to, v128.load(from));
      to += 16;
      from += 16;
    }
    if (n) store_lanes(to, load_lanes(from, n), n);
  }
}

/**
 * Gathers the states of n streams, each at a place of its own, into the rows that lstm_run takes:
 * rows[g][r][0 .. floats-1] = own[r][g][0 .. floats-1].
 * table [n]: pointers, each `offset` bytes before own[r] [groups][floats]; rows [groups][n][floats]
 */
export function gather_states(table: usize, offset: usize, rows: usize, groups: i32, n: i32, floats: i32): void {
  const end = table + ((<usize>n) << 2);
  for (; groups > 0; --groups) {
    for (let p = table; p < end; p += 4) {
      State.copy(rows, <usize>load<u32>(p) + offset, floats);
      rows += float_bytes(floats);
    }
    offset += float_bytes(floats);
  }
}

/** Scatters them back: own[r][g][0 .. floats-1] = rows[g][r][0 .. floats-1], everything as in gather_states. */
export function scatter_states(table: usize, offset: usize, rows: usize, groups: i32, n: i32, floats: i32): void {
  const end = table + ((<usize>n) << 2);
  for (; groups > 0; --groups) {
    for (let p = table; p < end; p += 4) {
      State.copy(<usize>load<u32>(p) + offset, rows, floats);
      rows += float_bytes(floats);
    }
    offset += float_bytes(floats);
  }
}
