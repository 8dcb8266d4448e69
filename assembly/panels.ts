/**
 * The float at which row `row` of a matrix [rows][K] begins in its panels [panel][k][16]; one k further is 16 floats on.
 * With H the rows are gates i, f, g, o of H units each, and a panel takes four units: [4 gates][4 units]. Then a product leaves
 * each gate of four units in a vector of its own, with no shuffles before the activations. With H = 0 rows keep their order.
 */
export function panel_index(row: u32, K: u32, H: u32): u32 {
  if (!H) return (row >> 4) * (K << 4) + (row & 15);
  const gate = row / H;
  const unit = row - gate * H;
  return (unit >> 2) * (K << 4) + (gate << 2) + (unit & 3);
}
