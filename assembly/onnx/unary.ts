import { load_lanes, store_lanes } from '../lanes';
import { exp_f32, log_f32 } from './elementwise';
import { sigmoid_f32, tanh_f32 } from './env';
import { erf64 } from './math';
import { cos_one, sin_one } from './waves';

// Operators of one input, element by element.

/** The numbers of the operators, the same as in src/cells/walks.ts. */
const NEG: i32 = 0;
const ABS: i32 = 1;
const RELU: i32 = 2;
const SQRT: i32 = 3;
const FLOOR: i32 = 4;
const CEIL: i32 = 5;
const LEAKY_RELU: i32 = 6;
const SQUARE: i32 = 7;
const RECIPROCAL: i32 = 8;
const EXP: i32 = 9;
const LOG: i32 = 10;
const SIGMOID: i32 = 11;
const TANH: i32 = 12;
const ROUND: i32 = 13;
const SIGN: i32 = 14;
// 15: erf
const SIN: i32 = 16;
const COS: i32 = 17;
// not one of unary_f32's, since it has two bounds
const CLIP: i32 = 18;

class Unary {
  @inline
  static op4(op: i32, x: v128, a: v128, b: v128): v128 {
    if (op === NEG) return f32x4.neg(x);
    if (op === ABS) return f32x4.abs(x);
    if (op === RELU) return f32x4.max(x, a);
    if (op === SQRT) return f32x4.sqrt(x);
    if (op === FLOOR) return f32x4.floor(x);
    if (op === CEIL) return f32x4.ceil(x);
    if (op === LEAKY_RELU) return v128.bitselect(f32x4.mul(x, a), x, f32x4.lt(x, b));
    if (op === SQUARE) return f32x4.mul(x, x);
    if (op === RECIPROCAL) return f32x4.div(a, x);
    // pmax is x < a ? a : x, pmin b < x ? b : x
    return f32x4.pmin(f32x4.pmax(x, a), b);
  }

  /** `op` is a constant: one operator is left of op4. */
  @inline
  static run(op: i32, x: usize, out: usize, n: i32, a: v128, b: v128): void {
    for (; n >= 4; n -= 4) {
      v128.store(out, Unary.op4(op, v128.load(x), a, b));
      x += 16;
      out += 16;
    }
    if (n > 0) last(op, x, out, n, a, b);
  }
}

/** The last one to three numbers */
function last(op: i32, x: usize, out: usize, n: i32, a: v128, b: v128): void {
  store_lanes(out, Unary.op4(op, load_lanes(x, n), a, b), n);
}

/** Operators that go number by number. */
function rare(op: i32, x: f32): f32 {
  switch (op) {
    case ROUND:
      return nearest(x);
    case SIGN:
      // zeros and NaN stay
      return abs(x) > 0 ? copysign<f32>(1, x) : x;
    case SIN:
      return sin_one(x);
    case COS:
      return cos_one(x);
    default:
      return <f32>erf64(x);
  }
}

/** out[i] = op(x[i]). leakyRelu is alpha x below 0. out may be x, and does not overlap it otherwise. */
export function unary_f32(op: i32, x: usize, out: usize, n: i32, alpha: f32): void {
  const zero = f32x4.splat(0);
  switch (op) {
    case NEG:
      Unary.run(NEG, x, out, n, zero, zero);
      return;
    case ABS:
      Unary.run(ABS, x, out, n, zero, zero);
      return;
    case RELU:
      Unary.run(RELU, x, out, n, zero, zero);
      return;
    case SQRT:
      Unary.run(SQRT, x, out, n, zero, zero);
      return;
    case FLOOR:
      Unary.run(FLOOR, x, out, n, zero, zero);
      return;
    case CEIL:
      Unary.run(CEIL, x, out, n, zero, zero);
      return;
    case LEAKY_RELU:
      Unary.run(LEAKY_RELU, x, out, n, f32x4.splat(alpha), zero);
      return;
    case SQUARE:
      Unary.run(SQUARE, x, out, n, zero, zero);
      return;
    case RECIPROCAL:
      Unary.run(RECIPROCAL, x, out, n, f32x4.splat(1), zero);
      return;
  }
  if (x !== out) memory.copy(out, x, (<usize>n) << 2);
  switch (op) {
    case EXP:
      exp_f32(out, n);
      return;
    case LOG:
      log_f32(out, n);
      return;
    case SIGMOID:
      sigmoid_f32(out, n);
      return;
    case TANH:
      tanh_f32(out, n);
      return;
    default:
      for (const end = out + ((<usize>n) << 2); out < end; out += 4) {
        const v = load<f32>(out);
        store<f32>(out, rare(op, v));
      }
  }
}

/** out[i] = x[i], or low if that is less, and then high if that is more; NaN stays. out as in unary_f32. */
export function clip_f32(x: usize, out: usize, n: i32, low: f32, high: f32): void {
  Unary.run(CLIP, x, out, n, f32x4.splat(low), f32x4.splat(high));
}
