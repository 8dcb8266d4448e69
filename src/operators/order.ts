import { product } from '../base/tensor.ts';
import { copyRun } from '../graph/copy.ts';
import { strides, walk } from '../graph/layout.ts';
import type { Operator } from './node.ts';
import { toNumbers } from './value.ts';

// Operators that go along one axis: its largest elements, sums up to each, the reverse.

type IsBefore = (i: number, j: number) => boolean;

/** Sinks list[at] in a heap of `count` numbers, the last of the order on top. */
function sink(list: Int32Array, at: number, count: number, isBefore: IsBefore): void {
  const moved = list[at]!;
  for (let child: number; ; at = child) {
    child = 2 * at + 1;
    if (child + 1 < count && isBefore(list[child]!, list[child + 1]!)) child++;
    if (child >= count || !isBefore(moved, list[child]!)) break;
    list[at] = list[child]!;
  }
  list[at] = moved;
}

/** Lists the first of the numbers below `length`, in order, as many as `list` has room for. */
function select(list: Int32Array, length: number, isBefore: IsBefore): void {
  const count = list.length;
  for (let i = 0; i < count; i++) list[i] = i;
  for (let i = count >> 1; i >= 0; i--) sink(list, i, count, isBefore);
  for (let i = count; i < length; i++) {
    if (!isBefore(i, list[0]!)) continue;
    list[0] = i;
    sink(list, 0, count, isBefore);
  }
  for (let end = count - 1; end > 0; end--) {
    const last = list[0]!;
    list[0] = list[end]!;
    list[end] = last;
    sink(list, 0, end, isBefore);
  }
}

/** Equal elements keep their order, and NaN counts as the largest. */
const topK: Operator = {
  inputs: [1, 2],
  outputs: [1, 2],
  prepare(node) {
    const given = node.int('axis', -1);
    const largest = node.opset < 11 || node.int('largest', 1) !== 0;
    // results are in order where they need not be too
    const fixed = node.opset < 10 ? (node.has('k') ? node.int('k', 0) : node.missing('attribute k')) : undefined;
    return ([a, b], plan) => {
      const value = a!;
      const { dims, type } = value;
      node.numbers('input', a!);
      const axis = node.axis(given, dims.length);
      const length = dims[axis]!;
      const k = fixed ?? Number(node.scalar('K', b ?? node.missing('K'), plan, 'int64'));
      if (!(k >= 0 && k <= length)) node.wrong('out-of-range', 'K', `0 to ${length}`, k);
      const kept = dims.with(axis, k);
      const out = plan.make(type, kept, node.path);
      const places = plan.make('int64', kept, node.path);
      if (out.count === 0) return [out, places];
      plan.count(value.count * (33 - Math.clz32(k)), node.path);
      const step = strides(dims)[axis]!;
      const outStep = strides(kept)[axis]!;
      plan.step([value, out, places], () => {
        const list = new Int32Array(k);
        return () => {
          const { data } = value;
          const to = out.data;
          const toPlaces = places.data;
          let start = 0;
          const isBefore = (i: number, j: number): boolean => {
            const x = data[start + i * step]!;
            const y = data[start + j * step]!;
            if (x > y) return largest;
            if (x < y) return !largest;
            const isOdd = Number.isNaN(x);
            return isOdd === Number.isNaN(y) ? i < j : isOdd === largest;
          };
          walk(dims.with(axis, 1), [strides(dims), strides(kept)], (from, at) => {
            start = from;
            select(list, length, isBefore);
            for (let i = 0; i < k; i++, at += outStep) {
              to[at] = data[start + list[i]! * step]!;
              toPlaces[at] = BigInt(list[i]!);
            }
          });
        };
      });
      return [out, places];
    };
  },
};

/** Sums of floats are kept in float64; each is rounded once. */
const cumSum: Operator = {
  inputs: [2, 2],
  since: 11,
  prepare(node) {
    const exclusive = node.flag('exclusive');
    const reverse = node.flag('reverse');
    return ([a, given], plan) => {
      const { dims, type, count } = a!;
      node.numbers('input', a!);
      const axis = node.axis(Number(node.scalar('axis', given!, plan, 'int64', 'int32')), dims.length);
      const out = plan.make(type, dims, node.path);
      plan.count(count, node.path);
      if (count === 0) return [out];
      const length = dims[axis]!;
      const steps = strides(dims);
      const step = reverse ? -steps[axis]! : steps[axis]!;
      const first = reverse ? (length - 1) * steps[axis]! : 0;
      const zero = (type === 'int64' ? 0n : 0) as number;
      plan.step([a, out], () => () => {
        const from = a!.data as Float32Array;
        const to = out.data as Float32Array;
        walk(dims.with(axis, 1), [steps], (start) => {
          let sum = zero;
          for (let i = 0, at = start + first; i < length; i++, at += step) {
            const x = from[at]!;
            to[at] = exclusive ? sum : sum + x;
            sum += x;
          }
        });
      });
      return [out];
    };
  },
};

const reverseSequence: Operator = {
  inputs: [2, 2],
  since: 10,
  prepare(node) {
    const timeAxis = node.int('time_axis', 0);
    const batchAxis = node.int('batch_axis', 1);
    if (![0, 1].includes(timeAxis) || batchAxis !== 1 - timeAxis) {
      node.wrongAttribute('time_axis and batch_axis', '0 and 1, or 1 and 0', `${timeAxis} and ${batchAxis}`);
    }
    return ([a, b], plan) => {
      const value = a!;
      const lengths = b!;
      const { dims } = value;
      if (dims.length < 2) node.wrongShape('input', 'at least two axes', dims);
      if (lengths.type !== 'int64') node.wrongType('sequence_lens', 'int64', lengths.type);
      const batch = dims[batchAxis]!;
      const T = dims[timeAxis]!;
      if (lengths.dims.length !== 1 || lengths.count !== batch) {
        node.wrongShape('sequence_lens', `[${batch}]`, lengths.dims);
      }
      const out = plan.make(value.type, dims, node.path);
      if (out.count === 0) return [out];
      const inner = product(dims.slice(2));
      const [tStep, bStep] = timeAxis === 0 ? [batch * inner, inner] : [inner, T * inner];
      plan.step([value, lengths, out], () => () => {
        const from = value.data;
        const to = out.data;
        for (const [n, length] of toNumbers(lengths).entries()) {
          if (!(length >= 0 && length <= T)) node.wrong('out-of-range', 'sequence_lens', `0 to ${T}`, length);
          for (let t = 0; t < T; t++) {
            const source = t < length ? length - 1 - t : t;
            copyRun(from, source * tStep + n * bStep, inner, to, t * tStep + n * bStep);
          }
        }
      });
      return [out];
    };
  },
};

export const ORDERS: readonly (readonly [string, Operator])[] = [
  ['TopK', topK],
  ['CumSum', cumSum],
  ['ReverseSequence', reverseSequence],
];
