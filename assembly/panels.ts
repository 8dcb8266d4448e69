// docs/kernels.md#panels
/** Columns of a panel: what one k takes of it, 64 bytes, is a cache line. */
export const PANEL: i32 = 16;
/** Bytes from one k of a panel to the next */
export const PANEL_BYTES: usize = 64;

/** Panels for a matrix of `rows` rows; gates of H units have 4 H. */
export function panel_count(rows: i32): i32 {
  return (rows + PANEL - 1) / PANEL;
}

/** Bytes of a row of `panels` panels' outputs */
export function row_bytes(panels: i32): usize {
  return <usize>panels * PANEL_BYTES;
}

/** Bytes of `n` floats */
export function float_bytes(n: i32): usize {
  return (<usize>n) << 2;
}

/**
 * The float at which row `row` of a matrix [rows][K] begins in its panels [panel][k][16]; one k further is 16 floats on.
 * With H the rows are gates i, f, g, o of H units each, and a panel takes four units: [4 gates][4 units]. Then a product leaves
 * each gate of four units in a vector of its own, with no shuffles before the activations. With H = 0 rows keep their order.
 */
export function panel_index(row: u32, K: u32, H: u32): u32 {
  if (!H) return (row / PANEL) * (K * PANEL) + (row % PANEL);
  const gate = row / H;
  const unit = row - gate * H;
  return (unit >> 2) * (K * PANEL) + (gate << 2) + (unit & 3);
}
