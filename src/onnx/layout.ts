import { product, sameDims } from '../base/tensor.ts';
import { newData, type RunValue, type ValueData } from './value.ts';

// Places of elements: tensors are row-major, the last axis moves fastest.

/** For each axis, how far apart its neighbouring elements are. */
export function strides(dims: readonly number[]): number[] {
  const steps: number[] = new Array(dims.length);
  for (let i = dims.length - 1, step = 1; i >= 0; step *= dims[i]!, i--) steps[i] = step;
  return steps;
}

/**
 * Copies a view of `data` into `out` in row-major order: element [i, j, ...] of `dims` lies at
 * start + i steps[0] + j steps[1] + ...
 */
export function copyView(
  data: ValueData,
  start: number,
  dims: readonly number[],
  steps: readonly number[],
  out: ValueData,
): void {
  if (out.length === 0) return;
  // the inner axes whose elements lie next to each other in both are copied in one run
  let rank = dims.length;
  let run = 1;
  while (rank > 0 && (steps[rank - 1] === run || dims[rank - 1] === 1)) run *= dims[--rank]!;
  const inner = rank > 0 ? dims[rank - 1]! : 1;
  const step = rank > 0 ? steps[rank - 1]! : 0;
  let at = 0;
  walk(dims.slice(0, Math.max(0, rank - 1)), [steps], (from) => {
    let source = start + from!;
    for (let i = 0; i < inner; i++, source += step, at += run) {
      copyRun(data, source, run, out, at);
    }
  });
}

/** out[at + k] = data[from + k]. A loop for few elements: making a view for set() costs more. */
export function copyRun(data: ValueData, from: number, count: number, out: ValueData, at: number): void {
  if (count < 8) for (let k = 0; k < count; k++) out[at + k] = data[from + k]!;
  else (out as Float32Array).set(data.subarray(from, from + count) as Float32Array, at);
}

/** Calls `visit` for each index of `dims`, in row-major order, with its offset by each list of steps. */
export function walk(
  dims: readonly number[],
  [a, b = [], c = []]: readonly (readonly number[])[],
  visit: (a: number, b: number, c: number) => void,
): void {
  const count = product(dims);
  const index = new Array<number>(dims.length).fill(0);
  let x = 0;
  let y = 0;
  let z = 0;
  for (let n = 0; n < count; n++) {
    visit(x, y, z);
    for (let i = dims.length - 1; i >= 0; i--) {
      x += a![i] ?? 0;
      y += b[i] ?? 0;
      z += c[i] ?? 0;
      index[i]!++;
      if (index[i]! < dims[i]!) break;
      index[i] = 0;
      x -= (a![i] ?? 0) * dims[i]!;
      y -= (b[i] ?? 0) * dims[i]!;
      z -= (c[i] ?? 0) * dims[i]!;
    }
  }
}

/** Reorders the axes of a value: axis i of the result is axis order[i]. Shares the data if no element moves. */
export function permute<V extends RunValue>(value: V, order: readonly number[]): V {
  const dims = order.map((axis) => value.dims[axis]!);
  const long = order.filter((axis) => value.dims[axis]! !== 1);
  if (long.every((axis, i) => i === 0 || axis > long[i - 1]!)) return { ...value, dims };
  const from = strides(value.dims);
  const data = newData(value.type, value.data.length);
  copyView(
    value.data,
    0,
    dims,
    order.map((axis) => from[axis]!),
    data,
  );
  return { ...value, dims, data };
}

/** The dims that both stretch to by numpy's rules of broadcasting; undefined if they do not fit. */
export function broadcastDims(a: readonly number[], b: readonly number[]): readonly number[] | undefined {
  if (sameDims(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const dims: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    dims.push(x === 1 ? y : x);
  }
  return dims;
}

/** Steps that read a value of dims `from` as if it had dims `to`: 0 along axes that are stretched. */
export function stretchedSteps(from: readonly number[], to: readonly number[]): number[] {
  const steps = strides(from);
  const missing = to.length - from.length;
  return to.map((_, i) => (i < missing || from[i - missing] === 1 ? 0 : steps[i - missing]!));
}
