import type { Builder } from '../graph/builder.ts';
import { layerTrace } from '../nn/trace.ts';
import type { OperatorNode } from './node.ts';

/** The values of a direction: i, f, g, o, c and h. */
const VALUES = 6;

/**
 * Counts the work of tracing a node.
 * @param sizes T, batch, H and the number of directions
 * @returns takes its values [T][batch][H] of each direction; none if there is no step. undefined if nobody wants them
 */
export function traceNode(
  plan: Builder,
  node: OperatorNode,
  [T, batch, H, D]: readonly [number, number, number, number],
): ((values: readonly Float32Array[]) => void) | undefined {
  const { watch, turn } = plan;
  if (!watch) return undefined;
  plan.count(VALUES * D * T * batch * H, node.path);
  const name = node.name + turn;
  return (values) => {
    const all = Array.from({ length: VALUES * D }, (_, k) => ({
      data: values[k] ?? new Float32Array(T * batch * H),
      dims: [T, batch, H],
    }));
    watch.add(name, layerTrace(all));
  };
}
