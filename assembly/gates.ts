// docs/kernels.md#gates
import { Exp, plus_two, with_sign } from './activations';
import { load_lanes, store_lanes } from './lanes';

/** 2^-110 */
const TINY: f32 = 7.70371978e-34;

// sigmoid(f) c + sigmoid(i) tanh(g), with one division for each product. Every factor saturates without becoming NaN:
// a denominator may be infinite, a numerator only where c is.
// In silence c decays. Below 2^-110, where it is too small to change h, it becomes 0: subnormal numbers slow processors down.
function next_c(i: v128, f: v128, g: v128, c: v128): v128 {
  const e = Exp.exp2x_minus_one(g);
  const cell = f32x4.add(
    f32x4.div(c, Exp.one_plus_exp_neg(f)),
    f32x4.div(with_sign(e, g), f32x4.mul(Exp.one_plus_exp_neg(i), plus_two(e))),
  );
  return v128.andnot(cell, f32x4.lt(f32x4.abs(cell), f32x4.splat(TINY)));
}

// sigmoid(o) tanh(c)
function next_h(o: v128, c: v128): v128 {
  const e = Exp.exp2x_minus_one(c);
  return f32x4.div(with_sign(e, c), f32x4.mul(Exp.one_plus_exp_neg(o), plus_two(e)));
}

/**
 * Computes the gates of one row: c = sigmoid(f) c + sigmoid(i) tanh(g), h = sigmoid(o) tanh(c), both stored, h in two places.
 * z [ceil(H / 4)][i, f, g, o][4]; c, h, y [H]; h may be y.
 */
export function lstm_gates_f32(z: usize, c: usize, h: usize, y: usize, H: i32): void {
  for (; H > 0; H -= 4) {
    const cell = next_c(v128.load(z), v128.load(z, 16), v128.load(z, 32), H >= 4 ? v128.load(c) : load_lanes(c, H));
    const out = next_h(v128.load(z, 48), cell);
    if (H >= 4) {
      v128.store(c, cell);
      v128.store(h, out);
      v128.store(y, out);
    } else {
      store_lanes(c, cell, H);
      store_lanes(h, out, H);
      store_lanes(y, out, H);
    }
    z += 64;
    c += 16;
    h += 16;
    y += 16;
  }
}
