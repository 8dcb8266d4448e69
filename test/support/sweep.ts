import { expect } from 'vitest';
import { uniforms } from './random.ts';

/** The same bits, but for a NaN's. */
export function same(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} of ${expected.length} floats`);
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(actual[i], expected[i])) throw new Error(`${what}[${i}] is ${actual[i]} and not ${expected[i]}`);
  }
}

export function near(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: (i: number) => number,
  what: string,
): void {
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!(error <= bound(i))) throw new Error(`${what}[${i}] is ${actual[i]}, ${error} from ${expected[i]}`);
  }
}

let next = uniforms(1);
/** Uniform in [0, 1), the same for each sweep. */
export const random = () => next();
export const numbers = (count: number, size = 1) => Array.from({ length: count }, () => (2 * random() - 1) * size);
export const upTo = (last: number, first = 1) => Array.from({ length: last + 1 - first }, (_, i) => first + i);

/** Every combination of the axes, named in the message if it fails. */
export function sweep<S extends Record<string, readonly unknown[]>>(
  axes: S,
  check: (shape: { [A in keyof S]: S[A][number] }) => void,
): void {
  next = uniforms(1);
  let shapes: Record<string, unknown>[] = [{}];
  for (const [axis, values] of Object.entries(axes)) {
    shapes = shapes.flatMap((shape) => values.map((value) => ({ ...shape, [axis]: value })));
  }
  for (const shape of shapes) {
    try {
      check(shape as { [A in keyof S]: S[A][number] });
    } catch (cause) {
      throw new Error(`${JSON.stringify(shape)}: ${(cause as Error).message}`, { cause });
    }
  }
  expect(shapes.length).toBeGreaterThan(1);
}
