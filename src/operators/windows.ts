import { describe, product } from '../base/tensor.ts';
import type { Windows } from '../cells/windows.ts';
import type { Builder } from '../graph/builder.ts';
import { lying, type Value } from '../graph/value.ts';
import type { OperatorNode } from './node.ts';

// The windows of Conv, ConvTranspose and pooling, which slide along one or two axes. One axis is the second of two whose first has
// size 1.

/** A pair: for rows and for columns. */
export type Two<T = number> = readonly [T, T];

/** A window along an axis. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

/** How an axis is padded. */
export type AutoPad = 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER';

export interface WindowSettings {
  /** How many axes there are: 1 or 2. */
  readonly axes: number;
  readonly windows: Two<Window>;
  readonly auto: AutoPad;
}

const AUTO_PADS = ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'];

/** Names the sizes of the axes of images in errors. */
export function sizesOf(axes: number): string {
  return axes === 1 ? 'length' : 'height, width';
}

/** Gives numbers for rows and columns: of one axis, what rows have and its own. */
export function twoOf(list: readonly number[], rows: number): Two {
  return list.length === 1 ? [rows, list[0]!] : [list[0]!, list[1]!];
}

/** Checks the sizes of windows that weights have. */
export function checkKernel(node: OperatorNode, dims: readonly number[]): void {
  const kernel = dims.slice(2);
  if (kernel.includes(0)) node.wrongShape('W', 'a kernel', dims);
  const given = node.ints('kernel_shape');
  if (given && given.join() !== kernel.join()) node.wrongAttribute('kernel_shape', kernel, given);
}

/** An attribute with a number for each axis, 1 by default; of one axis, [1, it]. */
function readSizes(node: OperatorNode, name: string, axes: number): Two {
  const list = node.ints(name) ?? [];
  if ((list.length !== 0 && list.length !== axes) || !list.every((size) => size >= 1 && size < 2 ** 31)) {
    node.wrongAttribute(name, axes === 1 ? 'one size' : 'two sizes', list);
  }
  return list.length ? twoOf(list, 1) : [1, 1];
}

/**
 * Reads the attributes of a node whose windows have these sizes.
 * @param kernel the size along each axis
 */
export function readWindows(node: OperatorNode, kernel: readonly number[]): WindowSettings {
  const axes = kernel.length;
  const strides = readSizes(node, 'strides', axes);
  const dilations = readSizes(node, 'dilations', axes);
  const auto = node.string('auto_pad', 'NOTSET');
  const pads = node.ints('pads') ?? [];
  if ((pads.length !== 0 && pads.length !== 2 * axes) || !pads.every((size) => size >= 0 && size < 2 ** 31)) {
    node.wrongAttribute('pads', axes === 1 ? 'two sizes' : 'four sizes', pads);
  }
  if (!AUTO_PADS.includes(auto)) {
    const reason = `attribute auto_pad expected ${AUTO_PADS.join(', ')}, got ${describe(auto)}`;
    node.wrongBecause('wrong-attribute', reason, 'NOTSET', auto);
  }
  const windowOf = (i: number): Window => {
    // -1 is the first axis of two where there is one
    const axis = i - 2 + axes;
    const own = auto === 'NOTSET' && axis >= 0;
    const before = own ? (pads[axis] ?? 0) : 0;
    const after = own ? (pads[axis + axes] ?? 0) : 0;
    return { kernel: kernel[axis] ?? 1, stride: strides[i]!, dilation: dilations[i]!, before, after };
  };
  return { axes, windows: [windowOf(0), windowOf(1)], auto: auto as AutoPad };
}

/** From the first place of a window to its last. */
export function reachOf({ kernel, dilation }: Window): number {
  return (kernel - 1) * dilation;
}

/** Divides padding between both ends. */
export function shareOf(total: number, auto: AutoPad): Two {
  const half = Math.floor(total / 2);
  return auto === 'SAME_LOWER' ? [total - half, half] : [half, total - half];
}

/** How much is added before and after an axis of a length. */
export function padsOf(window: Window, length: number, auto: AutoPad): Two {
  if (auto === 'NOTSET' || auto === 'VALID') return [window.before, window.after];
  const { stride } = window;
  return shareOf(Math.max(0, (Math.ceil(length / stride) - 1) * stride + reachOf(window) + 1 - length), auto);
}

/** Images: [N, C, L] counts as [N, C, 1, L]. */
export interface Images {
  readonly value: Value<Float32Array>;
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** How far apart neighbouring images, channels, rows and columns are, in elements. */
  readonly steps: readonly [number, number, number, number];
  /** Whether the channels of a point lie side by side. */
  readonly isInOrder: boolean;
}

/** @param value [N, C, L] or [N, C, H, W], perhaps turned */
export function imagesOf(value: Value<Float32Array>): Images {
  const { dims } = value;
  const [batch, channels, ...area] = dims as [number, number, ...number[]];
  const width = area.at(-1)!;
  const height = area.length > 1 ? area[0]! : 1;
  const size = product(area);
  const isInOrder = value.turned || channels === 1 || size === 1;
  const steps: Images['steps'] = isInOrder
    ? [channels * size, 1, width * channels, channels]
    : [channels * size, size, width, 1];
  return { value, batch, channels, height, width, steps, isInOrder };
}

/** The parts of an operator with windows that are not supported. */
export const NOT_ONE_OR_TWO = 'other than one or two spatial axes';

/** Images with the channels of each point side by side. */
export function inOrder(plan: Builder, { value, isInOrder }: Images): Value<Float32Array> {
  if (isInOrder) return value.turned ? lying(value) : value;
  const order = [...value.dims.keys()];
  order.push(...order.splice(1, 1));
  return plan.permute(value, order);
}

/** The fields of windows that kernels share. */
export function fieldsOf(
  { batch, height, width }: Images,
  [row, column]: Two<Window>,
  [top, left]: Two,
): Partial<Windows> {
  return {
    ...{ batch, height, width, top, left },
    ...{ kernelRows: row.kernel, strideRows: row.stride, dilationRows: row.dilation },
    ...{ kernelColumns: column.kernel, strideColumns: column.stride, dilationColumns: column.dilation },
  };
}
