// Copies between views of linear memory: slices, transpositions, stretched and joined tensors.

/** An axis of a View: its size, and how far apart its neighbours are in words of 32 bits, perhaps 0 or less. */
@unmanaged
class Axis {
  size: i32;
  srcStep: i32;
  dstStep: i32;
}

/** A copy. `rank` Axes follow it in memory, the outermost first. */
@unmanaged
class View {
  src: usize;
  dst: usize;
  rank: i32;
  /** Words that lie next to each other in both and are copied together */
  run: i32;
}

/** Words from which memory.copy is faster than a loop */
const LONG: i32 = 128;

/** Copies a run of at least two words without overlap. */
function copy_run(dst: usize, src: usize, run: i32): void {
  if (run >= LONG) {
    memory.copy(dst, src, (<usize>run) << 2);
    return;
  }
  for (; run >= 4; run -= 4) {
    v128.store(dst, v128.load(src));
    dst += 16;
    src += 16;
  }
  if (run & 2) {
    store<i64>(dst, load<i64>(src));
    dst += 8;
    src += 8;
  }
  if (run & 1) store<i32>(dst, load<i32>(src));
}

/** dst[r][i] = src[r][i] for single words. */
function copy_words(
  src: usize,
  dst: usize,
  rows: i32,
  srcRow: usize,
  dstRow: usize,
  n: i32,
  srcStep: usize,
  dstStep: usize,
): void {
  for (; rows > 0; --rows) {
    let from = src;
    let to = dst;
    for (let left = n; left > 0; --left) {
      store<i32>(to, load<i32>(from));
      from += srcStep;
      to += dstStep;
    }
    src += srcRow;
    dst += dstRow;
  }
}

/** The same where neighbours in r lie next to each other in src, and neighbours in i in dst: in blocks of 4 x 4. */
function transpose(src: usize, dst: usize, rows: i32, dstRow: usize, n: i32, srcStep: usize): void {
  const src2 = srcStep << 1;
  const dst2 = dstRow << 1;
  for (; rows >= 4; rows -= 4) {
    let from = src;
    let to = dst;
    let left = n;
    for (; left >= 4; left -= 4) {
      const a = v128.load(from);
      const b = v128.load(from + srcStep);
      const c = v128.load(from + src2);
      const d = v128.load(from + src2 + srcStep);
      const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      const AB = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const CD = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
      v128.store(to + dstRow, v128.shuffle<i64>(ab, cd, 1, 3));
      v128.store(to + dst2, v128.shuffle<i64>(AB, CD, 0, 2));
      v128.store(to + dst2 + dstRow, v128.shuffle<i64>(AB, CD, 1, 3));
      from += src2 << 1;
      to += 16;
    }
    copy_words(from, to, left, srcStep, 4, 4, 4, dstRow);
    src += 16;
    dst += dst2 << 1;
  }
  copy_words(src, dst, rows, 4, dstRow, n, srcStep, 4);
}

function copy_axes(at: usize, rank: i32, src: usize, dst: usize, run: i32): void {
  let axis = changetype<Axis>(at);
  if (rank > 2) {
    for (let left = axis.size; left > 0; --left) {
      copy_axes(at + offsetof<Axis>(), rank - 1, src, dst, run);
      src += axis.srcStep << 2;
      dst += axis.dstStep << 2;
    }
    return;
  }
  let rows = 1;
  let srcRow: usize = 0;
  let dstRow: usize = 0;
  if (rank === 2) {
    rows = axis.size;
    srcRow = axis.srcStep << 2;
    dstRow = axis.dstStep << 2;
    axis = changetype<Axis>(at + offsetof<Axis>());
  }
  let n = 1;
  let srcStep: usize = 0;
  let dstStep: usize = 0;
  if (rank > 0) {
    n = axis.size;
    srcStep = axis.srcStep << 2;
    dstStep = axis.dstStep << 2;
  }
  if (run === 1) {
    if (srcRow === 4 && dstStep === 4) transpose(src, dst, rows, dstRow, n, srcStep);
    else if (srcStep === 4 && dstRow === 4) transpose(src, dst, n, dstStep, rows, srcRow);
    else copy_words(src, dst, rows, srcRow, dstRow, n, srcStep, dstStep);
    return;
  }
  for (; rows > 0; --rows) {
    let from = src;
    let to = dst;
    for (let left = n; left > 0; --left) {
      copy_run(to, from, run);
      from += srcStep;
      to += dstStep;
    }
    src += srcRow;
    dst += dstRow;
  }
}

/**
 * Copies `run` words for each index of the axes: dst[i dstStep + j dstStep ...] = src[i srcStep + j srcStep ...]. Words stay as
 * they are, a NaN's too. src and dst do not overlap.
 */
export function copy_view(view: View): void {
  if (view.run > 0) copy_axes(changetype<usize>(view) + offsetof<View>(), view.rank, view.src, view.dst, view.run);
}
