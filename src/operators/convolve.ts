import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import { STEP } from './costs.ts';
import { multiply } from './matrix.ts';
import type { Matrix, PackedMatrix } from './packed-matrix.ts';
import type { Images, Two, Window } from './windows.ts';

// Convolutions as products. The channels of a point lie side by side, and so do those of the result. For each row of results, the
// rows of the input that its windows see are laid out as [column][row of a window][C]: a window is one run of floats then, and windows
// are rows of a product that overlap. Windows with gaps and groups are laid out one by one.

/** The most floats that are laid out at once. */
const BLOCK_FLOATS = 1 << 16;

/** A convolution whose sizes are known to fit. */
export interface Convolution {
  readonly images: Images;
  readonly windows: Two<Window>;
  /** Zeros above and left of images */
  readonly before: Two;
  /** How many windows there are */
  readonly rows: number;
  readonly columns: number;
  readonly out: Value<Float32Array>;
  readonly M: number;
  readonly group: number;
}

/** Some rows and columns of windows, of some images. */
interface Block {
  readonly image: number;
  readonly images: number;
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

/** Adds the steps of a convolution; `out` is written with the channels of a point side by side. */
export function convolveImages(
  plan: Builder,
  path: string,
  conv: Convolution,
  matrixOfGroup: (g: number) => Matrix | PackedMatrix,
  bias: Value<Float32Array> | undefined,
): void {
  const { images, windows, rows, columns, group, out, M } = conv;
  const [row, column] = windows;
  const C = images.channels / group;
  const overlaps = column.dilation === 1 && group === 1;
  if (overlaps && isLaidOut(conv)) {
    const { batch, height, width } = images;
    const starts: number[] = [];
    for (let b = 0; b < batch; b++) {
      for (let r = 0; r < rows; r++) starts.push((b * height + r * row.stride) * width * C);
    }
    multiplyRows(plan, images.value, starts, column.stride * C, columns, matrixOfGroup(0), bias, 0, out, 0);
    return;
  }
  // the columns of a row of windows, each with the rows of a window
  const wide = overlaps ? (columns - 1) * column.stride + column.kernel : columns;
  const depth = (overlaps ? 1 : column.kernel) * row.kernel * C;
  const laid: Two<Window> = overlaps ? [row, { ...column, kernel: 1, stride: 1 }] : windows;
  const blocks = blocksOf(images.batch, rows, wide, depth, overlaps);
  plan.count(STEP * group * blocks.count * (laid[0].kernel * laid[1].kernel + 3), path);
  if (overlaps) plan.limits.make('float32', [images.batch, rows, wide, depth], path);
  const K = depth * (overlaps ? column.kernel : 1);
  for (const block of blocks.list()) {
    for (let g = 0; g < group; g++) {
      const buffer = plan.scratch(block.images * block.rows * block.columns * depth);
      layOut(plan, conv, laid, block, g * C, C, buffer);
      const matrix = matrixOfGroup(g);
      const pitch = block.columns * depth;
      const starts = Array.from({ length: block.images * block.rows }, (_, i) => i * pitch);
      const count = overlaps ? columns : block.columns;
      const stride = overlaps ? column.stride * depth : K;
      const first = (block.image * rows + block.row) * columns + block.column;
      if (group === 1) {
        multiplyRows(plan, buffer, starts, stride, count, matrix, bias, 0, out, first * M);
        continue;
      }
      const { N } = matrix;
      const points = starts.length * count;
      const sums = plan.scratch(points * N);
      multiplyRows(plan, buffer, starts, stride, count, matrix, bias, g * N, sums, 0);
      plan.copy(sums, 0, [N, 1], out, [points, N], first * M + g * N, [M, 1]);
    }
  }
}

/** Whether windows of one row are runs of the images as they are. */
function isLaidOut({ images, windows: [row, column], before, rows, columns }: Convolution): boolean {
  const [top, left] = before;
  const fits = (rows - 1) * row.stride < images.height;
  const fit = (columns - 1) * column.stride + column.kernel <= images.width;
  return images.isInOrder && row.kernel === 1 && top === 0 && left === 0 && fits && fit;
}

/** Divides rows of windows into blocks: of whole images, of whole rows, or where windows lie apart and are many, of parts of a row. */
export function blocksOf(
  batch: number,
  rows: number,
  columns: number,
  depth: number,
  whole: boolean,
): { count: number; list(): Iterable<Block> } {
  const most = (floats: number, limit: number) =>
    Math.max(1, Math.min(limit, Math.floor(BLOCK_FLOATS / Math.max(1, floats))));
  const perColumn = whole ? columns : most(depth, columns);
  const perRow = perColumn < columns ? 1 : most(columns * depth, rows);
  const perImage = perRow < rows ? 1 : most(rows * columns * depth, batch);
  const count = Math.ceil(batch / perImage) * Math.ceil(rows / perRow) * Math.ceil(columns / perColumn);
  function* list(): Iterable<Block> {
    for (let image = 0; image < batch; image += perImage) {
      for (let row = 0; row < rows; row += perRow) {
        for (let column = 0; column < columns; column += perColumn) {
          const sizes = [batch - image, rows - row, columns - column] as const;
          const [images, some, part] = [perImage, perRow, perColumn].map((size, i) => Math.min(size, sizes[i]!));
          yield { image, images: images!, row, rows: some!, column, columns: part! };
        }
      }
    }
  }
  return { count, list };
}

/** The positions from `first` on whose place i stride + offset lies in an axis of a length. */
function inside(first: number, count: number, stride: number, offset: number, length: number): Two {
  const from = Math.max(first, Math.ceil(-offset / stride));
  const end = Math.min(first + count, Math.floor((length - 1 - offset) / stride) + 1);
  return [from, Math.max(from, end)];
}

/** Lays out the windows of a block as [image][row][column][column of a window][row of a window][C]. */
function layOut(
  plan: Builder,
  { images, before: [top, left] }: Convolution,
  [row, column]: Two<Window>,
  block: Block,
  channel: number,
  C: number,
  buffer: Value<Float32Array>,
): void {
  const { value, height, width, steps } = images;
  const [imageStep, channelStep, rowStep, columnStep] = steps;
  const depth = column.kernel * row.kernel * C;
  const rowPitch = block.columns * depth;
  const toSteps = [block.rows * rowPitch, rowPitch, depth, 1];
  const across = (k: number): Two => inside(block.row, block.rows, row.stride, k * row.dilation - top, height);
  const along = (j: number): Two =>
    inside(block.column, block.columns, column.stride, j * column.dilation - left, width);
  const isFull = ([from, end]: Two, count: number) => end - from === count;
  const ends = [across(0), across(row.kernel - 1)].every((span) => isFull(span, block.rows));
  const sides = [along(0), along(column.kernel - 1)].every((span) => isFull(span, block.columns));
  if (!ends || !sides) plan.step([buffer], () => () => void buffer.data.fill(0));
  for (let j = 0; j < column.kernel; j++) {
    const [left0, right] = along(j);
    for (let k = 0; k < row.kernel; k++) {
      const [top0, bottom] = across(k);
      const y = top0 * row.stride + k * row.dilation - top;
      const x = left0 * column.stride + j * column.dilation - left;
      const start = block.image * imageStep + channel * channelStep + y * rowStep + x * columnStep;
      const from = [imageStep, row.stride * rowStep, column.stride * columnStep, channelStep];
      const at = (top0 - block.row) * rowPitch + (left0 - block.column) * depth + (j * row.kernel + k) * C;
      plan.copy(value, start, from, buffer, [block.images, bottom - top0, right - left0, C], at, toSteps);
    }
  }
}

/** Multiplies rows of windows: those of row i begin at starts[i], `stride` floats apart; out [starts][count][N] from `at` on. */
function multiplyRows(
  plan: Builder,
  value: Value<Float32Array>,
  starts: readonly number[],
  stride: number,
  count: number,
  matrix: Matrix | PackedMatrix,
  bias: Value<Float32Array> | undefined,
  biasStart: number,
  out: Value<Float32Array>,
  at: number,
): void {
  // where the windows of a row follow those of the row before it, all are one product
  const isOne = starts.every((start, i) => start === starts[0]! + i * count * stride);
  const rows = { value, stride, count: isOne ? starts.length * count : count };
  const places = (isOne ? starts.slice(0, 1) : starts).map((x, i) => ({
    x,
    matrix: 0,
    out: at + i * count * matrix.N,
  }));
  multiply(plan, rows, matrix, bias, biasStart, out, places);
}
