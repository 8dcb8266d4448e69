// docs/kernels.md#gates
import { Exp, plus_two, with_sign } from './activations';
import { load_lanes, store_lanes } from './lanes';

/** 2^-110 */
const TINY: f32 = 7.70371978e-34;

/** As methods, since only these can carry @inline. */
class Gates {
  // sigmoid(s) tanh(x), with one division. Every factor saturates without becoming NaN: a denominator may be infinite.
  @inline
  static sigmoid_tanh(s: v128, x: v128): v128 {
    const e = Exp.exp2x_minus_one(x);
    return f32x4.div(with_sign(e, x), f32x4.mul(Exp.one_plus_exp_neg(s), plus_two(e)));
  }

  // sigmoid(f) c + added
  // In silence c decays. Below 2^-110, where it is too small to change h, it becomes 0: subnormal numbers slow processors down.
  @inline
  static next_c(f: v128, c: v128, added: v128): v128 {
    const cell = f32x4.add(f32x4.div(c, Exp.one_plus_exp_neg(f)), added);
    return v128.andnot(cell, f32x4.lt(f32x4.abs(cell), f32x4.splat(TINY)));
  }
}

/**
 * Computes the gates of one row: c = sigmoid(f) c + sigmoid(i) tanh(g), h = sigmoid(o) tanh(c), both stored, h in two places.
 * z [floor(H / 8)][i, f, g, o][8], then [ceil(H % 8 / 4)][i, f, g, o][4]; c, h, y [H]; h may be y.
 * Eight units are two equal vectors of everything, which V8 may pack. A loop of two turns, first i and g, then o and c, holds
 * both products of sigmoid and tanh once.
 */
export function lstm_gates_f32(z: usize, c: usize, h: usize, y: usize, H: i32): void {
  for (; H >= 8; H -= 8) {
    let x0 = v128.load(z, 64);
    let x1 = v128.load(z, 80);
    for (let s = z; ; s += 96) {
      const p0 = Gates.sigmoid_tanh(v128.load(s), x0);
      const p1 = Gates.sigmoid_tanh(v128.load(s, 16), x1);
      if (s !== z) {
        v128.store(h, p0);
        v128.store(h, p1, 16);
        v128.store(y, p0);
        v128.store(y, p1, 16);
        break;
      }
      x0 = Gates.next_c(v128.load(z, 32), v128.load(c), p0);
      x1 = Gates.next_c(v128.load(z, 48), v128.load(c, 16), p1);
      v128.store(c, x0);
      v128.store(c, x1, 16);
    }
    z += 128;
    c += 32;
    h += 32;
    y += 32;
  }
  for (; H > 0; H -= 4) {
    let x = v128.load(z, 32);
    for (let s = z; ; s += 48) {
      const p = Gates.sigmoid_tanh(v128.load(s), x);
      if (s !== z) {
        if (H >= 4) {
          v128.store(h, p);
          v128.store(y, p);
        } else {
          store_lanes(h, p, H);
          store_lanes(y, p, H);
        }
        break;
      }
      x = Gates.next_c(v128.load(z, 16), H >= 4 ? v128.load(c) : load_lanes(c, H), p);
      if (H >= 4) v128.store(c, x);
      else store_lanes(c, x, H);
    }
    z += 64;
    c += 16;
    h += 16;
    y += 16;
  }
}
