import { onnxKernels } from '../../src/cells/kernels.ts';
import { allocate } from '../../src/memory/arena.ts';

export const kernels = onnxKernels();

/** Room for the struct of one call. */
export const struct = allocate(1024);

/** Row-major steps of `dims`, with gaps behind each row of the last axis. */
export function stepsOf(dims: readonly number[], gap = 0): number[] {
  const steps: number[] = [];
  let step = 1;
  for (let i = dims.length - 1; i >= 0; i--) {
    steps.unshift(step);
    step *= i === dims.length - 1 ? dims[i]! + gap : dims[i]!;
  }
  return steps;
}

/** The place of each index of `dims`, in row-major order. */
export function placesOf(dims: readonly number[], steps: readonly number[], start = 0): number[] {
  return dims.reduce(
    (places, size, axis) => places.flatMap((place) => Array.from({ length: size }, (_, i) => place + i * steps[axis]!)),
    [start],
  );
}

export function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

/** Floats that operators treat apart. */
export const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  -2.5,
  3,
  NaN,
  Infinity,
  -Infinity,
  1e-40,
  -1e-40,
  3.4e38,
  -3.4e38,
  88.5,
  -104,
];

/** Every pair of numbers. */
export const paired = (values: readonly number[]): [number, number][] =>
  values.flatMap((x) => values.map((y) => [x, y] as [number, number]));
