import { sameDims } from '../base/tensor.ts';
import type { Builder } from '../graph/builder.ts';
import { strides } from '../graph/layout.ts';
import type { Repeat } from '../graph/repeat.ts';
import type { ValueType } from '../graph/types.ts';
import type { Value } from '../graph/value.ts';
import type { OperatorNode } from './node.ts';

// Loop and Scan: each iteration is planned, with the number of the iteration and what depends on it known.

/** The slots of the graph of a node. */
export interface Body {
  /** Slots of its inputs. */
  readonly slots: readonly number[];
  /** Its outputs as the file declares them. */
  readonly outputs: readonly { readonly type: ValueType; readonly dims: readonly number[] }[];
}

/** How often a Loop runs: as long as its condition holds where the count is left out. */
function tripCount(node: OperatorNode, count: Value | undefined, builder: Builder): number {
  return count ? Number(node.scalar('trip count', count, builder, 'int64', 'int32')) : Number.POSITIVE_INFINITY;
}

/** Reads a node. @param inputs how many it has */
export function readRepeat(node: OperatorNode, inputs: number, { slots, outputs }: Body): Repeat {
  const isCounted = node.opType === 'Loop';
  const scanned = isCounted ? 0 : node.int('num_scan_inputs', 0);
  const states = inputs - (isCounted ? 2 : scanned);
  const first = isCounted ? 1 : 0;
  const stacked = outputs.length - first - states;
  const fits =
    states >= 0 && stacked >= 0 && (isCounted || scanned > 0) && slots.length === 2 * first + states + scanned;
  if (!fits || node.outputs.length > states + stacked) {
    const found = `${slots.length} and ${outputs.length}`;
    node.wrong('malformed', 'inputs and outputs of the body', `those of ${inputs} inputs`, found);
  }
  const list = (name: string, count: number): number[] => {
    const values = node.ints(name) ?? Array(count).fill(0);
    return values.length === count ? values : node.wrongAttribute(name, `${count} integers`, values);
  };
  const [axes, directions] = [list('scan_input_axes', scanned), list('scan_input_directions', scanned)];
  // the outputs of a Loop are stacked along a new first axis
  const [toAxes, toDirections] = ['scan_output_axes', 'scan_output_directions'].map((name) =>
    isCounted ? Array(stacked).fill(0) : list(name, stacked),
  ) as [number[], number[]];
  const lengthOf = (x: Value, k: number) => x.dims[node.axis(axes[k]!, x.dims.length)]!;
  const { path } = node;
  return {
    ...{ slots, isCounted, states, stacked, path },
    count(given, builder) {
      if (isCounted) return tripCount(node, given[0], builder);
      const [length, ...others] = axes.map((_, k) => lengthOf(given[states + k]!, k));
      const wrong = others.find((other) => other !== length);
      if (wrong !== undefined) node.wrong('wrong-shape', 'lengths of scanned inputs', length, wrong);
      return length!;
    },
    slice(given, k, iteration, builder) {
      const x = given[states + k]!;
      builder.begin([x], path);
      const value = builder.plain(x);
      const axis = node.axis(axes[k]!, x.dims.length);
      const at = directions[k] ? lengthOf(x, k) - 1 - iteration : iteration;
      const steps = strides(x.dims);
      const dims = x.dims.toSpliced(axis, 1);
      if (axis === 0) return value.part(at * steps[0]!, dims);
      const out = builder.make(x.type, dims, path);
      builder.copy(value, at * steps[axis]!, steps.toSpliced(axis, 1), out);
      return out;
    },
    stack(k, values, builder) {
      const { type, dims } = values[0] ?? outputs[first + states + k]!;
      const given = toAxes[k]!;
      const axis = node.axis(given, dims.length + 1);
      const out = builder.make(type, dims.toSpliced(axis, 0, values.length), path);
      const steps = strides(out.dims);
      for (const [i, value] of values.entries()) {
        if (!sameDims(value.dims, dims)) node.wrongShape('outputs to stack', `[${dims}]`, value.dims);
        if (value.type !== type) node.wrongType('outputs to stack', type, value.type);
        const at = toDirections[k] ? values.length - 1 - i : i;
        builder.copy(builder.plain(value), 0, strides(dims), out, dims, at * steps[axis]!, steps.toSpliced(axis, 1));
      }
      return out;
    },
  };
}
