import type { Config } from './config.ts';
import type { Dialect, LayerWeights, Plan } from './plan.ts';
import { isLastAxis, lastSize } from './shapes.ts';
import type { Value } from './value.ts';

interface Scale {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
}

/** gamma and beta, ones and zeros where a layer has none of them, and the weights after them. */
function readScale(config: Config, size: number, weights: LayerWeights, more: readonly string[] = []) {
  const scale = config.get('scale').boolean(true);
  const center = config.get('center').boolean(true);
  const names = [...(scale ? ['gamma'] : []), ...(center ? ['beta'] : []), ...more];
  const specs = names.map((name) => ({ name, dims: [size] }));
  const values = weights.read({ folder: '' }, specs);
  const gamma = scale ? values.shift()! : new Float32Array(size).fill(1);
  const beta = center ? values.shift()! : new Float32Array(size);
  return { gamma, beta, rest: values };
}

function checkOptions(config: Config, name: string, dialect: Dialect, keys: readonly string[]): void {
  for (const key of keys) {
    const { value } = config.get(key);
    if (value !== undefined && value !== null && value !== false) dialect.unsupported(`${key} of ${name}`);
  }
}

function checkAxis(config: Config, name: string, dialect: Dialect): void {
  const axis = config.get('axis');
  if (axis.isArray && axis.items().length !== 1) dialect.unsupported(`several axes of ${name}`);
}

/** keras.layers.BatchNormalization: (x - moving_mean) / sqrt(moving_variance + epsilon) gamma + beta */
export function readBatchNormalization(config: Config, name: string, dialect: Dialect): Plan {
  checkOptions(config, name, dialect, ['renorm', 'virtual_batch_size']);
  checkAxis(config, name, dialect);
  const epsilon = config.get('epsilon').number(1e-3);
  return {
    build([shape], weights) {
      const size = lastSize(name, shape!);
      const axis = config.get('axis');
      if (!isLastAxis(axis, shape!.length)) axis.refuse('unsupported', `the last axis of ${name}`);
      const { gamma, beta, rest } = readScale(config, size, weights, ['moving_mean', 'moving_variance']);
      const [mean, variance] = rest as [Float32Array, Float32Array];
      const factor = gamma.map((value, k) => value / Math.sqrt(variance[k]! + epsilon));
      const offset = beta.map((value, k) => value - mean[k]! * factor[k]!);
      const run = ([input]: readonly Value[]): Value[] => {
        const data = input!.data.map((x, i) => x * factor[i % size]! + offset[i % size]!);
        return [{ ...input!, data }];
      };
      return { outputs: [shape!], layer: { run } };
    },
  };
}

/** keras.layers.LayerNormalization over the last axis: (x - mean) / sqrt(variance + epsilon) gamma + beta */
export function readLayerNormalization(config: Config, name: string, dialect: Dialect): Plan {
  checkOptions(config, name, dialect, ['rms_scaling']);
  checkAxis(config, name, dialect);
  const epsilon = config.get('epsilon').number(1e-3);
  return {
    build([shape], weights) {
      const size = lastSize(name, shape!);
      const axis = config.get('axis');
      if (!isLastAxis(axis, shape!.length)) axis.refuse('unsupported', `the last axis of ${name}`);
      const scale = readScale(config, size, weights);
      const run = ([input]: readonly Value[]): Value[] => {
        const data = input!.data.slice();
        for (let at = 0; at < data.length; at += size) normalize(data.subarray(at, at + size), epsilon, scale);
        return [{ ...input!, data }];
      };
      return { outputs: [shape!], layer: { run } };
    },
  };
}

function normalize(row: Float32Array, epsilon: number, { gamma, beta }: Scale): void {
  const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
  const variance = row.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / row.length;
  const factor = 1 / Math.sqrt(variance + epsilon);
  for (let k = 0; k < row.length; k++) row[k] = (row[k]! - mean) * factor * gamma[k]! + beta[k]!;
}
