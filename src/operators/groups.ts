import { copyElements } from '../graph/copy.ts';
import { strides } from '../graph/layout.ts';
import { Value } from '../graph/value.ts';
import { FLOAT32 } from '../memory/abi.ts';
import type { OperatorNode } from './node.ts';
import { isWorthPacking, type Matrix, PackedMatrix, packedBytes } from './packed-matrix.ts';

// The groups of channels of Conv and ConvTranspose.

/** Weights in the order of a kernel, and the matrices of their groups. Groups may be many: no list is made. */
export interface Grouping {
  readonly group: number;
  /** The dims in which weights lie, and how far apart neighbours are in the file */
  readonly dims: readonly number[];
  readonly steps: readonly number[];
  readonly matrixOf: (value: Value<Float32Array>, group: number, g: number) => Matrix;
}

/** Reads into how many groups channels are divided. */
export function readGroup(node: OperatorNode, channels: number): number {
  const group = node.int('group', 1);
  // 0 has every divisor: without channels a group of 1 is left
  if (!(group > 0 && group <= Math.max(1, channels)) || channels % group !== 0) {
    node.wrongAttribute(`group of ${channels} channels`, 'a divisor', group);
  }
  return group;
}

export function checkBias(node: OperatorNode, bias: Value | undefined, channels: number): void {
  if (bias && (bias.dims.length !== 1 || bias.dims[0] !== channels)) node.wrongShape('B', `[${channels}]`, bias.dims);
}

/** A class of its own: a closure would keep the weights that were packed. */
class PackedGroups {
  readonly matrices: readonly PackedMatrix[];

  constructor(matrices: readonly PackedMatrix[]) {
    this.matrices = matrices;
  }

  dispose(): void {
    for (const matrix of this.matrices) matrix.dispose();
  }
}

/** Packs constant weights, unless the groups are many or narrow: each takes a block of memory. */
export function packGroups(
  node: OperatorNode,
  weight: Value<Float32Array>,
  { group, dims, steps, matrixOf }: Grouping,
): readonly PackedMatrix[] | undefined {
  const sample = matrixOf(weight.withDims(dims), group, 0);
  if (group > 64 || !isWorthPacking(sample)) return undefined;
  const { form, opType } = node;
  const packed = node.pack([1], `${group} groups of ${opType}`, group * packedBytes(sample, form), () => {
    if (form !== FLOAT32) node.checkFinite('W', weight);
    const data = new Float32Array(weight.count);
    copyElements(weight.data, 0, steps, data, 0, strides(dims), dims);
    const value = Value.of('float32', dims, data);
    return new PackedGroups(Array.from({ length: group }, (_, g) => new PackedMatrix(matrixOf(value, group, g), form)));
  });
  return packed?.matrices;
}
