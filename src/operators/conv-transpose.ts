import { product } from '../base/tensor.ts';
import { onnxKernels } from '../cells/kernels.ts';
import { OVERLAY_BYTES, Overlay } from '../cells/windows.ts';
import type { Builder } from '../graph/builder.ts';
import { Value } from '../graph/value.ts';
import { copyFloats, skip } from '../memory/rows.ts';
import { blocksOf } from './convolve.ts';
import { CALL, STEP } from './costs.ts';
import { checkBias, type Grouping, packGroups, readGroup } from './groups.ts';
import { multiply } from './matrix.ts';
import type { Operator, OperatorNode } from './node.ts';
import type { Matrix, PackedMatrix } from './packed-matrix.ts';
import {
  checkKernel,
  fieldsOf,
  imagesOf,
  inOrder,
  NOT_ONE_OR_TWO,
  reachOf,
  readWindows,
  shareOf,
  sizesOf,
  twoOf,
  type WindowSettings,
} from './windows.ts';

// ConvTranspose of one or two spatial axes: a product gives each point of the input its window of the output, [rows][columns][M / group],
// and windows are added up where they overlap.

interface TransposeSettings extends WindowSettings {
  readonly group: number;
  /** Elements added behind each axis */
  readonly added: readonly number[];
  /** The sizes of the axes that are asked for; undefined where they follow from the others */
  readonly asked: readonly number[] | undefined;
}

export const convTranspose: Operator = {
  inputs: [2, 3],
  takesTurned: true,
  limits: NOT_ONE_OR_TWO,
  prepare(node) {
    const weight = node.constants[1];
    const settings = weight && readSettings(node, weight.dims);
    const fixed = weight && packGroups(node, node.float32('W', weight), groupingOf(weight.dims, settings!.group));
    const dims = weight?.dims;
    return ([x, w, b], plan) => {
      const wDims = dims ?? w!.dims;
      const used = settings ?? readSettings(node, wDims);
      const weights = fixed ?? plan.plain(node.float32('W', w!));
      return [spread(node, node.float32('X', x!), wDims, weights, used, b && node.float32('B', b), plan)];
    };
  },
};

function readSettings(node: OperatorNode, dims: readonly number[]): TransposeSettings {
  if (dims.length !== 3 && dims.length !== 4) {
    node.wrongShape('W', '[C, M / group, kernel] or [C, M / group, kernel, kernel]', dims);
  }
  checkKernel(node, dims);
  const settings = readWindows(node, dims.slice(2));
  const { axes } = settings;
  const group = readGroup(node, dims[0]!);
  const list = (name: string): number[] | undefined => {
    const sizes = node.ints(name);
    if (!sizes?.length) return undefined;
    // batch and channels may be given too
    const own = sizes.length === axes + 2 && name === 'output_shape' ? sizes.slice(2) : sizes;
    if (own.length !== axes || !own.every((size) => size >= 0 && size < 2 ** 31)) {
      node.wrongAttribute(name, axes === 1 ? 'one size' : 'two sizes', sizes);
    }
    return own;
  };
  const added = twoOf(list('output_padding') ?? [0, 0].slice(2 - axes), 0);
  const asked = list('output_shape');
  return { ...settings, group, added, asked: asked && twoOf(asked, 1) };
}

/** The weights [C][rows][columns][M / group] of a group as a matrix [C / group][rows * columns * M / group]. */
function groupMatrix(value: Value<Float32Array>, group: number, g: number): Matrix {
  const [C = 0, ...rest] = value.dims;
  const K = C / group;
  const N = product(rest);
  return { value, start: g * K * N, K, N, kStep: N, nStep: 1 };
}

/** How weights [C, M / group, rows, columns] lie: [C][rows][columns][M / group]. */
function groupingOf([C = 0, M = 0, ...kernel]: readonly number[], group: number): Grouping {
  const [rows, columns] = twoOf(kernel, 1);
  const steps = [M * rows * columns, columns, 1, rows * columns];
  return { group, dims: [C, rows, columns, M], steps, matrixOf: groupMatrix };
}

