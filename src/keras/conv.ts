import { product } from '../base/tensor.ts';
import { Value } from '../graph/value.ts';
import { conv } from '../operators/conv.ts';
import { activated, readActivation } from './activations.ts';
import type { Config } from './config.ts';
import type { Dialect, LayerPlan, LayerWeights } from './plan.ts';
import { checkOutput, lastSize } from './shapes.ts';
import { checkImages, imagesOf, outputSizes, readWindows, type Windows } from './windows.ts';

// Convolutions of (B, T, C) and (B, H, W, C), as Conv has them with channels first: no element moves for that.

/** Settings that convolutions have in common: windows, a bias, an activation. */
function readConvolution(config: Config, name: string, dialect: Dialect, axes: number) {
  const known = axes === 1 ? ['valid', 'same', 'causal'] : ['valid', 'same'];
  return {
    windows: readWindows(config, name, dialect, axes, known, 'kernel_size'),
    useBias: config.get('use_bias').boolean(true),
    activation: readActivation(config.get('activation'), name, dialect),
  };
}

/** Reads keras.layers.Conv1D and Conv2D: (B, *, C) to (B, *, filters). */
export function readConv(config: Config, name: string, dialect: Dialect, axes: number): LayerPlan {
  const filters = config.get('filters').integer(1);
  const { windows, useBias, activation } = readConvolution(config, name, dialect, axes);
  const field = config.get('groups');
  const groups = field.given ? field.integer(1) : 1;
  if (filters % groups !== 0) field.refuse('wrong-value', `a divisor of ${filters}`);
  /** [*, C / groups, filters] to [filters, C / groups, *] */
  const turn = (kernel: Value<Float32Array>) => {
    const width = kernel.dims.at(-2)!;
    const area = kernel.count / (width * filters);
    const data = new Float32Array(kernel.count);
    for (let k = 0, from = 0; k < area; k++) {
      for (let c = 0; c < width; c++) {
        for (let m = 0; m < filters; m++) data[(m * width + c) * area + k] = kernel.data[from++]!;
      }
    }
    return Value.of('float32', [filters, width, ...windows.sizes], data);
  };
  return build(name, windows, activation, (channels, weights) => {
    if (channels % groups !== 0) field.refuse('wrong-value', `a divisor of ${channels}`);
    const specs = [
      { name: 'kernel', dims: [...windows.sizes, channels / groups, filters] },
      { name: 'bias', dims: [filters] },
    ];
    const [kernel, bias] = weights.read({ folder: '' }, specs.slice(0, useBias ? 2 : 1));
    return { kernel: kernel!, bias, turn, groups, filters };
  });
}

/** Reads keras.layers.DepthwiseConv1D and DepthwiseConv2D: each channel gives `depth_multiplier` channels. */
export function readDepthwiseConv(config: Config, name: string, dialect: Dialect, axes: number): LayerPlan {
  const { windows, useBias, activation } = readConvolution(config, name, dialect, axes);
  const field = config.get('depth_multiplier');
  const multiplier = field.given ? field.integer(1) : 1;
  /** [*, C, multiplier] to [C multiplier, 1, *] */
  const turn = (kernel: Value<Float32Array>) => {
    const area = product(windows.sizes);
    const filters = kernel.count / area;
    const data = new Float32Array(kernel.count);
    for (let k = 0, from = 0; k < area; k++) {
      for (let m = 0; m < filters; m++) data[m * area + k] = kernel.data[from++]!;
    }
    return Value.of('float32', [filters, 1, ...windows.sizes], data);
  };
  return build(name, windows, activation, (channels, weights) => {
    const filters = channels * multiplier;
    const specs = [
      // as Keras 2 and TensorFlow.js, and as Keras 3 call it
      { name: 'depthwise_kernel', otherName: 'kernel', dims: [...windows.sizes, channels, multiplier] },
      { name: 'bias', dims: [filters] },
    ];
    const [kernel, bias] = weights.read({ folder: '' }, specs.slice(0, useBias ? 2 : 1));
    return { kernel: kernel!, bias, turn, groups: channels, filters };
  });
}

interface Convolution {
  readonly kernel: Value<Float32Array>;
  readonly bias: Value<Float32Array> | undefined;
  /** Puts the kernel in the order of Conv. */
  readonly turn: (kernel: Value<Float32Array>) => Value<Float32Array>;
  readonly groups: number;
  readonly filters: number;
}

function build(
  name: string,
  windows: Windows,
  activation: ReturnType<typeof readActivation>,
  read: (channels: number, weights: LayerWeights) => Convolution,
): LayerPlan {
  return {
    build([input], { graph, weights }) {
      const { shape, slot } = input!;
      checkImages(name, windows, shape);
      const channels = lastSize(name, shape);
      const { kernel, bias, turn, groups, filters } = read(channels, weights);
      const turned = weights.once('kernel', () => {
        const made = turn(kernel);
        graph.replace([kernel], [made]);
        return made;
      });
      const output = checkOutput(name, [shape[0]!, ...outputSizes(windows, shape), filters]);
      const images = imagesOf(graph, name, windows, slot);
      const { strides, dilations } = windows;
      const padding =
        windows.padding === 'same'
          ? { auto_pad: 'SAME_UPPER' }
          : windows.padding === 'causal'
            ? { pads: [(windows.sizes[0]! - 1) * dilations[0]!, 0] }
            : {};
      const made = graph.node(conv, [images, turned, bias], { strides, dilations, group: groups, ...padding });
      return [{ slot: activated(graph, graph.channelsLast(made, shape.length), activation), shape: output }];
    },
  };
}
