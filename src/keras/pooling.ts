import { wrongValue } from '../base/tensor.ts';
import type { Lower, Operator } from '../operators/node.ts';
import { averagePool, globalAveragePool, globalMaxPool, maxPool } from '../operators/pool.ts';
import type { Config } from './config.ts';
import type { Dialect, LayerPlan, LayerReader } from './plan.ts';
import { checkRank, lastSize } from './shapes.ts';
import { checkChannels, checkImages, imagesOf, outputSizes, readWindows } from './windows.ts';

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
      const images = imagesOf(graph, name, windows, slot);
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

/** Reads keras.layers.GlobalAveragePooling1D: with a mask, of the steps that count; TensorFlow.js looks at no mask. */
function readGlobalAveragePooling1d(config: Config, name: string, dialect: Dialect): LayerPlan {
  const plain = readGlobal(config, name, dialect, 1, globalAveragePool);
  const keep = config.get('keepdims').boolean(false);
  return {
    build([input], building) {
      const { slot, mask } = input!;
      const [output] = plain.build([input!], building);
      if (mask === undefined || dialect.tfjs) return [output!];
      const { graph } = building;
      const mean = graph.step([slot, mask], meanOfSteps(graph.path, keep))[0]!;
      return [{ slot: mean, shape: output!.shape }];
    },
  };
}

/** Gives the mean of the steps that count. Sums are in float64. */
function meanOfSteps(path: string, keep: boolean): Lower {
  return ([x, mask], plan) => {
    const [B, T, C] = x!.dims as [number, number, number];
    const out = plan.make('float32', keep ? [B, 1, C] : [B, C], path);
    plan.count(B * T * C, path);
    plan.step([x, mask, out], () => () => {
      const [from, kept, to] = [x!.data as Float32Array, mask!.data, out.data];
      for (let b = 0; b < B; b++) {
        for (let c = 0; c < C; c++) {
          let sum = 0;
          let count = 0;
          for (let t = 0; t < T; t++) {
            if (!kept[b * T + t]) continue;
            sum += from[(b * T + t) * C + c]!;
            count++;
          }
          to[b * C + c] = sum / count;
        }
      }
    });
    return [out];
  };
}

/** The readers of pooling, by class name. */
export const POOLING: readonly (readonly [string, LayerReader])[] = [
  ['MaxPooling1D', (config, name, dialect) => readPooling(config, name, dialect, 1, maxPool)],
  ['MaxPooling2D', (config, name, dialect) => readPooling(config, name, dialect, 2, maxPool)],
  ['AveragePooling1D', (config, name, dialect) => readPooling(config, name, dialect, 1, averagePool)],
  ['AveragePooling2D', (config, name, dialect) => readPooling(config, name, dialect, 2, averagePool)],
  ['GlobalMaxPooling1D', (config, name, dialect) => readGlobal(config, name, dialect, 1, globalMaxPool)],
  ['GlobalMaxPooling2D', (config, name, dialect) => readGlobal(config, name, dialect, 2, globalMaxPool)],
  ['GlobalAveragePooling1D', readGlobalAveragePooling1d],
  ['GlobalAveragePooling2D', (config, name, dialect) => readGlobal(config, name, dialect, 2, globalAveragePool)],
];
