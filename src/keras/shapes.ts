import { formatDims } from '../base/tensor.ts';
import type { Config, Shape } from './config.ts';
import { refuse } from './refuse.ts';

/** The most numbers of one sample that a layer may make: 256 MiB. */
const MAX_SAMPLE = 2 ** 26;

const KNOWN = 'a known dimension';

/** Shows a shape in a message: `[any, 5, 3]`. */
export function describeShape(shape: Shape): string {
  return formatDims(shape.map((size) => size ?? 'any'));
}

/** Checks that the rank of an input is one of `ranks`. */
export function checkRank(layer: string, shape: Shape, ...ranks: number[]): void {
  if (ranks.includes(shape.length)) return;
  const wanted = `${ranks.join(' or ')} dimensions`;
  refuse('wrong-shape', layer, `the input of ${layer}`, wanted, describeShape(shape));
}

/** Refuses two inputs whose shapes do not fit each other. */
export function refuseShapes(layer: string, wanted: string, a: Shape, b: Shape): never {
  const found = `${describeShape(a)} and ${describeShape(b)}`;
  return refuse('wrong-shape', layer, `the inputs of ${layer}`, wanted, found);
}

/** Gives the last dimension, which weights depend on. @throws ModelError if it is not known */
export function lastSize(layer: string, shape: Shape): number {
  const size = shape.at(-1);
  if (shape.length > 1 && typeof size === 'number') return size;
  return refuse('unknown-shape', layer, `the last axis of the input of ${layer}`, KNOWN, describeShape(shape));
}

/** Checks the size of an output, and returns its shape. */
export function checkOutput(layer: string, shape: Shape): Shape {
  const count = shape.slice(1).reduce((product: number, size) => product * (size ?? 1), 1);
  if (count > MAX_SAMPLE) {
    const reason = `${layer} makes ${count} numbers of one sample, more than the ${MAX_SAMPLE} that are supported`;
    refuse.because('too-large', layer, reason, MAX_SAMPLE, count);
  }
  return shape;
}

/** Reads an axis, which may count from the end. Refuses that of samples. */
export function readAxis(field: Config, rank: number): number {
  const given = field.integer(1 - rank, rank - 1);
  if (given === 0) field.refuse('unsupported', 'an axis within a sample');
  return given < 0 ? rank + given : given;
}

/** Reads axes, which may count from the end, as ascending indices; the last one by default. Refuses the axis of samples. */
export function readAxes(field: Config, rank: number): number[] {
  if (!field.given) return [rank - 1];
  const items = field.isArray ? field.items() : [field];
  const axes = items.map((item) => readAxis(item, rank));
  if (axes.length === 0 || new Set(axes).size < axes.length) field.refuse('wrong-value', 'axes that differ');
  return axes.sort((a, b) => a - b);
}

/** Gives the dimensions of an input on `axes`, which weights depend on. @throws ModelError if one is not known */
export function knownSizes(layer: string, shape: Shape, axes: readonly number[]): number[] {
  return axes.map((axis) => {
    const size = shape[axis];
    if (axis > 0 && typeof size === 'number') return size;
    return refuse('unknown-shape', layer, `axis ${axis} of the input of ${layer}`, KNOWN, describeShape(shape));
  });
}
