// What this engine and processor can do at most. Every loop is built so that nothing in it is the same twice: a compiler
// computes a product that does not vary once, and the peak that shows does not exist.

/** Nothing: what a call from JavaScript costs. */
export function nothing(x: i32): i32 {
  return x;
}

/** Reads `bytes` (a multiple of 128) at `p`, `times` over. */
export function read(p: usize, bytes: usize, times: i32): i32 {
  let a = i32x4.splat(0);
  let b = i32x4.splat(0);
  let c = i32x4.splat(0);
  let d = i32x4.splat(0);
  for (; times > 0; --times) {
    const end = p + bytes;
    for (let q = p; q < end; q += 128) {
      a = v128.xor(a, v128.xor(v128.load(q), v128.load(q, 16)));
      b = v128.xor(b, v128.xor(v128.load(q, 32), v128.load(q, 48)));
      c = v128.xor(c, v128.xor(v128.load(q, 64), v128.load(q, 80)));
      d = v128.xor(d, v128.xor(v128.load(q, 96), v128.load(q, 112)));
    }
    a = i32x4.add(a, i32x4.splat(1));
  }
  return i32x4.extract_lane(v128.xor(v128.xor(a, b), v128.xor(c, d)), 0);
}

/** Twelve chains a = a x + y in registers: n times 12 x 4 multiply-adds. With x = 1/2, y = 1 they stay near 2. */
export function multiply_add(n: i32, x: f32, y: f32): f32 {
  const s = f32x4.splat(x);
  const t = f32x4.splat(y);
  let a = f32x4.splat(1);
  let b = f32x4.splat(2);
  let c = f32x4.splat(3);
  let d = f32x4.splat(4);
  let e = f32x4.splat(5);
  let f = f32x4.splat(6);
  let g = f32x4.splat(7);
  let h = f32x4.splat(8);
  let i = f32x4.splat(9);
  let j = f32x4.splat(10);
  let k = f32x4.splat(11);
  let l = f32x4.splat(12);
  for (; n > 0; --n) {
    a = f32x4.add(f32x4.mul(a, s), t);
    b = f32x4.add(f32x4.mul(b, s), t);
    c = f32x4.add(f32x4.mul(c, s), t);
    d = f32x4.add(f32x4.mul(d, s), t);
    e = f32x4.add(f32x4.mul(e, s), t);
    f = f32x4.add(f32x4.mul(f, s), t);
    g = f32x4.add(f32x4.mul(g, s), t);
    h = f32x4.add(f32x4.mul(h, s), t);
    i = f32x4.add(f32x4.mul(i, s), t);
    j = f32x4.add(f32x4.mul(j, s), t);
    k = f32x4.add(f32x4.mul(k, s), t);
    l = f32x4.add(f32x4.mul(l, s), t);
  }
  const abcd = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  const efgh = f32x4.add(f32x4.add(e, f), f32x4.add(g, h));
  const ijkl = f32x4.add(f32x4.add(i, j), f32x4.add(k, l));
  return f32x4.extract_lane(f32x4.add(abcd, f32x4.add(efgh, ijkl)), 0);
}

/** Twelve chains a = dot(a, x) + y of 16-bit integers in registers: n times 12 x 8 multiply-adds. */
export function dot_i16(n: i32, x: i32, y: i32): i32 {
  const s = i16x8.splat(<i16>x);
  const t = i32x4.splat(y);
  let a = i32x4.splat(1);
  let b = i32x4.splat(2);
  let c = i32x4.splat(3);
  let d = i32x4.splat(4);
  let e = i32x4.splat(5);
  let f = i32x4.splat(6);
  let g = i32x4.splat(7);
  let h = i32x4.splat(8);
  let i = i32x4.splat(9);
  let j = i32x4.splat(10);
  let k = i32x4.splat(11);
  let l = i32x4.splat(12);
  for (; n > 0; --n) {
    a = i32x4.add(i32x4.dot_i16x8_s(a, s), t);
    b = i32x4.add(i32x4.dot_i16x8_s(b, s), t);
    c = i32x4.add(i32x4.dot_i16x8_s(c, s), t);
    d = i32x4.add(i32x4.dot_i16x8_s(d, s), t);
    e = i32x4.add(i32x4.dot_i16x8_s(e, s), t);
    f = i32x4.add(i32x4.dot_i16x8_s(f, s), t);
    g = i32x4.add(i32x4.dot_i16x8_s(g, s), t);
    h = i32x4.add(i32x4.dot_i16x8_s(h, s), t);
    i = i32x4.add(i32x4.dot_i16x8_s(i, s), t);
    j = i32x4.add(i32x4.dot_i16x8_s(j, s), t);
    k = i32x4.add(i32x4.dot_i16x8_s(k, s), t);
    l = i32x4.add(i32x4.dot_i16x8_s(l, s), t);
  }
  const abcd = v128.xor(v128.xor(a, b), v128.xor(c, d));
  const efgh = v128.xor(v128.xor(e, f), v128.xor(g, h));
  const ijkl = v128.xor(v128.xor(i, j), v128.xor(k, l));
  return i32x4.extract_lane(v128.xor(abcd, v128.xor(efgh, ijkl)), 0);
}
