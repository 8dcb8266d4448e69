import { wrongValue } from '../base/tensor.ts';
import type { Operator } from '../operators/node.ts';
import { globalMaxPool, maxPool } from '../operators/pool.ts';
import type { Config } from './config.ts';
import type { Dialect, LayerPlan } from './plan.ts';
import { checkRank, lastSize } from './shapes.ts';
import { checkChannels, checkImages, outputSizes, readWindows } from './windows.ts';

// Pooling of (B, T, C) and (B, H, W, C).

/** Reads a layer that takes windows of each channel together. */
function readPooling(config: Config, name: string, dialect: Dialect, axes: number, operator: Operator): LayerPlan {
  const windows = readWindows(config, name, dialect, axes, ['valid', 'same'], 'pool_size');
  const { strides, padding } = windows;
  return {
    build([input], { graph }) {
      const { shape, slot } = input!;
      checkImages(name, windows, shape);
      const output = [shape[0]!, ...outputSizes(windows, shape), lastSize(name, shape)];
      const images = graph.channelsFirst(slot, (dims) => {
        if (outputSizes(windows, dims).every((size) => size! >= 1)) return;
        throw wrongValue(name, 'input', 'at least as many steps as the window has', dims);
      });
      // a window that reaches beyond both ends wherever it lies sees no more if it is longer
      const made = graph.late(operator, [images], (dims) => ({
        kernel_shape: windows.sizes.map((size, i) => {
          const length = dims[i + 2]!;
          const most = 2 * length + 2 * strides[i]!;
          return padding === 'same' && size > most ? most + ((size - most) % 2) : size;
        }),
        strides,
        auto_pad: padding === 'same' ? 'SAME_UPPER' : 'VALID',
      }));
      return [{ slot: graph.channelsLast(made, shape.length), shape: output }];
    },
  };
}

/** Reads a layer that takes all elements of each channel together. */
function readGlobal(config: Config, name: string, dialect: Dialect, axes: number, operator: Operator): LayerPlan {
  checkChannels(config, name, dialect);
  const keep = config.get('keepdims').boolean(false);
  return {
    build([input], { graph }) {
      const { shape, slot } = input!;
      checkRank(name, shape, axes + 2);
      const channels = lastSize(name, shape);
      const ones = keep ? Array<number>(axes).fill(1) : [];
      const images = graph.channelsFirst(slot, (dims) => {
        if (dims.slice(1).includes(0)) throw wrongValue(name, 'input', 'at least one step', dims);
      });
      const made = graph.view(graph.node(operator, [images]), ([batch]) => [batch!, ...ones, channels]);
      return [{ slot: made, shape: [shape[0]!, ...ones, channels] }];
    },
  };
}

export const readMaxPooling1d = (config: Config, name: string, dialect: Dialect) =>
  readPooling(config, name, dialect, 1, maxPool);
export const readGlobalMaxPooling1d = (config: Config, name: string, dialect: Dialect) =>
  readGlobal(config, name, dialect, 1, globalMaxPool);
