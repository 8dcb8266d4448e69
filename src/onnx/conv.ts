import { describe } from '../base/tensor.ts';
import { onnxKernels } from '../cells/kernels.ts';
import { Depthwise } from '../cells/walks.ts';
import type { Builder } from '../graph/builder.ts';
import { copyElements } from '../graph/copy.ts';
import { strides } from '../graph/layout.ts';
import { Value } from '../graph/value.ts';
import { FLOAT32 } from '../memory/abi.ts';
import { CALL, STEP } from './costs.ts';
import { multiply } from './matrix.ts';
import type { Operator, OperatorNode } from './node.ts';
import { isWorthPacking, type Matrix, PackedMatrix, packedBytes } from './packed-matrix.ts';

// Conv of one spatial axis.

/** The attributes of a Conv of one spatial axis. */
interface ConvSettings {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly group: number;
  /** Zeros before and after an input of a length. */
  readonly pads: (length: number) => readonly [number, number];
}

export const conv: Operator = {
  inputs: [2, 3],
  takesTurned: true,
  limits: 'more or less than one spatial axis',
  prepare(node) {
    const weight = node.constants[1];
    const settings = weight && readConv(node, weight.dims);
    const fixed = weight && fixGroups(node, node.float32('W', weight), settings!);
    const dims = weight?.dims;
    return ([x, w, b], plan) => {
      const wDims = dims ?? w!.dims;
      const used = settings ?? readConv(node, wDims);
      const weights = fixed ?? plan.plain(node.float32('W', w!));
      return [convolve(node, node.float32('X', x!), wDims, weights, used, b && node.float32('B', b), plan)];
    };
  },
};

const AUTO_PADS = ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'];

function readConv(node: OperatorNode, dims: readonly number[]): ConvSettings {
  if (dims.length !== 3) node.wrongShape('W', '[M, C / group, kernel] for one spatial axis', dims);
  const one = (name: string, least: number): number => {
    const [value = 1, ...more] = node.ints(name) ?? [];
    if (more.length || !(value >= least && value < 2 ** 31)) {
      node.wrongAttribute(name, 'one size', value);
    }
    return value;
  };
  const kernel = dims[2]!;
  if (kernel === 0) node.wrongShape('W', 'a kernel', dims);
  if (node.has('kernel_shape') && one('kernel_shape', 1) !== kernel) {
    node.wrongAttribute('kernel_shape', kernel, node.ints('kernel_shape'));
  }
  const stride = one('strides', 1);
  const dilation = one('dilations', 1);
  const group = node.int('group', 1);
  // 0 has every divisor: without channels a group of 1 is left
  if (!(group > 0 && group <= Math.max(1, dims[0]!)) || dims[0]! % group !== 0) {
    node.wrongAttribute(`group of ${dims[0]} channels`, 'a divisor', group);
  }
  const auto = node.string('auto_pad', 'NOTSET');
  const [before = 0, after = 0, ...more] = node.ints('pads') ?? [];
  if (more.length || !(before >= 0 && after >= 0 && before < 2 ** 31 && after < 2 ** 31)) {
    node.wrongAttribute('pads', 'two sizes', node.ints('pads'));
  }
  if (!AUTO_PADS.includes(auto)) {
    const reason = `attribute auto_pad expected ${AUTO_PADS.join(', ')}, got ${describe(auto)}`;
    node.wrongBecause('wrong-attribute', reason, 'NOTSET', auto);
  }
  const pads = (length: number): readonly [number, number] => {
    if (auto === 'NOTSET') return [before, after];
    if (auto === 'VALID') return [0, 0];
    const total = Math.max(0, (Math.ceil(length / stride) - 1) * stride + (kernel - 1) * dilation + 1 - length);
    const half = Math.floor(total / 2);
    return auto === 'SAME_UPPER' ? [half, total - half] : [total - half, half];
  };
  return { kernel, stride, dilation, group, pads };
}

/** The weights [M][kernel][C / group] of a group as a matrix [kernel * C / group][M / group]. Groups may be many: no list is made. */
function groupMatrix(value: Value<Float32Array>, group: number, g: number): Matrix {
  const N = value.dims[0]! / group;
  const K = value.dims[1]! * value.dims[2]!;
  return { value, start: g * N * K, K, N, kStep: 1, nStep: K };
}

