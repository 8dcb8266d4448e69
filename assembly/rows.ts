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

/**
 * Copies the states of n streams, each at a place of its own, to or from rows: rows[g][r] and own[r][g], `floats` each, four at a
 * time. No memory.copy and no call for each: for so few floats they take longer.
 */
function move_states(table: usize, offset: usize, rows: usize, groups: i32, n: i32, floats: i32, scatter: bool): void {
  const end = table + ((<usize>n) << 2);
  for (; groups > 0; --groups) {
    for (let p = table; p < end; p += 4) {
      const own = <usize>load<u32>(p) + offset;
      let to = scatter ? own : rows;
      let from = scatter ? rows : own;
      let left = floats;
      for (; left >= 4; left -= 4) {
        v128.store(to, v128.load(from));
        to += 16;
        from += 16;
      }
      if (left) store_lanes(to, load_lanes(from, left), left);
      rows += float_bytes(floats);
    }
    offset += float_bytes(floats);
  }
}

/**
 * Gathers the states of n streams, each at a place of its own, into the rows that lstm_run takes:
 * rows[g][r][0 .. floats-1] = own[r][g][0 .. floats-1].
 * table [n]: pointers, each `offset` bytes before own[r] [groups][floats]; rows [groups][n][floats]
 */
export function gather_states(table: usize, offset: usize, rows: usize, groups: i32, n: i32, floats: i32): void {
  move_states(table, offset, rows, groups, n, floats, false);
}

/** Scatters them back: own[r][g][0 .. floats-1] = rows[g][r][0 .. floats-1], everything as in gather_states. */
export function scatter_states(table: usize, offset: usize, rows: usize, groups: i32, n: i32, floats: i32): void {
  move_states(table, offset, rows, groups, n, floats, true);
}
