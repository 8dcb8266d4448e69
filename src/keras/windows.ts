import { describe, wrongValue } from '../base/tensor.ts';
import type { Config, Shape } from './config.ts';
import type { KerasGraph } from './graph.ts';
import type { Dialect } from './plan.ts';
import { refuse } from './refuse.ts';
import { checkRank } from './shapes.ts';

// Windows that slide along the steps of (B, T, C), or rows and columns of (B, H, W, C).

/** The options of windows, for each axis. */
export interface Windows {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: 'valid' | 'same' | 'causal';
}

/** Reads the options of windows. @param sizes the key of their sizes; strides are 1, or for pooling the sizes by default */
export function readWindows(
  config: Config,
  name: string,
  dialect: Dialect,
  axes: number,
  paddings: readonly string[],
  sizes: 'kernel_size' | 'pool_size',
): Windows {
  checkChannels(config, name, dialect);
  const field = config.get('padding');
  const padding = field.given ? field.string() : 'valid';
  if (!paddings.includes(padding)) dialect.unsupported(`padding ${describe(padding)} of ${name}`);
  const isPool = sizes === 'pool_size';
  const size = config.get(sizes).windows(axes, isPool ? 2 : undefined);
  const strides = config.get('strides').windows(axes, isPool ? size : 1);
  const dilations = isPool ? size.map(() => 1) : config.get('dilation_rate').windows(axes, 1);
  return { sizes: size, strides, dilations, padding: padding as Windows['padding'] };
}

/** Notes `data_format` channels_first, which is not supported. */
export function checkChannels(config: Config, name: string, dialect: Dialect): void {
  const format = config.get('data_format');
  if (format.given && format.string() !== 'channels_last') {
    dialect.unsupported(`data_format ${describe(format.value)} of ${name}`);
  }
}

/** Counts the windows along each axis of (B, *, C); null where the size is not known. */
export function outputSizes({ sizes, strides, dilations, padding }: Windows, shape: Shape): (number | null)[] {
  return sizes.map((size, i) => {
    const length = shape[i + 1]!;
    if (length === null) return null;
    if (padding !== 'valid') return Math.ceil(length / strides[i]!);
    return Math.floor((length - (size - 1) * dilations[i]! - 1) / strides[i]!) + 1;
  });
}

/** Checks that an input is (B, *, C), and that a window fits into it if its sizes are known. */
export function checkImages(name: string, windows: Windows, shape: Shape): void {
  checkRank(name, shape, windows.sizes.length + 2);
  for (const [i, count] of outputSizes(windows, shape).entries()) {
    if (count === null || count >= 1) continue;
    const reason = `${name} has a window longer than its input of ${shape[i + 1]} steps`;
    refuse.because('wrong-shape', name, reason, 'more steps', shape[i + 1]);
  }
}

/** Takes (B, *, C) as images; a run checks that a window fits into each. */
export function imagesOf(graph: KerasGraph, name: string, windows: Windows, slot: number): number {
  return graph.channelsFirst(slot, (dims) => {
    if (outputSizes(windows, dims).every((size) => size! >= 1)) return;
    throw wrongValue(name, 'input', 'at least as many steps as the window has', dims);
  });
}
