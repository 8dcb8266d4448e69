import { describe, wrongValue, zeros } from '../base/tensor.ts';
import { type Activation, activate } from '../cells/activations.ts';
import { readActivation } from './activations.ts';
import type { Config } from './config.ts';
import type { Effort, Layer, MaskedTensor } from './layer.ts';
import { makeProducts, type Products } from './matrix.ts';
import type { Dialect, LayerPlan } from './plan.ts';
import { refuse } from './refuse.ts';
import { checkOutput, checkRank, lastSize } from './shapes.ts';
import { checkChannels, withSteps } from './simple-layers.ts';

// Layers that move a window along the steps of (B, T, C).

/** The most windows that are laid out as rows at once, and about the most floats of them. */
const ROWS = 1024;
const FLOATS = 2 ** 20;

/** The options of a window; `size`, `stride` and `dilation` count steps. */
interface WindowOptions {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: 'valid' | 'same' | 'causal';
}

/** Counts the windows, which are the steps of the output, and the zeros before the first step. */
function slide({ size, stride, dilation, padding }: WindowOptions, steps: number): { count: number; before: number } {
  const span = (size - 1) * dilation + 1;
  if (padding === 'valid') return { count: Math.floor((steps - span) / stride) + 1, before: 0 };
  const count = Math.ceil(steps / stride);
  if (padding === 'causal') return { count, before: span - 1 };
  return { count, before: Math.floor(Math.max(0, (count - 1) * stride + span - steps) / 2) };
}

function readPadding(
  config: Config,
  name: string,
  dialect: Dialect,
  known: readonly string[],
): WindowOptions['padding'] {
  const field = config.get('padding');
  const padding = field.given ? field.string() : 'valid';
  if (!known.includes(padding)) dialect.unsupported(`padding ${describe(padding)} of ${name}`);
  return padding as WindowOptions['padding'];
}

/** Checks that an input is (B, T, C), and that a window fits into it if T is known. */
function checkSteps(name: string, window: WindowOptions, shape: readonly (number | null)[]): void {
  checkRank(name, shape, 3);
  const steps = shape[1];
  if (typeof steps === 'number' && slide(window, steps).count < 1) {
    const reason = `${name} has a window longer than its input of ${steps} steps`;
    refuse.because('wrong-shape', name, reason, 'more steps', steps);
  }
}

/** Counts the windows of an actual input, as slide() does. @throws RangeError if none fits */
function countSteps(name: string, window: WindowOptions, dims: readonly number[]): { count: number; before: number } {
  const found = slide(window, dims[1]!);
  if (found.count < 1) throw wrongValue(name, 'input', 'at least as many steps as the window has', dims);
  return found;
}

/** Reads keras.layers.Conv1D: (B, T, C) to (B, windows, filters). */
export function readConv1d(config: Config, name: string, dialect: Dialect): LayerPlan {
  checkChannels(config, name, dialect);
  const filters = config.get('filters').integer(1);
  const window: WindowOptions = {
    size: config.get('kernel_size').window(),
    stride: config.get('strides').window(1),
    dilation: config.get('dilation_rate').window(1),
    padding: readPadding(config, name, dialect, ['valid', 'same', 'causal']),
  };
  const groupsField = config.get('groups');
  const groups = groupsField.given ? groupsField.integer(1) : 1;
  if (filters % groups !== 0) groupsField.refuse('wrong-value', `a divisor of ${filters}`);
  const useBias = config.get('use_bias').boolean(true);
  const activation = readActivation(config.get('activation'), name, dialect);
  return {
    build([shape], weights, holding) {
      checkSteps(name, window, shape!);
      const channels = lastSize(name, shape!);
      if (channels % groups !== 0) groupsField.refuse('wrong-value', `a divisor of ${channels}`);
      const outputs = [
        checkOutput(
          name,
          withSteps(shape!, filters, (steps) => slide(window, steps).count),
        ),
      ];
      const specs = [
        { name: 'kernel', dims: [window.size, channels / groups, filters] },
        { name: 'bias', dims: [filters] },
      ];
      const [kernel, bias] = weights.read({ folder: '' }, specs.slice(0, useBias ? 2 : 1));
      const products = makeProducts(kernel!, filters, bias, holding, groups);
      return { outputs, layer: new Conv1dLayer(name, window, products, groups, activation) };
    },
  };
}

class Conv1dLayer implements Layer {
  private readonly _name: string;
  private readonly _window: WindowOptions;
  /** Their inputs are windows laid out as rows. */
  private readonly _products: Products;
  private readonly _groups: number;
  private readonly _activation: Activation;

  constructor(name: string, window: WindowOptions, products: Products, groups: number, activation: Activation) {
    this._name = name;
    this._window = window;
    this._products = products;
    this._groups = groups;
    this._activation = activation;
  }

