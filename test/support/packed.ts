import type { TensorLike } from '../../src/index.ts';

export function tensor(dims: number[], values: readonly number[]): TensorLike {
  return { data: new Float32Array(values), dims };
}

/** 1, 2, 3 ... */
export function counting(...dims: number[]): TensorLike {
  const count = dims.reduce((a, b) => a * b, 1);
  return tensor(
    dims,
    Array.from({ length: count }, (_, i) => i + 1),
  );
}

export function vectors(...sequences: number[][]): TensorLike[] {
  return sequences.map((values) => tensor([values.length], values));
}
