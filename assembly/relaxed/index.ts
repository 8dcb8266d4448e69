// docs/kernels.md#8-bit-weights
// Must not import a file with memory.data: this module shares the memory of lstm.wasm, and would overwrite the data there.
import { Int8Block } from '../int8-block';
import { PANEL_BYTES } from '../panels';
import { add_scaled } from '../scaled';

export { ABI } from '../abi';

/** Multiplies 16 signed 8-bit with 16 unsigned 7-bit integers, and adds each four products to a lane of `sum`. */
function dot(w: v128, x: v128, sum: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum);
}

/**
 * Tells whether dot adds pairs in 16 bits, which saturate for the numbers here. Engines do so on x86 processors without AVX-VNNI:
 * in five instructions, with the same integers as long as x has 7 bits, but slower than the plain form (Zen 4: 28 to 38 %).
 */
export function is_emulated(): bool {
  const sum = dot(i8x16.splat(127), i8x16.splat(-1), i32x4.splat(0));
  return i32x4.extract_lane(sum, 0) === 2 * i16.MAX_VALUE;
}

/**
 * Computes the relaxed form of dot_i8 in assembly/int8.ts, with the same integers: sum w q = 128 (sum w high) + (sum w low) -
 * 8192 (sum w). High and low are below 128, so that no engine has a choice how to round or saturate. q [rows][K / 8][high 8][low
 * 8]
 */
export function dot_i8(block: Int8Block): void {
  const depthBytes = (<usize>block.K) << 1;
  const qStride = block.qStride;
  const initStride = block.initStride;
  const zStride = block.zStride;
  const xScale = block.xScale;
  const rows = block.rows;
  let w = block.w;
  let scale = block.scale;
  let offset = block.offset;
  let init = block.init;
  let z = block.z;
  for (let panels = block.panels; panels > 0; --panels) {
    let row = block.q;
    let i = init;
    let o = z;
    for (let r = 0; r < rows; ++r) {
      let p = w;
      let a = i32x4.splat(0);
      let b = i32x4.splat(0);
      let c = i32x4.splat(0);
      let d = i32x4.splat(0);
      let e = i32x4.splat(0);
      let f = i32x4.splat(0);
      let g = i32x4.splat(0);
      let h = i32x4.splat(0);
      const end = row + depthBytes;
      for (let x = row; x < end; x += 16) {
        let s = v128.load32_splat(x);
        let t = v128.load32_splat(x, 8);
        let u = v128.load(p);
        a = dot(u, s, a);
        e = dot(u, t, e);
        u = v128.load(p, 16);
        b = dot(u, s, b);
        f = dot(u, t, f);
        u = v128.load(p, 32);
        c = dot(u, s, c);
        g = dot(u, t, g);
        u = v128.load(p, 48);
        d = dot(u, s, d);
        h = dot(u, t, h);
        s = v128.load32_splat(x, 4);
        t = v128.load32_splat(x, 12);
        u = v128.load(p, 64);
        a = dot(u, s, a);
        e = dot(u, t, e);
        u = v128.load(p, 80);
        b = dot(u, s, b);
        f = dot(u, t, f);
        u = v128.load(p, 96);
        c = dot(u, s, c);
        g = dot(u, t, g);
        u = v128.load(p, 112);
        d = dot(u, s, d);
        h = dot(u, t, h);
        p += 128;
      }
      const s = v128.load32_splat(xScale + ((<usize>r) << 2));
      add_scaled(o, i, total(a, e, offset), scale, s);
      add_scaled(o + 16, i + 16, total(b, f, offset + 16), scale + 16, s);
      add_scaled(o + 32, i + 32, total(c, g, offset + 32), scale + 32, s);
      add_scaled(o + 48, i + 48, total(d, h, offset + 48), scale + 48, s);
      row += qStride;
      i += initStride;
      o += zStride;
    }
    w += block.panelStride;
    scale += PANEL_BYTES;
    offset += PANEL_BYTES;
    init += PANEL_BYTES;
    z += PANEL_BYTES;
  }
}

function total(high: v128, low: v128, offset: usize): v128 {
  return i32x4.sub(i32x4.add(i32x4.shl(high, 7), low), v128.load(offset));
}
