import { product } from '../base/tensor.ts';
import { Value } from '../graph/value.ts';
import { batchNormalization, layerNormalization } from '../operators/normalize.ts';
import type { Config } from './config.ts';
import type { Dialect, LayerPlan, LayerWeights } from './plan.ts';
import { knownSizes, readAxes } from './shapes.ts';

/** Reads gamma and beta, and the weights `more` after them. */
function readScale(config: Config, dims: readonly number[], weights: LayerWeights, more: readonly string[] = []) {
  const scale = config.get('scale').boolean(true);
  const center = config.get('center').boolean(true);
  const names = [...(scale ? ['gamma'] : []), ...(center ? ['beta'] : []), ...more];
  const values = [
    ...weights.read(
      { folder: '' },
      names.map((name) => ({ name, dims })),
    ),
  ];
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

/** A vector of one number. */
function filled(count: number, value: number): Value<Float32Array> {
  return Value.of('float32', [count], new Float32Array(count).fill(value));
}

/** Reads keras.layers.BatchNormalization: (x - moving_mean) / sqrt(moving_variance + epsilon) gamma + beta. */
export function readBatchNormalization(config: Config, name: string, dialect: Dialect): LayerPlan {
  checkOptions(config, name, dialect, ['renorm', 'virtual_batch_size']);
  const epsilon = config.get('epsilon').number(1e-3);
  return {
    build([input], { graph, weights }) {
      const { shape, slot, mask } = input!;
      const axes = readAxes(config.get('axis'), shape.length);
      if (axes.length > 1) config.get('axis').refuse('unsupported', `one axis of ${name}`);
      const [size] = knownSizes(name, shape, axes) as [number];
      const { gamma, beta, rest } = readScale(config, [size], weights, ['moving_mean', 'moving_variance']);
      const parameters = [gamma ?? filled(size, 1), beta ?? filled(size, 0), ...rest];
      const axis = axes[0]!;
      const channels = graph.view(slot, (dims) => [product(dims.slice(0, axis)), size, product(dims.slice(axis + 1))]);
      const made = graph.node(batchNormalization, [channels, ...parameters], { epsilon });
      return [{ slot: graph.view(made, (_, dims) => dims!, [slot]), shape, mask }];
    },
  };
}

/** Reads keras.layers.LayerNormalization over the last axis or axes: (x - mean) / sqrt(variance + epsilon) gamma + beta. */
export function readLayerNormalization(config: Config, name: string, dialect: Dialect): LayerPlan {
  checkOptions(config, name, dialect, ['rms_scaling']);
  const epsilon = config.get('epsilon').number(1e-3);
  return {
    build([input], { graph, weights }) {
      const { shape, slot, mask } = input!;
      const axes = readAxes(config.get('axis'), shape.length);
      if (axes[0] !== shape.length - axes.length) config.get('axis').refuse('unsupported', `the last axes of ${name}`);
      const dims = knownSizes(name, shape, axes);
      const { gamma, beta } = readScale(config, dims, weights);
      // of one number: any size may be declared without weights
      const parameters = [slot, gamma ?? filled(1, 1), beta];
      const [made] = graph.nodes(layerNormalization, parameters, 3, { axis: axes[0], epsilon });
      return [{ slot: made!, shape, mask }];
    },
  };
}