/** Packs constant weights, unless the groups are many or narrow: each takes a block of memory. */
function fixGroups(
  node: OperatorNode,
  weight: Value<Float32Array>,
  { group }: ConvSettings,
): readonly PackedMatrix[] | undefined {
  const [M, C, kernel] = weight.dims as [number, number, number];
  const turned = weight.withDims([M, kernel, C]);
  const sample = groupMatrix(turned, group, 0);
  if (group > 64 || isDepthwise(weight.dims, group) || !isWorthPacking(sample)) return undefined;
  const { form } = node;
  const packed = node.pack([1], `${group} groups`, group * packedBytes(sample, form), () => {
    if (form !== FLOAT32) node.checkFinite('W', weight);
    const data = new Float32Array(weight.count);
    copyElements(weight.data, 0, [C * kernel, 1, kernel], data, 0, strides(turned.dims), turned.dims);
    const value = Value.of('float32', turned.dims, data);
    const matrices = Array.from({ length: group }, (_, g) => new PackedMatrix(groupMatrix(value, group, g), form));
    return { matrices, dispose: () => matrices.forEach((matrix) => void matrix.dispose()) };
  });
  return packed?.matrices;
}

/** Whether each channel has a kernel of its own. */
function isDepthwise([M, inChannels]: readonly number[], group: number): boolean {
  return M === group && inChannels === 1;
}

/** The most floats of windows that are laid out as rows at once. */
const BLOCK_FLOATS = 1 << 16;

/**
 * Convolves along the last axis. Rows of the input lie in order of time, [L][C], so that a window is one run of floats, and the
 * windows are rows of a product that overlap; the result is turned alike.
 */
function convolve(
  node: OperatorNode,
  x: Value<Float32Array>,
  [M = 0, C = 0]: readonly number[],
  weights: Value<Float32Array> | readonly PackedMatrix[],
  { kernel, stride, dilation, group, pads }: ConvSettings,
  bias: Value<Float32Array> | undefined,
  plan: Builder,
): Value {
  const [batch, channels, length] = x.dims as [number, number, number];
  if (x.dims.length !== 3 || channels !== C * group) {
    node.wrongShape('X', `[batch, ${C * group}, length]`, x.dims);
  }
  if (bias && (bias.dims.length !== 1 || bias.dims[0] !== M)) node.wrongShape('B', `[${M}]`, bias.dims);
  const [before, after] = pads(length);
  const positions = Math.floor((length + before + after - (kernel - 1) * dilation - 1) / stride) + 1;
  if (!(positions >= 0)) node.wrongShape('X', `at least ${(kernel - 1) * dilation + 1} steps with their pads`, x.dims);
  const out = plan.make('float32', [batch, M, positions], node.path);
  if (out.count === 0) return out;
  const K = C * kernel;
  plan.spend(batch * (positions * (M + group) * K + group * CALL), node.path);
  if (weights instanceof Value && isDepthwise([M, C], group)) {
    convolveChannels(plan, plan.plain(x), weights, bias, out, { kernel, stride, dilation, before });
    return out;
  }
  const matrixOfGroup = weights instanceof Value ? unpackedGroups(plan, weights, group) : (g: number) => weights[g]!;
  const total = length + before + after;
  // where windows overlap in memory, no copy of each is needed
  const overlaps = dilation === 1 && group === 1;
  const isInOrder = x.turned || channels === 1 || length === 1;
  const [, timeStep, channelStep] = isInOrder ? [0, channels, 1] : [0, 1, length];
  const padded =
    overlaps && (!isInOrder || total > length) ? padRows(plan, node, x, total, before, timeStep, channelStep) : x;
  if (overlaps) {
    const rows = { value: padded, stride: stride * C, count: positions };
    const places = Array.from({ length: batch }, (_, b) => ({ x: b * total * C, matrix: 0, out: b * positions * M }));
    multiply(plan, rows, matrixOfGroup(0), bias, 0, out, places);
    return plan.turned(out);
  }
  plan.count(STEP * batch * group * (kernel + 3), node.path);
  const windows = { kernel, stride, dilation, before };
  for (let b = 0; b < batch; b++) {
    for (let g = 0; g < group; g++) {
      convolveGroup(node, plan, x, b, g, matrixOfGroup(g), bias, out, windows, timeStep, channelStep);
    }
  }
  return plan.turned(out);
}

