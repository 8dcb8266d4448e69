import { pow_one } from './elementwise';

// Operators of two inputs, element by element.

/** The numbers of the operators, the same as in src/cells/walks.ts. */
const ADD: i32 = 0;
const SUB: i32 = 1;
const MUL: i32 = 2;
const DIV: i32 = 3;
const MIN: i32 = 4;
const MAX: i32 = 5;
const PRELU: i32 = 7;
// 6: x^y

/** An axis of Pairs: its size, and how far apart its neighbours are in floats; 0 where an input is stretched. */
@unmanaged
class PairsAxis {
  size: i32;
  xStep: i32;
  yStep: i32;
}

/** The inputs and the output of binary_f32. `rank` PairsAxes follow it in memory, the outermost first. */
@unmanaged
class Pairs {
  x: usize;
  y: usize;
  /** Row-major, without gaps */
  out: usize;
  rank: i32;
}

class Row {
  /** `op` is a constant: what is left of the body is one operator. */
  @inline
  static op4(op: i32, a: v128, b: v128): v128 {
    if (op === ADD) return f32x4.add(a, b);
    if (op === SUB) return f32x4.sub(a, b);
    if (op === MUL) return f32x4.mul(a, b);
    if (op === DIV) return f32x4.div(a, b);
    if (op === PRELU) return v128.bitselect(f32x4.mul(a, b), a, f32x4.lt(a, f32x4.splat(0)));
    return op === MIN ? f32x4.min(a, b) : f32x4.max(a, b);
  }

  @inline
  static run(op: i32, x: usize, xStep: usize, y: usize, yStep: usize, out: usize, n: i32): void {
    // a step is 0 or 4 bytes
    if ((xStep | yStep) === 4) {
      let a = v128.load32_splat(x);
      let b = v128.load32_splat(y);
      for (; n >= 4; n -= 4) {
        if (xStep) a = v128.load(x);
        if (yStep) b = v128.load(y);
        v128.store(out, Row.op4(op, a, b));
        x += xStep << 2;
        y += yStep << 2;
        out += 16;
      }
    }
    for (; n > 0; --n) {
      v128.store_lane<f32>(out, Row.op4(op, v128.load32_splat(x), v128.load32_splat(y)), 0);
      x += xStep;
      y += yStep;
      out += 4;
    }
  }
}

function row(op: i32, x: usize, xStep: usize, y: usize, yStep: usize, out: usize, n: i32): void {
  if (n <= 0) return;
  switch (op) {
    case ADD:
      Row.run(ADD, x, xStep, y, yStep, out, n);
      return;
    case SUB:
      Row.run(SUB, x, xStep, y, yStep, out, n);
      return;
    case MUL:
      Row.run(MUL, x, xStep, y, yStep, out, n);
      return;
    case DIV:
      Row.run(DIV, x, xStep, y, yStep, out, n);
      return;
    case MIN:
      Row.run(MIN, x, xStep, y, yStep, out, n);
      return;
    case MAX:
      Row.run(MAX, x, xStep, y, yStep, out, n);
      return;
    case PRELU:
      Row.run(PRELU, x, xStep, y, yStep, out, n);
      return;
    default:
      for (; n > 0; --n) {
        store<f32>(out, pow_one(load<f32>(x), load<f32>(y)));
        x += xStep;
        y += yStep;
        out += 4;
      }
  }
}

/** Computes the part of out at `out`, and returns where the next part is. */
function axes(op: i32, at: usize, rank: i32, x: usize, y: usize, out: usize): usize {
  const axis = changetype<PairsAxis>(at);
  const size = axis.size;
  const xStep = <usize>(axis.xStep << 2);
  const yStep = <usize>(axis.yStep << 2);
  if (rank === 1) {
    row(op, x, xStep, y, yStep, out, size);
    return out + ((<usize>size) << 2);
  }
  for (let left = size; left > 0; --left) {
    out = axes(op, at + offsetof<PairsAxis>(), rank - 1, x, y, out);
    x += xStep;
    y += yStep;
  }
  return out;
}

/**
 * out[i, j, ...] = op(x[i xStep + j xStep ...], y[i yStep + j yStep ...]) in float32; min and max have NaN where either input has,
 * and -0 below 0; prelu is x, below 0 x y. out may be an input that has its steps, and overlaps neither otherwise.
 */
export function binary_f32(op: i32, pairs: Pairs): void {
  if (pairs.rank) axes(op, changetype<usize>(pairs) + offsetof<Pairs>(), pairs.rank, pairs.x, pairs.y, pairs.out);
  else row(op, pairs.x, 0, pairs.y, 0, pairs.out, 1);
}