function spread(
  node: OperatorNode,
  x: Value<Float32Array>,
  wDims: readonly number[],
  weights: Value<Float32Array> | readonly PackedMatrix[],
  settings: TransposeSettings,
  bias: Value<Float32Array> | undefined,
  plan: Builder,
): Value {
  const { axes, windows, group, auto, added, asked } = settings;
  const [C = 0, each = 0] = wDims;
  const M = each * group;
  if (x.dims.length !== wDims.length || x.dims[1] !== C) {
    node.wrongShape('X', `[batch, ${C}, ${sizesOf(axes)}]`, x.dims);
  }
  checkBias(node, bias, M);
  const images = imagesOf(x);
  const starts: number[] = [];
  const sizes: number[] = [];
  for (const [i, length] of [images.height, images.width].entries()) {
    const window = windows[i]!;
    const all = (length - 1) * window.stride + added[i]! + reachOf(window) + 1;
    const isSame = auto === 'SAME_UPPER' || auto === 'SAME_LOWER';
    const size = asked?.[i] ?? (isSame ? length * window.stride : all - window.before - window.after);
    const isGiven = asked !== undefined || isSame;
    const half = shareOf(Math.max(0, all - size), auto === 'SAME_UPPER' ? 'SAME_UPPER' : 'SAME_LOWER');
    if (!(size >= 0)) node.wrongShape('X', `more than ${length} steps for these pads`, x.dims);
    starts.push(isGiven ? half[0] : window.before);
    sizes.push(size);
  }
  const out = plan.make('float32', [images.batch, M, ...sizes.slice(2 - axes)], node.path);
  if (out.count === 0) return out;
  const [K, N] = [C / group, product(wDims.slice(1))];
  const [height, width] = sizes as [number, number];
  if (bias) plan.copy(bias, 0, [0, 1], out, [out.count / M, M]);
  else plan.step([out], () => () => void out.data.fill(0));
  const points = images.height * images.width;
  plan.spend(
    group * (images.batch * (points * (K + 1) * N + CALL) + (weights instanceof Value ? K * N : 0)),
    node.path,
  );
  if (K === 0 || points === 0) return plan.turned(out);
  const blocks = blocksOf(1, images.height, images.width, N, false);
  plan.count(STEP * images.batch * blocks.count * group, node.path);
  const lying = inOrder(plan, images);
  const matrices =
    weights instanceof Value
      ? plan.permute(weights.withDims([C, each, ...twoOf(wDims.slice(2), 1)]), [0, 2, 3, 1])
      : weights;
  for (let b = 0; b < images.batch; b++) {
    for (const { row, rows, column, columns } of blocks.list()) {
      for (let g = 0; g < group; g++) {
        const matrix = matrices instanceof Value ? groupMatrix(matrices, group, g) : matrices[g]!;
        const start = (b * points + row * images.width + column) * C + g * K;
        const seen = plan.scratch(rows * columns * N);
        const line = { value: lying, stride: C, count: rows * columns };
        multiply(plan, line, matrix, undefined, 0, seen, [{ x: start, matrix: 0, out: 0 }]);
        const overlay = Object.assign(new Overlay(), fieldsOf(images, windows, [0, 0]), { channels: M, n: each });
        const top = row * windows[0].stride - starts[0]!;
        const left = column * windows[1].stride - starts[1]!;
        Object.assign(overlay, { height, width, rows, columns, top, left });
        addWindows(plan, seen, overlay, out, b * height * width * M + g * each);
      }
    }
  }
  return plan.turned(out);
}

/** Adds windows to a result from its element `at` on. */
function addWindows(plan: Builder, seen: Value, overlay: Overlay, out: Value<Float32Array>, at: number): void {
  plan.kernel([seen, out], [out, plan.keep(OVERLAY_BYTES)], (x, before, to, struct) => {
    Object.assign(overlay, { x, out: skip(to, at) }).write(struct);
    const { overlay_f32 } = onnxKernels();
    // a step that runs at once has a copy of the result so far
    if (before !== to) copyFloats(to, before, out.count);
    return () => overlay_f32(struct);
  });
}
