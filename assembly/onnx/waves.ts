// Sine and cosine of float32 values of any size, by plain arithmetic in float64: the same bits on every engine.

const PI_4: f32 = 0.7853982;
/** pi / 2 * 2^-62 */
const HALF_PI_SCALED: f64 = 3.4061215800865545e-19;

/** The bits of 2 / pi after the point, 64 at a time; zeros before and after them. */
function word(i: i32): u64 {
  switch (i) {
    case 1:
      return ((<u64>0xa2f9836e) << 32) | 0x4e441529;
    case 2:
      return ((<u64>0xfc2757d1) << 32) | 0xf534ddc0;
    case 3:
      return ((<u64>0xdb629599) << 32) | 0x3c439041;
    case 4:
      return ((<u64>0xfe5163ab) << 32) | 0xdebbc561;
    default:
      return 0;
  }
}

/** 64 bits of 2 / pi from bit `at` on, where bit 64 is the first after the point. */
function bits(at: i32): u64 {
  const i = at >> 6;
  const shift = at & 63;
  return shift ? (word(i) << shift) | (word(i + 1) >> (64 - shift)) : word(i);
}

/**
 * Sine, or with turn = 1 cosine: x = n pi / 2 + r with |r| <= pi / 4. A finite x = m 2^e is multiplied by 96 bits of 2 / pi, from
 * the one that counts twos of quarter turns on; higher ones give whole turns.
 */
function wave(x: f32, turn: i32): f32 {
  if (!(abs(x) < Infinity)) return NaN;
  let r = <f64>x;
  if (abs(x) > PI_4) {
    const all = reinterpret<u32>(x);
    const m = <u64>((all & 0x7fffff) | 0x800000);
    // with e = exponent - 150, the bit worth 2 in 2^e * 2 / pi is number 62 + e
    const at = <i32>((all >> 23) & 255) - 88;
    const quarters = m * bits(at) + ((m * (bits(at + 64) >> 32)) >> 32);
    const n = <i32>((quarters + ((<u64>1) << 61)) >> 62);
    r = copysign<f64>(1, x) * <f64>(<i64>(quarters - ((<u64>n) << 62))) * HALF_PI_SCALED;
    turn += x < 0 ? -n : n;
  }
  const z = r * r;
  let sum: f64;
  if (turn & 1) {
    sum = -1.0 / 87178291200;
    sum = sum * z + 1.0 / 479001600;
    sum = sum * z - 1.0 / 3628800;
    sum = sum * z + 1.0 / 40320;
    sum = sum * z - 1.0 / 720;
    sum = sum * z + 1.0 / 24;
    sum = (sum * z - 0.5) * z + 1;
  } else {
    sum = 1.0 / 6227020800;
    sum = sum * z - 1.0 / 39916800;
    sum = sum * z + 1.0 / 362880;
    sum = sum * z - 1.0 / 5040;
    sum = sum * z + 1.0 / 120;
    sum = r + (sum * z - 1.0 / 6) * z * r;
  }
  return <f32>(turn & 2 ? -sum : sum);
}

export function sin_one(x: f32): f32 {
  // keeps -0
  return x === 0 ? x : wave(x, 0);
}

export function cos_one(x: f32): f32 {
  return wave(x, 1);
}
