import { formatDims, wrongValue } from '../base/tensor.ts';
import { strides } from '../graph/layout.ts';
import type { Lower } from '../operators/node.ts';
import type { Config, Shape } from './config.ts';
import type { Dialect, LayerPlan } from './plan.ts';
import { refuse } from './refuse.ts';
import { checkOutput, checkRank, describeShape } from './shapes.ts';
import { checkChannels } from './windows.ts';

// Layers that repeat, add or leave out steps of (B, T, C), or rows and columns of (B, H, W, C); and Permute.

/** Reads how much there is before and after each axis: one number for all, one for each axis, or two for each. */
function readEnds(field: Config, axes: number, otherwise: number): (readonly [number, number])[] {
  const both = (one: Config): readonly [number, number] => {
    if (!one.isArray) return [one.integer(0), one.integer(0)];
    const items = one.items();
    if (items.length !== 2) one.refuse('wrong-value', 'two integers');
    return [items[0]!.integer(0), items[1]!.integer(0)];
  };
  if (!field.given) return Array.from({ length: axes }, () => [otherwise, otherwise] as const);
  if (!field.isArray || axes === 1) return Array.from({ length: axes }, () => both(field));
  const items = field.items();
  if (items.length !== axes) field.refuse('wrong-value', `${axes} sizes`);
  return items.map(both);
}

/** Changes the sizes of the axes behind that of samples. */
function resize(shape: Shape, axes: number, change: (size: number, i: number) => number): Shape {
  return shape.map((size, i) => (i === 0 || i > axes || size === null ? size : change(size, i - 1)));
}

/** Copies (B, *, C) into zeros, `before` elements from the start of each axis. */
function paste(path: string, ends: readonly (readonly [number, number])[]): Lower {
  return ([x], plan) => {
    const dims = resize(x!.dims, ends.length, (size, i) => size + ends[i]![0] + ends[i]![1]) as number[];
    const out = plan.make('float32', dims, path);
    const steps = strides(dims);
    const start = ends.reduce((sum, [before], i) => sum + before * steps[i + 1]!, 0);
    plan.step([out], () => () => void out.data.fill(0));
    plan.copy(x!, 0, strides(x!.dims), out, x!.dims, start, steps);
    return [out];
  };
}

/** Reads keras.layers.ZeroPadding1D and ZeroPadding2D. */
export function readZeroPadding(config: Config, name: string, dialect: Dialect, axes: number): LayerPlan {
  checkChannels(config, name, dialect);
  const ends = readEnds(config.get('padding'), axes, 1);
  return {
    build([input], { graph }) {
      checkRank(name, input!.shape, axes + 2);
      const shape = resize(input!.shape, axes, (size, i) => size + ends[i]![0] + ends[i]![1]);
      return [{ slot: graph.step([input!.slot], paste(graph.path, ends))[0]!, shape: checkOutput(name, shape) }];
    },
  };
}

/** Reads keras.layers.Cropping1D and Cropping2D. */
export function readCropping(config: Config, name: string, dialect: Dialect, axes: number): LayerPlan {
  checkChannels(config, name, dialect);
  const ends = readEnds(config.get('cropping'), axes, axes === 1 ? 1 : 0);
  const cut = (size: number, i: number) => size - ends[i]![0] - ends[i]![1];
  return {
    build([input], { graph }) {
      checkRank(name, input!.shape, axes + 2);
      const shape = resize(input!.shape, axes, cut);
      if (shape.some((size) => size !== null && size < 1)) {
        refuse('wrong-shape', name, `the input of ${name}`, 'more than is cut off', describeShape(input!.shape));
      }
      const { path } = graph;
      const lower: Lower = ([x], plan) => {
        const dims = resize(x!.dims, axes, cut) as number[];
        if (dims.slice(1, -1).some((size) => size < 1))
          throw wrongValue(name, 'input', 'more than is cut off', x!.dims);
        const out = plan.make('float32', dims, path);
        const steps = strides(x!.dims);
        plan.copy(
          x!,
          ends.reduce((sum, [before], i) => sum + before * steps[i + 1]!, 0),
          steps,
          out,
        );
        return [out];
      };
      return [{ slot: graph.step([input!.slot], lower)[0]!, shape }];
    },
  };
}

/** Reads keras.layers.UpSampling1D and UpSampling2D: each step, row or column several times. */
export function readUpSampling(config: Config, name: string, dialect: Dialect, axes: number): LayerPlan {
  checkChannels(config, name, dialect);
  const times = config.get('size').windows(axes, 2);
  const { value } = config.get('interpolation');
  if (value !== undefined && value !== null && value !== 'nearest') dialect.unsupported(`interpolation of ${name}`);
  return {
    build([input], { graph }) {
      checkRank(name, input!.shape, axes + 2);
      const { path } = graph;
      const lower: Lower = ([x], plan) => {
        const out = plan.make('float32', resize(x!.dims, axes, (size, i) => size * times[i]!) as number[], path);
        // each axis twice: its elements, and how often they come
        const twice = (list: readonly number[], other: (i: number) => number) =>
          list.flatMap((one, i) => (i > 0 && i <= axes ? [one, other(i - 1)] : [one]));
        const dims = twice(x!.dims, (i) => times[i]!);
        plan.copy(
          x!,
          0,
          twice(strides(x!.dims), () => 0),
          out,
          dims,
        );
        return [out];
      };
      const shape = checkOutput(
        name,
        resize(input!.shape, axes, (size, i) => size * times[i]!),
      );
      return [{ slot: graph.step([input!.slot], lower)[0]!, shape }];
    },
  };
}

/** Reads keras.layers.Permute: the axes of a sample, counted from 1, in another order. */
export function readPermute(config: Config, name: string): LayerPlan {
  const field = config.get('dims');
  const order = [0, ...field.items().map((item) => item.integer(1, 7))];
  if ([...order].sort((a, b) => a - b).some((axis, i) => axis !== i)) {
    field.refuse('wrong-value', 'the axes of a sample from 1 on', formatDims(order.slice(1)));
  }
  return {
    build([input], { graph }) {
      checkRank(name, input!.shape, order.length);
      const shape = order.map((axis) => input!.shape[axis]!);
      return [{ slot: graph.permute(input!.slot, order), shape }];
    },
  };
}
