import { and, or } from '../operators/logic.ts';
import type { Lower } from '../operators/node.ts';
import { concat } from '../operators/slices.ts';
import { elementwise, type KerasGraph, type Tensor } from './graph.ts';
import type { Dialect } from './plan.ts';

// The masks of layers with several inputs.

/**
 * Joins the masks of inputs that are computed with element by element. In Keras 3 a step counts that counts in any of them, all of
 * which have a mask then; before, one that counts in all that have a mask.
 */
export function joinMasks(graph: KerasGraph, inputs: readonly Tensor[], { keras3 }: Dialect): number | undefined {
  const masks = inputs.flatMap(({ mask }) => (mask === undefined ? [] : [mask]));
  if (masks.length === 0 || (keras3 && masks.length < inputs.length)) return undefined;
  return masks.reduce((a, b) => graph.node(keras3 ? or : and, [a, b]));
}

/** Joins the masks of inputs that lie one behind the other along an axis. */
export function masksBeside(
  graph: KerasGraph,
  inputs: readonly Tensor[],
  axis: number,
  dialect: Dialect,
): number | undefined {
  if (inputs.every(({ mask }) => mask === undefined)) return undefined;
  if (axis !== 1 || inputs[0]!.shape.length < 3) return joinMasks(graph, inputs, dialect);
  const masks = inputs.map(({ slot, mask }) => mask ?? graph.step([slot], unmasked(graph.path))[0]!);
  return graph.node(concat, masks, { axis: 1 });
}

/** The mask of an input without one. */
function unmasked(path: string): Lower {
  return ([x], plan) => {
    const out = plan.make('bool', x!.dims.slice(0, 2), path);
    plan.step([out], () => () => void out.data.fill(1));
    return [out];
  };
}

/** Gives numbers for a mask: `kept` for a step that counts, else `skipped`. */
export function maskNumbers(graph: KerasGraph, mask: number, kept: number, skipped: number): number {
  return graph.step(
    [mask],
    elementwise(graph.path, 'float32', (x) => (x ? kept : skipped)),
  )[0]!;
}
