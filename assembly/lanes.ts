/** Loads `n` floats (1, 2 or 3) into the low lanes; the other lanes are zero. Reads nothing beyond them. */
export function load_lanes(p: usize, n: i32): v128 {
  if (n === 1) return v128.load32_zero(p);
  const low = v128.load64_zero(p);
  return n === 2 ? low : v128.load_lane<f32>(p, low, 2, 8);
}

/** Stores the low `n` lanes (1, 2 or 3). Writes nothing beyond them. */
export function store_lanes(p: usize, v: v128, n: i32): void {
  if (n === 1) {
    v128.store_lane<f32>(p, v, 0);
    return;
  }
  v128.store_lane<f64>(p, v, 0);
  if (n === 3) v128.store_lane<f32>(p, v, 2, 8);
}
