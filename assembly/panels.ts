// docs/kernels.md#panels
/** Columns of a panel: those of one k are 64 bytes, a cache line. */
export const PANEL: i32 = 16;
/** Bytes from one k of a panel to the next. */
export const PANEL_BYTES: usize = 64;

/** Counts the panels of a matrix of `rows` rows; gates of H units have 4 H. */
export function panel_count(rows: i32): i32 {
  return (rows + PANEL - 1) / PANEL;
}

/** Counts the bytes of a row of outputs of `panels` panels. */
export function row_bytes(panels: i32): usize {
  return <usize>panels * PANEL_BYTES;
}

/** Counts the bytes of `n` floats. */
export function float_bytes(n: i32): usize {
  return (<usize>n) << 2;
}

/**
 * Gives the index of the float at which row `row` of a matrix [rows][K] begins in its panels [panel][k][16]; the next k is 16
 * floats further. If H > 0, the rows are gates i, f, g, o of H units each. Two panels take eight units, [i, f][8 units] and
 * [g, o][8 units]; the last H % 8 lie four to a panel, [4 gates][4 units]. A product then leaves each gate of eight or four units in
 * vectors of their own, ready for the activations without shuffles. With H = 0 rows keep their order.
 */
export function panel_index(row: u32, K: u32, H: u32): u32 {
  if (!H) return (row / PANEL) * (K * PANEL) + (row % PANEL);
  const gate = row / H;
  const unit = row - gate * H;
  if (unit < (H & ~7)) {
    return ((unit >> 3) * 2 + (gate >> 1)) * (K * PANEL) + ((gate & 1) << 3) + (unit & 7);
  }
  return (unit >> 2) * (K * PANEL) + (gate << 2) + (unit & 3);
}
