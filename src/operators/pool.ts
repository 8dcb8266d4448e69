import { formatDims, product } from '../base/tensor.ts';
import { onnxKernels } from '../cells/kernels.ts';
import { REDUCE } from '../cells/walks.ts';
import { WINDOWS_BYTES, Windows } from '../cells/windows.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { Operator, OperatorNode } from './node.ts';
import {
  fieldsOf,
  type Images,
  imagesOf,
  NOT_ONE_OR_TWO,
  padsOf,
  reachOf,
  readWindows,
  sizesOf,
  type Two,
  type Window,
  type WindowSettings,
} from './windows.ts';

// Pooling of one or two spatial axes, and of all of them.

/** How windows lie along an axis, and where they end. */
interface Span {
  readonly before: number;
  readonly after: number;
  readonly positions: number;
}

function spanOf(
  node: OperatorNode,
  window: Window,
  dims: readonly number[],
  length: number,
  auto: WindowSettings['auto'],
  ceil: boolean,
): Span {
  const [before, after] = padsOf(window, length, auto);
  const steps = (length + before + after - reachOf(window) - 1) / window.stride;
  const positions = 1 + (ceil ? Math.ceil(steps) : Math.floor(steps));
  if (!(positions >= 0)) node.wrongShape('X', `at least ${reachOf(window) + 1} steps with their pads`, dims);
  // a window that would begin behind the elements is none
  const last = ceil && (positions - 1) * window.stride >= length + before ? 1 : 0;
  return { before, after, positions: positions - last };
}

/** An operator of the windows of each channel. */
function pooling(mean: boolean): Operator {
  return {
    inputs: [1, 1],
    outputs: [1, mean ? 1 : 2],
    takesTurned: true,
    limits: NOT_ONE_OR_TWO,
    prepare(node) {
      const kernel = node.ints('kernel_shape') ?? node.missing('kernel_shape');
      if (!kernel.every((size) => size >= 1 && size < 2 ** 31)) {
        node.wrongAttribute('kernel_shape', 'one or two sizes', kernel);
      }
      const { axes, windows, auto } = readWindows(node, kernel);
      for (const window of windows) {
        if (Math.max(window.before, window.after) < window.kernel) continue;
        node.wrongAttribute('pads', `less than kernel_shape ${formatDims(kernel)}`, node.ints('pads'));
      }
      const ceil = node.flag('ceil_mode');
      const counts = node.flag('count_include_pad');
      const byColumns = node.flag('storage_order');
      return ([a], plan) => {
        const x = node.outputs[1] ? plan.plain(node.float32('X', a!)) : node.float32('X', a!);
        if (x.dims.length !== axes + 2) node.wrongShape('X', `[batch, channels, ${sizesOf(axes)}]`, x.dims);
        const images = imagesOf(x);
        const spans = [images.height, images.width].map((length, i) =>
          spanOf(node, windows[i]!, x.dims, length, auto, ceil),
        );
        const sizes = spans.map(({ positions }) => positions).slice(2 - axes);
        const out = plan.make('float32', [images.batch, images.channels, ...sizes], node.path);
        if (out.count === 0) return [out, plan.make('int64', out.dims, node.path)];
        plan.spend(out.count * windows[0].kernel * windows[1].kernel, node.path);
        const largest = pool(plan, mean, images, windows, spans as unknown as Two<Span>, counts, out);
        if (!node.outputs[1]) return [largest];
        const places = plan.make('int64', out.dims, node.path);
        return [largest, findLargest(plan, images, windows, spans, byColumns, out, places)];
      };
    },
  };
}

function pool(
  plan: Builder,
  mean: boolean,
  images: Images,
  windows: Two<Window>,
  [row, column]: Two<Span>,
  counts: boolean,
  out: Value<Float32Array>,
): Value {
  const { value, batch, channels, isInOrder } = images;
  // where the elements of a channel lie together, each channel is an image of its own
  const own = isInOrder ? { batch, channels } : { batch: batch * channels, channels: 1 };
  const counted = {
    ...{ countedTop: row.before, countedBottom: row.after },
    ...{ countedLeft: column.before, countedRight: column.after },
  };
  plan.kernel([value], [out, plan.keep(WINDOWS_BYTES)], (x, to, struct) => {
    const fields = { x, out: to, rows: row.positions, columns: column.positions };
    const shape = fieldsOf(images, windows, [row.before, column.before]);
    Object.assign(new Windows(), shape, fields, own, counts ? counted : {}).write(struct);
    const { pool_f32 } = onnxKernels();
    return () => pool_f32(Number(mean), struct);
  });
  return isInOrder ? plan.turned(out) : out;
}

/** Finds the place of each largest number, the first of equal ones, among all numbers of x. */
function findLargest(
  plan: Builder,
  { value, height, width }: Images,
  [row, column]: Two<Window>,
  [rows, columns]: readonly Span[],
  byColumns: boolean,
  out: Value,
  places: Value<BigInt64Array>,
): Value {
  plan.step([value, out, places], () => () => {
    const [x, largest, to] = [value.data, out.data, places.data];
    const find = (start: number, top: number, left: number, wanted: number): number => {
      for (let i = 0, r = top; i < row.kernel; i++, r += row.dilation) {
        if (r < 0 || r >= height) continue;
        for (let j = 0, c = left; j < column.kernel; j++, c += column.dilation) {
          const found = Number(x[start + r * width + c]);
          const isIt = found === wanted || Object.is(found, wanted);
          if (c >= 0 && c < width && isIt) return start + (byColumns ? c * height + r : r * width + c);
        }
      }
      return 0;
    };
    for (let at = 0, start = 0; at < to.length; start += height * width) {
      for (let r = 0; r < rows!.positions; r++) {
        for (let c = 0; c < columns!.positions; c++, at++) {
          const [top, left] = [r * row.stride - rows!.before, c * column.stride - columns!.before];
          to[at] = BigInt(find(start, top, left, Number(largest[at])));
        }
      }
    }
  });
  return places;
}

/** An operator of all elements of a channel. */
function globalPooling(op: keyof typeof REDUCE): Operator {
  return {
    inputs: [1, 1],
    takesTurned: true,
    prepare:
      (node) =>
      ([a], plan) => {
        const x = node.float32('X', a!);
        if (x.dims.length < 3) node.wrongShape('X', '[batch, channels, size, ...]', x.dims);
        const [batch, channels, ...area] = x.dims as [number, number, ...number[]];
        const n = product(area);
        if (n === 0) node.wrongShape('X', 'elements', x.dims);
        const out = plan.make('float32', [batch, channels, ...area.map(() => 1)], node.path);
        plan.count(x.count, node.path);
        if (out.count === 0) return [out];
        const [outer, inner] = x.turned ? [batch, channels] : [batch * channels, 1];
        plan.kernel([x], [out], (from, to) => {
          const { reduce_f32 } = onnxKernels();
          return () => reduce_f32(REDUCE[op], from, to, outer, n, inner);
        });
        return [out];
      },
  };
}

export const maxPool = pooling(false);
export const averagePool = pooling(true);
export const globalMaxPool = globalPooling('max');
export const globalAveragePool = globalPooling('mean');

export const POOLS: readonly (readonly [string, Operator])[] = [
  ['MaxPool', maxPool],
  ['AveragePool', averagePool],
  ['GlobalMaxPool', globalMaxPool],
  ['GlobalAveragePool', globalAveragePool],
];
