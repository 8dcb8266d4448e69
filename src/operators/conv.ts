import { product } from '../base/tensor.ts';
import { onnxKernels } from '../cells/kernels.ts';
import { DEPTHWISE_BYTES, Depthwise } from '../cells/walks.ts';
import { WINDOWS_BYTES, Windows } from '../cells/windows.ts';
import type { Builder } from '../graph/builder.ts';
import { Value } from '../graph/value.ts';
import { type Convolution, convolveImages } from './convolve.ts';
import { CALL } from './costs.ts';
import { checkBias, type Grouping, packGroups, readGroup } from './groups.ts';
import type { Operator, OperatorNode } from './node.ts';
import type { Matrix, PackedMatrix } from './packed-matrix.ts';
import {
  checkKernel,
  fieldsOf,
  imagesOf,
  inOrder,
  NOT_ONE_OR_TWO,
  padsOf,
  reachOf,
  readWindows,
  sizesOf,
  type Two,
  twoOf,
  type WindowSettings,
} from './windows.ts';

// Conv of one or two spatial axes.

interface ConvSettings extends WindowSettings {
  readonly group: number;
}

export const conv: Operator = {
  inputs: [2, 3],
  takesTurned: true,
  limits: NOT_ONE_OR_TWO,
  prepare(node) {
    const weight = node.constants[1];
    const settings = weight && readConv(node, weight.dims);
    const isFixed = weight && !isDepthwise(weight.dims, settings!.group);
    const fixed = isFixed
      ? packGroups(node, node.float32('W', weight), groupingOf(weight.dims, settings!.group))
      : undefined;
    const dims = weight?.dims;
    return ([x, w, b], plan) => {
      const wDims = dims ?? w!.dims;
      const used = settings ?? readConv(node, wDims);
      const weights = fixed ?? plan.plain(node.float32('W', w!));
      return [convolve(node, node.float32('X', x!), wDims, weights, used, b && node.float32('B', b), plan)];
    };
  },
};

function readConv(node: OperatorNode, dims: readonly number[]): ConvSettings {
  const [M = 0, , ...kernel] = dims;
  if (dims.length !== 3 && dims.length !== 4) {
    node.wrongShape('W', '[M, C / group, kernel] or [M, C / group, kernel, kernel]', dims);
  }
  checkKernel(node, dims);
  const settings = readWindows(node, kernel);
  return { ...settings, group: readGroup(node, M) };
}

/** The weights [M][columns][rows][C / group] of a group as a matrix [columns * rows * C / group][M / group]. Groups may be many: no list is made. */
function groupMatrix(value: Value<Float32Array>, group: number, g: number): Matrix {
  const [M = 0, ...depth] = value.dims;
  const N = M / group;
  const K = product(depth);
  return { value, start: g * N * K, K, N, kStep: 1, nStep: K };
}

/** How weights [M, C / group, rows, columns] lie: [M][columns][rows][C / group]. */
function groupingOf([M = 0, C = 0, ...kernel]: readonly number[], group: number): Grouping {
  const [rows, columns] = twoOf(kernel, 1);
  const steps = [C * rows * columns, 1, columns, rows * columns];
  return { group, dims: [M, columns, rows, C], steps, matrixOf: groupMatrix };
}

/** Whether each channel has a kernel of its own. */
function isDepthwise([M, inChannels]: readonly number[], group: number): boolean {
  return M === group && inChannels === 1;
}

function convolve(
  node: OperatorNode,
  x: Value<Float32Array>,
  wDims: readonly number[],
  weights: Value<Float32Array> | readonly PackedMatrix[],
  { axes, windows, auto, group }: ConvSettings,
  bias: Value<Float32Array> | undefined,
  plan: Builder,
): Value {
  const [M = 0, C = 0] = wDims;
  if (x.dims.length !== wDims.length || x.dims[1] !== C * group) {
    node.wrongShape('X', `[batch, ${C * group}, ${sizesOf(axes)}]`, x.dims);
  }
  checkBias(node, bias, M);
  const images = imagesOf(x);
  const positions: number[] = [];
  const before: number[] = [];
  for (const [i, length] of [images.height, images.width].entries()) {
    const window = windows[i]!;
    const [start, end] = padsOf(window, length, auto);
    const count = Math.floor((length + start + end - reachOf(window) - 1) / window.stride) + 1;
    if (!(count >= 0)) node.wrongShape('X', `at least ${reachOf(window) + 1} steps with their pads`, x.dims);
    positions.push(count);
    before.push(start);
  }
  const [rows, columns] = positions as [number, number];
  const out = plan.make('float32', [images.batch, M, ...positions.slice(2 - axes)], node.path);
  if (out.count === 0) return out;
  const K = product(wDims.slice(1));
  // rows of a result are products of their own
  plan.spend(images.batch * (rows * columns * (M + group) * K + group * rows * CALL), node.path);
  const convolution: Convolution = { images, windows, before: before as unknown as Two, rows, columns, out, M, group };
  if (weights instanceof Value && isDepthwise(wDims, group)) {
    if (axes === 2) return depthwise(plan, convolution, weights, bias);
    convolveChannels(plan, { ...convolution, images: imagesOf(plan.plain(x)) }, weights, bias);
    return out;
  }
  const matrixOfGroup = weights instanceof Value ? unpackedGroups(plan, weights, group) : (g: number) => weights[g]!;
  convolveImages(plan, node.path, convolution, matrixOfGroup, bias);
  return plan.turned(out);
}

/** Gives the weights of a group that are packed in each run. */
function unpackedGroups(plan: Builder, weights: Value<Float32Array>, group: number): (g: number) => Matrix {
  const [rows, columns] = twoOf(weights.dims.slice(2), 1);
  const [M, C] = weights.dims as [number, number];
  const turned = plan.permute(weights.withDims([M, C, rows, columns]), [0, 3, 2, 1]);
  return (g) => groupMatrix(turned, group, g);
}

/** Convolves each channel of one axis with a kernel of its own; the result is not turned. */
function convolveChannels(
  plan: Builder,
  { images, windows: [, window], before, columns, out, M }: Convolution,
  weights: Value<Float32Array>,
  bias: Value<Float32Array> | undefined,
): void {
  const { value, batch, width: length } = images;
  const { kernel, stride, dilation } = window;
  plan.kernel([value, weights, bias], [out, plan.keep(DEPTHWISE_BYTES)], (x, w, atBias, to, struct) => {
    const conv = new Depthwise();
    Object.assign(conv, { x, w, bias: atBias, out: to, batch, channels: M, length, positions: columns });
    Object.assign(conv, { kernel, stride, dilation, before: before[1] }).write(struct);
    const { depthwise_f32 } = onnxKernels();
    return () => depthwise_f32(struct);
  });
}

/** Convolves each channel of two axes with a kernel of its own. */
function depthwise(
  plan: Builder,
  { images, windows, before, rows, columns, out, M }: Convolution,
  weights: Value<Float32Array>,
  bias: Value<Float32Array> | undefined,
): Value {
  const x = inOrder(plan, images);
  const w = plan.permute(weights, [2, 3, 1, 0]);
  plan.kernel([x, w, bias], [out, plan.keep(WINDOWS_BYTES)], (atX, atW, atBias, to, struct) => {
    const fields = { x: atX, w: atW, bias: atBias, out: to, rows, columns, ...fieldsOf(images, windows, before) };
    Object.assign(new Windows(), fields, { channels: M }).write(struct);
    const { depthwise_windows_f32 } = onnxKernels();
    return () => depthwise_windows_f32(struct);
  });
  return plan.turned(out);
}
