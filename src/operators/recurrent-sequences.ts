import { formatDims, sameDims } from '../base/tensor.ts';
import type { PaddedBatch } from '../cells/cells.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { OperatorNode } from './node.ts';
import { C0, checkDims, H0, LENGTHS, type Settings, X } from './recurrent-settings.ts';

// Sequences and first states of recurrent nodes.

/** Inputs of a node, checked. X is [T][batch][I], states are [D][batch][H]. */
export interface Sequences {
  readonly x: Value<Float32Array>;
  readonly T: number;
  readonly batch: number;
  readonly lengths: Value | undefined;
  readonly h0: Value<Float32Array> | undefined;
  readonly c0: Value<Float32Array> | undefined;
}

/** Whether all sequences are known to be T long. */
export function isPlain({ lengths, T }: Sequences): boolean {
  return !lengths || (lengths.known && lengths.data.every((length) => length === T));
}

/** Checks the inputs of a run. */
export function readSequences(
  node: OperatorNode,
  { H, D, batchFirst }: Settings,
  inputs: readonly (Value | undefined)[],
  I: number,
  plan: Builder,
): Sequences {
  let x = node.float32('X', inputs[X]!);
  if (x.dims.length !== 3 || x.dims[2] !== I) {
    node.wrongShape('X', batchFirst ? `[batch, T, ${I}]` : `[T, batch, ${I}]`, x.dims);
  }
  if (batchFirst) x = plan.permute(x, [1, 0, 2]);
  const [T, batch] = x.dims as [number, number];
  const state = (what: string, value: Value | undefined): Value<Float32Array> | undefined => {
    if (!value) return undefined;
    if (!batchFirst) return checkDims(node, what, value, [D, batch, H]);
    return plan.permute(checkDims(node, what, value, [batch, D, H]), [1, 0, 2]);
  };
  const lengths = inputs[LENGTHS];
  if (lengths) {
    if (lengths.type !== 'int32') node.wrongType('sequence_lens', 'int32', lengths.type);
    if (!sameDims(lengths.dims, [batch])) node.wrongShape('sequence_lens', formatDims([batch]), lengths.dims);
    if (lengths.known) readLengths(node, lengths, T);
  }
  return { x, T, batch, lengths, h0: state('initial_h', inputs[H0]), c0: state('initial_c', inputs[C0]) };
}

/** Copies a batch out of linear memory, which may grow while it runs. */
export function readBatch(node: OperatorNode, { x, T, batch, lengths, h0, c0 }: Sequences): PaddedBatch {
  return {
    x: x.data.slice(),
    T,
    batch,
    lengths: lengths && readLengths(node, lengths, T),
    h0: h0?.data.slice(),
    c0: c0?.data.slice(),
  };
}

/** undefined if all are T long */
function readLengths(node: OperatorNode, value: Value, T: number): readonly number[] | undefined {
  const lengths = Array.from(value.data as Int32Array);
  const wrong = lengths.find((length) => length < 0 || length > T);
  if (wrong !== undefined) {
    node.wrong('out-of-range', 'sequence_lens', `0 .. ${T}`, wrong);
  }
  return lengths.every((length) => length === T) ? undefined : lengths;
}
