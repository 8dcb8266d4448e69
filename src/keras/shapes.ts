import { formatDims } from '../tensor.ts';
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

/** The last axis, by its index or counted from the end, alone or in an array of one; any other is not supported. */
export function isLastAxis(axis: Config, rank: number): boolean {
  if (!axis.given) return true;
  const value = axis.isArray && axis.items().length === 1 ? axis.items()[0]!.value : axis.value;
  return value === -1 || value === rank - 1;
}