  effort([dims]: readonly (readonly number[])[]): Effort {
    const [batch, steps, channels] = dims as [number, number, number];
    const made = batch * Math.max(0, slide(this._window, steps).count) * this._groups * this._products.columns;
    return { made, multiplied: (made * this._window.size * channels) / this._groups };
  }

  run([input]: readonly MaskedTensor[]): MaskedTensor[] {
    const { size, stride, dilation } = this._window;
    const [batch, steps, channels] = input!.dims as [number, number, number];
    const { count, before } = countSteps(this._name, this._window, input!.dims);
    const groups = this._groups;
    const [width, per] = [channels / groups, this._products.columns];
    const output = zeros(this._name, [batch, count, groups * per]);
    const rows = batch * count;
    const most = Math.min(ROWS, Math.max(1, Math.floor(FLOATS / (size * width))));
    for (let from = 0; from < rows; from += most) {
      const part = Math.min(most, rows - from);
      const x = new Float32Array(part * size * width);
      for (let group = 0; group < groups; group++) {
        x.fill(0);
        for (let row = 0; row < part; row++) {
          const sample = Math.floor((from + row) / count);
          const start = ((from + row) % count) * stride - before;
          for (let k = 0; k < size; k++) {
            const t = start + k * dilation;
            if (t < 0 || t >= steps) continue;
            const at = (sample * steps + t) * channels + group * width;
            x.set(input!.data.subarray(at, at + width), (row * size + k) * width);
          }
        }
        const y = this._products.run(group, x, part);
        for (let row = 0; row < part; row++) {
          const to = (from + row) * groups * per + group * per;
          output.data.set(y.subarray(row * per, (row + 1) * per), to);
        }
      }
    }
    activate(this._activation, output.data, groups * per);
    return [output];
  }

  dispose(): void {
    this._products.dispose();
  }
}

/** Reads keras.layers.MaxPooling1D: (B, T, C) to (B, windows, C). */
export function readMaxPooling1d(config: Config, name: string, dialect: Dialect): LayerPlan {
  checkChannels(config, name, dialect);
  const size = config.get('pool_size').window(2);
  const window: WindowOptions = {
    size,
    stride: config.get('strides').window(size),
    dilation: 1,
    padding: readPadding(config, name, dialect, ['valid', 'same']),
  };
  return {
    build([shape]) {
      checkSteps(name, window, shape!);
      const channels = lastSize(name, shape!);
      const run = ([input]: readonly MaskedTensor[]): MaskedTensor[] => {
        const { count, before } = countSteps(name, window, input!.dims);
        return [maxOfWindows(name, input!, window, count, before)];
      };
      const effort = ([dims]: readonly (readonly number[])[]) => {
        const [batch, steps] = dims as [number, number];
        const made = batch * Math.max(0, slide(window, steps).count) * channels;
        return { made, multiplied: made * Math.min(window.size, steps) };
      };
      const outputs = [withSteps(shape!, channels, (steps) => slide(window, steps).count)];
      return { outputs, layer: { run, effort } };
    },
  };
}

/** Reads keras.layers.GlobalMaxPooling1D: (B, T, C) to (B, C). */
export function readGlobalMaxPooling1d(config: Config, name: string, dialect: Dialect): LayerPlan {
  checkChannels(config, name, dialect);
  const keep = config.get('keepdims').boolean(false);
  return {
    build([shape]) {
      checkRank(name, shape!, 3);
      const channels = lastSize(name, shape!);
      const run = ([input]: readonly MaskedTensor[]): MaskedTensor[] => {
        const [batch, steps] = input!.dims as [number, number];
        if (steps === 0) throw wrongValue(name, 'input', 'at least one step', input!.dims);
        const window: WindowOptions = { size: steps, stride: steps, dilation: 1, padding: 'valid' };
        const { data } = maxOfWindows(name, input!, window, 1, 0);
        return [{ data, dims: keep ? [batch, 1, channels] : [batch, channels] }];
      };
      const [batch] = shape!;
      return { outputs: [keep ? [batch!, 1, channels] : [batch!, channels]], layer: { run } };
    },
  };
}

function maxOfWindows(
  name: string,
  input: MaskedTensor,
  { size, stride }: WindowOptions,
  count: number,
  before: number,
): MaskedTensor {
  const { data } = input;
  const [batch, steps, channels] = input.dims as [number, number, number];
  const output = zeros(name, [batch, count, channels]);
  output.data.fill(-Infinity);
  for (let row = 0; row < batch * count; row++) {
    const sample = Math.floor(row / count);
    const start = (row % count) * stride - before;
    for (let t = Math.max(0, start); t < Math.min(steps, start + size); t++) {
      for (let k = 0; k < channels; k++) {
        const x = data[(sample * steps + t) * channels + k]!;
        // a NaN is taken, and nothing is greater than it: it stays
        if (x > output.data[row * channels + k]! || Number.isNaN(x)) output.data[row * channels + k] = x;
      }
    }
  }
  return output;
}
