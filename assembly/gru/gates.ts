// docs/kernels.md#gru-and-rnn
import { Exp, plus_two, tanh4, with_sign } from '../activations';
import { load_lanes, store_lanes } from '../lanes';
import { float_bytes } from '../panels';

/** 2^-110 */
const TINY: f32 = 7.70371978e-34;

/** As methods, since only these can carry @inline. */
class Gates {
  // n + sigmoid(z) (h - n) with n = tanh(xn + sigmoid(r) hn). Every divisor saturates without becoming NaN: it may be infinite.
  @inline
  static next_h(r: v128, z: v128, xn: v128, hn: v128, h: v128): v128 {
    const a = f32x4.add(xn, f32x4.div(hn, Exp.one_plus_exp_neg(r)));
    const e = Exp.exp2x_minus_one(a);
    const n = f32x4.div(with_sign(e, a), plus_two(e));
    return Gates.settled(f32x4.add(n, f32x4.div(f32x4.sub(h, n), Exp.one_plus_exp_neg(z))));
  }

  // In silence h decays. Below 2^-110 it becomes 0: subnormal numbers slow processors down.
  @inline
  static settled(h: v128): v128 {
    return v128.andnot(h, f32x4.lt(f32x4.abs(h), f32x4.splat(TINY)));
  }
}

/** Loads four floats, or the n of them that there are; the other lanes are zero. */
function load_some(p: usize, n: i32): v128 {
  return n >= 4 ? v128.load(p) : load_lanes(p, n);
}

/** Stores four floats, or the n of them that there are, in two places. */
function store_some(p: usize, q: usize, v: v128, n: i32): void {
  if (n >= 4) {
    v128.store(p, v);
    v128.store(q, v);
  } else {
    store_lanes(p, v, n);
    store_lanes(q, v, n);
  }
}

/**
 * Computes the gates of one row: r = sigmoid(x_r + h_r), z = sigmoid(x_z + h_z), n = tanh(x_n + r h_n), h = n + z (h - n), stored
 * in two places. x, s [r, z, n][H]: b_ih + W_ih x and b_hh + W_hh h; h, y [H]; h may be y.
 * Eight units are two equal vectors of everything, which V8 may pack.
 */
export function gru_gates_f32(x: usize, s: usize, h: usize, y: usize, H: i32): void {
  const size = float_bytes(H);
  for (; H >= 8; H -= 8) {
    const xz = x + size;
    const sz = s + size;
    const xn = xz + size;
    const sn = sz + size;
    const a = Gates.next_h(
      f32x4.add(v128.load(x), v128.load(s)),
      f32x4.add(v128.load(xz), v128.load(sz)),
      v128.load(xn),
      v128.load(sn),
      v128.load(h),
    );
    const b = Gates.next_h(
      f32x4.add(v128.load(x, 16), v128.load(s, 16)),
      f32x4.add(v128.load(xz, 16), v128.load(sz, 16)),
      v128.load(xn, 16),
      v128.load(sn, 16),
      v128.load(h, 16),
    );
    v128.store(h, a);
    v128.store(h, b, 16);
    v128.store(y, a);
    v128.store(y, b, 16);
    x += 32;
    s += 32;
    h += 32;
    y += 32;
  }
  for (; H > 0; H -= 4) {
    const next = Gates.next_h(
      f32x4.add(load_some(x, H), load_some(s, H)),
      f32x4.add(load_some(x + size, H), load_some(s + size, H)),
      load_some(x + 2 * size, H),
      load_some(s + 2 * size, H),
      load_some(h, H),
    );
    store_some(h, y, next, H);
    x += 16;
    s += 16;
    h += 16;
    y += 16;
  }
}

/** h = tanh(z), or with `relu` max(z, 0), stored in two places. z, h, y [H]; h may be y. NaN stays NaN. */
export function rnn_gate_f32(z: usize, h: usize, y: usize, H: i32, relu: bool): void {
  for (; H > 0; H -= 4) {
    const sum = load_some(z, H);
    store_some(h, y, Gates.settled(relu ? f32x4.pmax(sum, f32x4.splat(0)) : tanh4(sum)), H);
    z += 16;
    h += 16;
    y += 16;
  }
}
