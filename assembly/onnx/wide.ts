/** Floats as vectors of two float64, and rounded back. Methods, since only these can carry @inline. */
export class Wide {
  /** Lanes 0 and 1 */
  @inline
  static low(v: v128): v128 {
    return f64x2.promote_low_f32x4(v);
  }

  /** Lanes 2 and 3 */
  @inline
  static high(v: v128): v128 {
    return f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1));
  }

  /** Two floats in memory */
  @inline
  static two(p: usize): v128 {
    return f64x2.promote_low_f32x4(v128.load64_zero(p));
  }

  /** A float from each of two places */
  @inline
  static pair(p: usize, q: usize): v128 {
    return f64x2.promote_low_f32x4(v128.load_lane<f32>(q, v128.load32_zero(p), 1));
  }

  @inline
  static store_two(p: usize, v: v128): void {
    v128.store_lane<f64>(p, f32x4.demote_f64x2_zero(v), 0);
  }

  /** A float in both lanes */
  @inline
  static splat(p: usize): v128 {
    return f64x2.splat(load<f32>(p));
  }
}

/** Four floats at a time, and the last ones singly, in lane 0. */
export class Some {
  @inline
  static load(p: usize, n: i32): v128 {
    return n >= 4 ? v128.load(p) : v128.load32_zero(p);
  }

  @inline
  static store(p: usize, v: v128, n: i32): void {
    if (n >= 4) v128.store(p, v);
    else v128.store_lane<f32>(p, v, 0);
  }

  @inline
  static store_wide(p: usize, low: v128, high: v128, n: i32): void {
    if (n >= 4) {
      Wide.store_two(p, low);
      Wide.store_two(p + 8, high);
    } else v128.store_lane<f32>(p, f32x4.demote_f64x2_zero(low), 0);
  }

  @inline
  static count(n: i32): i32 {
    return n >= 4 ? 4 : 1;
  }
}
