// The same peaks for relaxed SIMD: a module of its own, since an engine without it refuses the whole module.

/** Twelve chains a = a x + y, fused where the processor can: n times 12 x 4 multiply-adds. */
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
    a = f32x4.relaxed_madd(a, s, t);
    b = f32x4.relaxed_madd(b, s, t);
    c = f32x4.relaxed_madd(c, s, t);
    d = f32x4.relaxed_madd(d, s, t);
    e = f32x4.relaxed_madd(e, s, t);
    f = f32x4.relaxed_madd(f, s, t);
    g = f32x4.relaxed_madd(g, s, t);
    h = f32x4.relaxed_madd(h, s, t);
    i = f32x4.relaxed_madd(i, s, t);
    j = f32x4.relaxed_madd(j, s, t);
    k = f32x4.relaxed_madd(k, s, t);
    l = f32x4.relaxed_madd(l, s, t);
  }
  const abcd = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  const efgh = f32x4.add(f32x4.add(e, f), f32x4.add(g, h));
  const ijkl = f32x4.add(f32x4.add(i, j), f32x4.add(k, l));
  return f32x4.extract_lane(f32x4.add(abcd, f32x4.add(efgh, ijkl)), 0);
}

/** Twelve chains a = dot(x, a) + y of 8-bit integers in registers: n times 12 x 16 multiply-adds. */
export function dot_i8(n: i32, x: i32, y: i32): i32 {
  const s = i8x16.splat(<i8>x);
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
    a = i32x4.relaxed_dot_i8x16_i7x16_add_s(s, a, t);
    b = i32x4.relaxed_dot_i8x16_i7x16_add_s(s, b, t);
    c = i32x4.relaxed_dot_i8x16_i7x16_add_s(s, c, t);
    d = i32x4.relaxed_dot_i8x16_i7x16_add_s(s, d, t);
    e = i32x4.relaxed_dot_i8x16_i7x16_add_s(s, e, t);
    f = i32x4.relaxed_dot_i8x16_i7x16_add_s(s, f, t);
    g = i32x4.relaxed_dot_i8x16_i7x16_add_s(s, g, t);
    h = i32x4.relaxed_dot_i8x16_i7x16_add_s(s, h, t);
    i = i32x4.relaxed_dot_i8x16_i7x16_add_s(s, i, t);
    j = i32x4.relaxed_dot_i8x16_i7x16_add_s(s, j, t);
    k = i32x4.relaxed_dot_i8x16_i7x16_add_s(s, k, t);
    l = i32x4.relaxed_dot_i8x16_i7x16_add_s(s, l, t);
  }
  const abcd = v128.xor(v128.xor(a, b), v128.xor(c, d));
  const efgh = v128.xor(v128.xor(e, f), v128.xor(g, h));
  const ijkl = v128.xor(v128.xor(i, j), v128.xor(k, l));
  return i32x4.extract_lane(v128.xor(abcd, v128.xor(efgh, ijkl)), 0);
}
