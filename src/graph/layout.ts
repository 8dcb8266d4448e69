import { product, sameDims } from '../base/tensor.ts';

// Places of elements: tensors are row-major, the last axis moves fastest.

/** For each axis, how far apart its neighbouring elements are. */
export function strides(dims: readonly number[]): number[] {
  const steps: number[] = new Array(dims.length);
  for (let i = dims.length - 1, step = 1; i >= 0; step *= dims[i]!, i--) steps[i] = step;
  return steps;
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

/** The dims of a value whose axis i is axis order[i] of another, and whether no element moves: only axes of size 1 do. */
export function permuted(dims: readonly number[], order: readonly number[]): { dims: number[]; isView: boolean } {
  const long = order.filter((axis) => dims[axis]! !== 1);
  return {
    dims: order.map((axis) => dims[axis]!),
    isView: long.every((axis, i) => i === 0 || axis > long[i - 1]!),
  };
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
export function stretchedSteps(
  from: readonly number[],
  to: readonly number[],
  steps: readonly number[] = strides(from),
): number[] {
  const missing = to.length - from.length;
  return to.map((_, i) => (i < missing || from[i - missing] === 1 ? 0 : steps[i - missing]!));
}
