import { product } from '../base/tensor.ts';
import { strides } from '../graph/layout.ts';
import { typeOf } from './cast.ts';
import { checkSizes } from './inputs.ts';
import type { Operator } from './node.ts';

// Operators that turn places into elements or elements into places, and those that make or keep triangles and diagonals.

const oneHot: Operator = {
  inputs: [3, 3],
  since: 9,
  prepare(node) {
    const given = node.int('axis', -1);
    return ([a, size, values], plan) => {
      const indices = a!;
      const pair = values!;
      node.numbers('indices', indices);
      if (pair.dims.length !== 1 || pair.count !== 2) node.wrongShape('values', '[2]', pair.dims);
      const depth = Math.trunc(Number(node.scalar('depth', size!, plan, 'int64', 'int32', 'float32')));
      if (!(depth > 0)) node.wrong('out-of-range', 'depth', 'more than 0', depth);
      checkSizes(node, 'depth', [depth]);
      const axis = node.axis(given, indices.dims.length + 1);
      const dims = indices.dims.toSpliced(axis, 0, depth);
      const out = plan.make(pair.type, dims, node.path);
      if (out.count === 0) return [out];
      const inner = product(dims.slice(axis + 1));
      plan.step([indices, pair, out], () => () => {
        const [off, on] = pair.data as Float32Array as unknown as [number, number];
        const list = indices.data;
        const to = out.data as Float32Array;
        to.fill(off);
        for (let i = 0; i < list.length; i++) {
          const index = Math.trunc(Number(list[i]));
          // an index beyond either end sets nothing
          if (!(index >= -depth && index < depth)) continue;
          const row = Math.floor(i / inner) * depth + (index < 0 ? index + depth : index);
          to[row * inner + (i % inner)] = on;
        }
      });
      return [out];
    };
  },
};

const nonZero: Operator = {
  inputs: [1, 1],
  since: 9,
  // asks for the elements where they lie: those of a reordered copy would not be there when planning goes on
  takesTurned: true,
  prepare:
    (node) =>
    ([a], plan) => {
      const value = plan.plain(plan.need(a!));
      // a scalar counts as a vector of one element
      const dims = value.dims.length ? value.dims : [1];
      const { data } = value;
      plan.count(data.length, node.path);
      let count = 0;
      for (let i = 0; i < data.length; i++) if (Number(data[i]) !== 0) count++;
      const out = plan.make('int64', [dims.length, count], node.path);
      const steps = strides(dims);
      plan.step([out], () => () => {
        const to = out.data;
        for (let i = 0, at = 0; i < data.length; i++) {
          if (Number(data[i]) === 0) continue;
          for (let axis = 0; axis < dims.length; axis++) {
            to[axis * count + at] = BigInt(Math.floor(i / steps[axis]!) % dims[axis]!);
          }
          at++;
        }
      });
      return [out];
    },
};

const trilu: Operator = {
  inputs: [1, 2],
  since: 14,
  prepare(node) {
    const upper = node.int('upper', 1) !== 0;
    return ([a, diagonal], plan) => {
      const value = a!;
      const { dims } = value;
      if (dims.length < 2) node.wrongShape('input', 'at least two axes', dims);
      const k = diagonal ? Number(node.scalar('k', diagonal, plan, 'int64')) : 0;
      const [rows, columns] = dims.slice(-2) as [number, number];
      const out = plan.make(value.type, dims, node.path);
      const zero = (value.type === 'int64' ? 0n : 0) as number;
      plan.step([value, out], () => () => {
        const from = value.data as Float32Array;
        const to = out.data as Float32Array;
        for (let at = 0; at < to.length; at++) {
          const offset = (at % columns) - (Math.floor(at / columns) % rows);
          to[at] = (upper ? offset >= k : offset <= k) ? from[at]! : zero;
        }
      });
      return [out];
    };
  },
};

const eyeLike: Operator = {
  inputs: [1, 1],
  since: 9,
  prepare(node) {
    const k = node.int('k', 0);
    const asked = node.has('dtype') ? typeOf(node, 'dtype') : undefined;
    return ([a], plan) => {
      const { dims, type } = a!;
      if (dims.length !== 2) node.wrongShape('input', 'two axes', dims);
      const [rows, columns] = dims as [number, number];
      const out = plan.make(asked ?? type, dims, node.path);
      plan.step([out], () => () => {
        const wide = out.type === 'int64';
        const to = out.data as Float32Array;
        to.fill((wide ? 0n : 0) as number);
        const last = Math.min(rows, columns - k);
        for (let i = Math.max(0, -k); i < last; i++) to[i * columns + i + k] = (wide ? 1n : 1) as number;
      });
      return [out];
    };
  },
};

export const MASKS: readonly (readonly [string, Operator])[] = [
  ['OneHot', oneHot],
  ['NonZero', nonZero],
  ['Trilu', trilu],
  ['EyeLike', eyeLike],
];