/** Copies [batch][L] rows of channels, with rows of zeros before and after them. */
function padRows(
  plan: Builder,
  node: OperatorNode,
  x: Value<Float32Array>,
  total: number,
  before: number,
  timeStep: number,
  channelStep: number,
): Value<Float32Array> {
  const [batch, channels, length] = x.dims as [number, number, number];
  const padded = plan.make('float32', [batch, total, channels], node.path);
  if (total > length) plan.step([padded], () => () => void padded.data.fill(0));
  const steps = [channels * length, timeStep, channelStep];
  const dims = [batch, length, channels];
  plan.copy(x, 0, steps, padded, dims, before * channels, [total * channels, channels, 1]);
  return padded;
}

/** What one axis of a Conv needs to find the windows. */
interface Windows {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

/** Gives the weights of a group that are packed in each run. */
function unpackedGroups(plan: Builder, weights: Value<Float32Array>, group: number): (g: number) => Matrix {
  const turned = plan.permute(weights, [0, 2, 1]);
  return (g) => groupMatrix(turned, group, g);
}

/** Convolves the channels of a group: lays out windows [kernel][C / group] of some positions as rows, and multiplies them. */
function convolveGroup(
  node: OperatorNode,
  plan: Builder,
  x: Value<Float32Array>,
  b: number,
  g: number,
  matrix: Matrix | PackedMatrix,
  bias: Value<Float32Array> | undefined,
  out: Value<Float32Array>,
  { kernel, stride, dilation, before }: Windows,
  timeStep: number,
  channelStep: number,
): void {
  const [, channels, length] = x.dims as [number, number, number];
  const [, M, positions] = out.dims as [number, number, number];
  const { K, N } = matrix;
  const C = K / kernel;
  const start = b * channels * length + g * C * channelStep;
  const block = Math.max(1, Math.min(positions, Math.floor(BLOCK_FLOATS / Math.max(K, N))));
  for (let first = 0; first < positions; first += block) {
    const count = Math.min(block, positions - first);
    // large kernels make many blocks, each of as many steps as the kernel is long
    if (first > 0) plan.count(STEP * (kernel + 3), node.path);
    const windows = plan.scratch(count * K);
    plan.step([windows], () => () => void windows.data.fill(0));
    for (let k = 0; k < kernel; k++) {
      // the positions whose k-th element lies in the input
      const offset = k * dilation - before;
      const from = Math.max(first, Math.ceil(-offset / stride));
      const end = Math.min(first + count, Math.floor((length - 1 - offset) / stride) + 1);
      if (from >= end) continue;
      const at = start + (from * stride + offset) * timeStep;
      plan.copy(x, at, [stride * timeStep, channelStep], windows, [end - from, C], (from - first) * K + k * C, [K, 1]);
    }
    const rows = { value: windows, stride: K, count };
    const sums = N === M ? out : plan.scratch(count * N);
    const place = { x: 0, matrix: 0, out: N === M ? (b * positions + first) * M : 0 };
    multiply(plan, rows, matrix, bias, g * N, sums, [place]);
    if (N === M) continue;
    const to = (b * positions + first) * M + g * N;
    plan.copy(sums, 0, [N, 1], out, [count, N], to, [M, 1]);
  }
}

/** Convolves each channel with a kernel of its own; the result is not turned. */
function convolveChannels(
  plan: Builder,
  x: Value<Float32Array>,
  weights: Value<Float32Array>,
  bias: Value<Float32Array> | undefined,
  out: Value<Float32Array>,
  { kernel, stride, dilation, before }: Windows,
): void {
  const [batch, M, positions] = out.dims as [number, number, number];
  const length = x.dims[2]!;
  plan.kernel([x, weights, bias], [out, plan.keep(Depthwise.BYTES)], (atX, w, atBias, to, struct) => {
    const conv = new Depthwise();
    Object.assign(conv, { x: atX, w, bias: atBias, out: to, batch, channels: M, length, positions });
    Object.assign(conv, { kernel, stride, dilation, before }).write(struct);
    const { depthwise_f32 } = onnxKernels();
    return () => depthwise_f32(struct);
  });
}
