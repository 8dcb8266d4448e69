import { product } from '../base/tensor.ts';
import type { Config } from './config.ts';
import type { MaskedTensor } from './layer.ts';
import type { Dialect, LayerPlan, LayerWeights } from './plan.ts';
import { knownSizes, readAxes } from './shapes.ts';

/** The trained scale and offset; undefined: 1 and 0, of which no array is made, since any size may be declared without weights. */
interface Scale {
  readonly gamma: Float32Array | undefined;
  readonly beta: Float32Array | undefined;
}

/** Reads gamma and beta, and the weights `more` after them. */
function readScale(config: Config, dims: readonly number[], weights: LayerWeights, more: readonly string[] = []) {
  const scale = config.get('scale').boolean(true);
  const center = config.get('center').boolean(true);
  const names = [...(scale ? ['gamma'] : []), ...(center ? ['beta'] : []), ...more];
  const specs = names.map((name) => ({ name, dims }));
  const values = weights.read({ folder: '' }, specs);
  const gamma = scale ? values.shift() : undefined;
  const beta = center ? values.shift() : undefined;
  return { gamma, beta, rest: values };
}

/** Notes options that are set, which is not supported. */
function checkOptions(config: Config, name: string, dialect: Dialect, keys: readonly string[]): void {
  for (const key of keys) {
    const { value } = config.get(key);
    if (value !== undefined && value !== null && value !== false) dialect.unsupported(`${key} of ${name}`);
  }
}

/** Reads keras.layers.BatchNormalization: (x - moving_mean) / sqrt(moving_variance + epsilon) gamma + beta. */
export function readBatchNormalization(config: Config, name: string, dialect: Dialect): LayerPlan {
  checkOptions(config, name, dialect, ['renorm', 'virtual_batch_size']);
  const epsilon = config.get('epsilon').number(1e-3);
  return {
    build([shape], weights) {
      const axes = readAxes(config.get('axis'), shape!.length);
      if (axes.length > 1) config.get('axis').refuse('unsupported', `one axis of ${name}`);
      const [size] = knownSizes(name, shape!, axes) as [number];
      const { gamma, beta, rest } = readScale(config, [size], weights, ['moving_mean', 'moving_variance']);
      const [mean, variance] = rest as [Float32Array, Float32Array];
      const factor = variance.map((value, k) => (gamma?.[k] ?? 1) / Math.sqrt(value + epsilon));
      const offset = mean.map((value, k) => (beta?.[k] ?? 0) - value * factor[k]!);
      const run = ([input]: readonly MaskedTensor[]): MaskedTensor[] => {
        const inner = product(input!.dims.slice(axes[0]! + 1));
        const data = input!.data.map((x, i) => {
          const k = Math.floor(i / inner) % size;
          return x * factor[k]! + offset[k]!;
        });
        return [{ ...input!, data }];
      };
      return { outputs: [shape!], layer: { run } };
    },
  };
}

/** Reads keras.layers.LayerNormalization over the last axis or axes: (x - mean) / sqrt(variance + epsilon) gamma + beta. */
export function readLayerNormalization(config: Config, name: string, dialect: Dialect): LayerPlan {
  checkOptions(config, name, dialect, ['rms_scaling']);
  const epsilon = config.get('epsilon').number(1e-3);
  return {
    build([shape], weights) {
      const axes = readAxes(config.get('axis'), shape!.length);
      if (axes[0] !== shape!.length - axes.length) config.get('axis').refuse('unsupported', `the last axes of ${name}`);
      const dims = knownSizes(name, shape!, axes);
      const size = product(dims);
      const scale = readScale(config, dims, weights);
      const run = ([input]: readonly MaskedTensor[]): MaskedTensor[] => {
        const data = input!.data.slice();
        for (let at = 0; at < data.length; at += size) normalize(data.subarray(at, at + size), epsilon, scale);
        return [{ ...input!, data }];
      };
      return { outputs: [shape!], layer: { run } };
    },
  };
}

/** Normalizes a row in place. */
function normalize(row: Float32Array, epsilon: number, { gamma, beta }: Scale): void {
  const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
  const variance = row.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / row.length;
  const factor = 1 / Math.sqrt(variance + epsilon);
  for (let k = 0; k < row.length; k++) row[k] = (row[k]! - mean) * factor * (gamma?.[k] ?? 1) + (beta?.[k] ?? 0);
}
