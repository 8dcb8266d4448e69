import { formatDims, product } from '../base/tensor.ts';
import { onnxKernels } from '../cells/kernels.ts';
import { LAYER_NORM_BYTES, LayerNorm } from '../cells/walks.ts';
import type { Builder } from '../graph/builder.ts';
import { broadcastDims, stretchedSteps } from '../graph/layout.ts';
import type { Value } from '../graph/value.ts';
import type { Operator, OperatorNode } from './node.ts';

// Normalisation with parameters, of channels or of the last axes, in float64.

/** y = x * factor + offset for each channel, in float64. */
export const batchNormalization: Operator = {
  inputs: [5, 5],
  outputs: [1, 5],
  takesTurned: true,
  limits: 'training_mode, spatial = 0',
  prepare(node) {
    const epsilon = node.float('epsilon', Math.fround(1e-5));
    if (node.flag('training_mode') || (node.opset < 9 && node.int('spatial', 1) !== 1)) {
      node.wrong('unsupported', 'attributes', 'inference', 'another mode');
    }
    if (node.outputs.slice(1).some(Boolean)) {
      node.wrong('unsupported', 'outputs', 1, node.outputs.length);
    }
    return ([x, ...parameters], plan) => {
      const input = node.float32('X', x!);
      const { dims } = input;
      const channels = dims.length > 1 ? dims[1]! : 1;
      const [scale, bias, means, variances] = ['scale', 'B', 'mean', 'var'].map((what, i) => {
        const value = node.float32(what, parameters[i]!);
        if (value.dims.length !== 1 || value.dims[0] !== channels) node.wrongShape(what, `[${channels}]`, value.dims);
        return value;
      }) as [Value<Float32Array>, Value<Float32Array>, Value<Float32Array>, Value<Float32Array>];
      const out = plan.makeLike('float32', input, node.path);
      if (out.count === 0) return [out];
      const inner = input.turned ? 1 : product(dims.slice(2));
      const outer = input.count / channels / inner;
      const factors = plan.scratch(2 * channels);
      const inputs = [input, scale, bias, means, variances];
      plan.kernel(inputs, [out, factors], (atX, atScale, atBias, atMeans, atVariances, to, atFactors) => {
        const { channel_factors, channel_affine_f32 } = onnxKernels();
        return () => {
          channel_factors(atScale, atVariances, epsilon, atFactors, channels);
          channel_affine_f32(atX, atFactors, atMeans, atBias, to, outer, channels, inner);
        };
      });
      return [out];
    };
  },
};

export const layerNormalization: Operator = {
  inputs: [2, 3],
  outputs: [1, 3],
  since: 17,
  prepare(node) {
    const given = node.int('axis', -1);
    const epsilon = node.float('epsilon', Math.fround(1e-5));
    return ([x, scale, bias], plan) => {
      const input = node.float32('X', x!);
      const { dims } = input;
      const axis = node.axis(given, dims.length);
      const size = product(dims.slice(axis));
      const factor = parameter(node, 'Scale', scale!, dims, axis, plan);
      const offset = bias && parameter(node, 'B', bias, dims, axis, plan);
      const out = plan.make('float32', dims, node.path);
      const statistics = dims.map((length, i) => (i < axis ? length : 1));
      const means = plan.make('float32', statistics, node.path);
      const inverses = plan.make('float32', statistics, node.path);
      if (out.count === 0) return [out, means, inverses];
      const writes = [out, means, inverses, plan.keep(LAYER_NORM_BYTES)];
      plan.kernel([input, factor, offset], writes, (...pointers) => {
        const [x, scale, bias, to, atMeans, atInverses, struct] = pointers as [
          number,
          number,
          number,
          number,
          number,
          number,
          number,
        ];
        const norm = new LayerNorm();
        const scaleStride = factor.count === size ? 0 : 4 * size;
        const biasStride = offset?.count === size ? 0 : 4 * size;
        Object.assign(norm, { x, scale, scaleStride, bias, biasStride, out: to, rows: means.count, n: size });
        norm.means = atMeans;
        norm.inverses = atInverses;
        norm.write(struct);
        const { layer_norm_f32 } = onnxKernels();
        return () => layer_norm_f32(struct, epsilon);
      });
      return [out, means, inverses];
    };
  },
};

/** Stretches a parameter to the normalised axes, or to all of `dims` if it differs along the others. */
function parameter(
  node: OperatorNode,
  what: string,
  value: Value,
  dims: readonly number[],
  axis: number,
  plan: Builder,
): Value<Float32Array> {
  const given = node.float32(what, value);
  const outer = Math.max(0, value.dims.length - dims.length + axis);
  const isInner = value.dims.length <= dims.length && product(value.dims.slice(0, outer)) === 1;
  const own = isInner ? value.dims.slice(outer) : value.dims;
  const to = isInner ? dims.slice(axis) : dims;
  if (broadcastDims(own, to)?.join() !== to.join()) {
    node.wrongShape(what, `dims that stretch to ${formatDims(dims)}`, value.dims);
  }
  // an input without elements has nothing to scale, however large its other sizes
  if (given.count === product(to) || product(dims) === 0) return given;
  const out = plan.make('float32', to, node.path);
  plan.copy(given, 0, stretchedSteps(own, to), out);
  return out;
}
