import type { TensorLike } from '../../src/index.ts';
import { uniforms } from './random.ts';

/** An argument that the types forbid. */
export type Any = any;

export const count = (dims: readonly number[]) => dims.reduce((product, size) => product * size, 1);

/** Numbers between -1 and 1 that look random. */
export function values(count: number, seed = 0): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (((i + seed) * 7919 + 13) % 2003) / 1001.5 - 1);
}

export function tensor(...dims: number[]): TensorLike {
  return { data: values(count(dims)), dims };
}

export function zeros(...dims: number[]): TensorLike {
  return { data: new Float32Array(count(dims)), dims };
}

const SPECIALS = [NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-39, 3e38, -3e38, 90, -90];

/** Numbers in ±2; one of `specials` is in so many what a microphone never gives. */
export function unusual(count: number, random: () => number, specials = 0): Float32Array {
  return Float32Array.from({ length: count }, () =>
    random() < specials ? SPECIALS[Math.floor(random() * SPECIALS.length)]! : 4 * random() - 2,
  );
}

/** A tensor of numbers in ±2; with `specials` one in fifty is none that a microphone gives. */
export function randomTensor(dims: number[], seed: number, specials = false): TensorLike {
  return { data: unusual(count(dims), uniforms(seed), specials ? 0.02 : 0), dims };
}

/** '5x3x20' for dims, several with blanks between. */
export const shapes = (...tensors: { readonly dims: readonly number[] }[]) =>
  tensors.map(({ dims }) => dims.join('x')).join(' ');
export const dimsOf = (shape: string) => shape.split('x').map(Number);
