import { formatDims } from '../base/tensor.ts';
import type { Config, Shape } from './config.ts';
import { refuse } from './refuse.ts';

/** Numbers of one sample that a layer may make: 256 MiB. */
const MAX_SAMPLE = 2 ** 26;

export function describeShape(shape: Shape): string {
  return formatDims(shape.map((size) => size ?? 'any'));
}

/** Refuses an input of another rank. */
export function checkRank(layer: string, shape: Shape, ...ranks: number[]): void {
  if (ranks.includes(shape.length)) return;
  const wanted = `${ranks.join(' or ')} dimensions`;
  const found = describeShape(shape);
  refuse('wrong-shape', layer, `${layer} expected an input of ${wanted}, got ${found}`, wanted, found);
}

/** The last dimension, which weights depend on. */
export function lastSize(layer: string, shape: Shape): number {
  const size = shape.at(-1);
  if (shape.length > 1 && typeof size === 'number') return size;
  const found = describeShape(shape);
  const text = `${layer} expected an input whose last dimension is known, got ${found}`;
  return refuse('unknown-shape', layer, text, 'a known dimension', found);
}

/** An output of a size that can be made. */
export function checkOutput(layer: string, shape: Shape): Shape {
  const count = shape.slice(1).reduce((product: number, size) => product * (size ?? 1), 1);
  if (count > MAX_SAMPLE) {
    const text = `${layer} makes ${count} numbers of one sample, ${MAX_SAMPLE} at the most are supported`;
    refuse('too-large', layer, text, MAX_SAMPLE, count);
  }
  return shape;
}

/** Axes by their indices or counted from the end, in ascending order; the last one if there are none. No axis of samples. */
export function readAxes(field: Config, rank: number): number[] {
  if (!field.given) return [rank - 1];
  const items = field.isArray ? field.items() : [field];
  const axes = items.map((item) => {
    const axis = item.integer(1 - rank, rank - 1);
    if (axis === 0) item.refuse('unsupported', 'an axis within a sample');
    return axis < 0 ? rank + axis : axis;
  });
  if (axes.length === 0 || new Set(axes).size < axes.length) field.refuse('wrong-value', 'axes that differ');
  return axes.sort((a, b) => a - b);
}

/** Dimensions of an input, which weights depend on. */
export function knownSizes(layer: string, shape: Shape, axes: readonly number[]): number[] {
  return axes.map((axis) => {
    const size = shape[axis];
    if (axis > 0 && typeof size === 'number') return size;
    const found = describeShape(shape);
    const text = `${layer} expected an input whose dimension ${axis} is known, got ${found}`;
    return refuse('unknown-shape', layer, text, 'a known dimension', found);
  });
}
