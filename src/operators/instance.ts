import { product } from '../base/tensor.ts';
import { onnxKernels } from '../cells/kernels.ts';
import { LAYER_NORM_BYTES, LayerNorm } from '../cells/walks.ts';
import type { Builder } from '../graph/builder.ts';
import { strides, walk } from '../graph/layout.ts';
import type { Value } from '../graph/value.ts';
import type { Operator, OperatorNode } from './node.ts';

// Normalisations over the positions of a channel or of a group of channels, and to a norm of 1.

const DEFAULT_EPSILON = Math.fround(1e-5);

/**
 * Normalises `groups` groups of channels of each input, which is rounded, and scales and shifts the channels.
 * @param scale [channels], as bias
 */
function normalizeGroups(
  node: OperatorNode,
  x: Value<Float32Array>,
  groups: number,
  scale: Value<Float32Array>,
  bias: Value<Float32Array>,
  epsilon: number,
  plan: Builder,
): Value {
  const { dims } = x;
  const [batch, channels] = dims as [number, number];
  const inner = product(dims.slice(2));
  const out = plan.make('float32', dims, node.path);
  if (out.count === 0) return out;
  plan.count(5 * channels, node.path);
  const factors = plan.scratch(2 * channels);
  const ones = plan.constant('float32', [channels], new Float32Array(channels).fill(1));
  const zeros = plan.constant('float32', [channels], new Float32Array(channels));
  const writes = [out, factors, plan.keep(LAYER_NORM_BYTES)];
  plan.kernel([x, scale, bias, ones, zeros], writes, (atX, atScale, atBias, atOnes, atZeros, to, ...own) => {
    const [atFactors, struct] = own as [number, number];
    const norm = new LayerNorm();
    Object.assign(norm, { x: atX, out: to, rows: batch * groups, n: (channels / groups) * inner });
    norm.write(struct);
    const { channel_affine_f32, channel_factors, layer_norm_f32 } = onnxKernels();
    return () => {
      layer_norm_f32(struct, epsilon);
      channel_factors(atScale, atOnes, 0, atFactors, channels);
      channel_affine_f32(to, atFactors, atZeros, atBias, to, batch, channels, inner);
    };
  });
  return out;
}

/** Checks X and parameters of `count` floats, or of a number for each channel. */
function readInputs(
  node: OperatorNode,
  [x, scale, bias]: readonly (Value | undefined)[],
  names: readonly [string, string, string],
  count?: number,
): [Value<Float32Array>, Value<Float32Array>, Value<Float32Array>] {
  const input = node.float32(names[0], x!);
  if (input.dims.length < 2) node.wrongShape(names[0], 'at least two axes', input.dims);
  const expected = count ?? input.dims[1]!;
  const [factor, offset] = [scale!, bias!].map((value, i) => {
    const parameter = node.float32(names[i + 1]!, value);
    if (value.dims.length !== 1 || value.count !== expected)
      node.wrongShape(names[i + 1]!, `[${expected}]`, value.dims);
    return parameter;
  }) as [Value<Float32Array>, Value<Float32Array>];
  return [input, factor, offset];
}

const instanceNormalization: Operator = {
  inputs: [3, 3],
  prepare(node) {
    const epsilon = node.float('epsilon', DEFAULT_EPSILON);
    return (inputs, plan) => {
      const [x, scale, bias] = readInputs(node, inputs, ['input', 'scale', 'B']);
      return [normalizeGroups(node, x, x.dims[1]!, scale, bias, epsilon, plan)];
    };
  },
};

const groupNormalization: Operator = {
  inputs: [3, 3],
  since: 18,
  prepare(node) {
    const epsilon = node.float('epsilon', DEFAULT_EPSILON);
    const groups = node.has('num_groups') ? node.int('num_groups', 0) : node.missing('attribute num_groups');
    // before operator set 21 scale and bias are a number for each group
    const perGroup = node.opset < 21;
    return (inputs, plan) => {
      const [x, scale, bias] = readInputs(node, inputs, ['X', 'scale', 'bias'], perGroup ? groups : undefined);
      const channels = x.dims[1]!;
      if (!(groups > 0) || channels % groups) node.wrongAttribute('num_groups', `a divisor of ${channels}`, groups);
      const each = channels / groups;
      const spread = (value: Value<Float32Array>): Value<Float32Array> => {
        if (!perGroup) return value;
        const out = plan.make('float32', [groups, each], node.path);
        plan.copy(value, 0, [1, 0], out);
        return out;
      };
      return [normalizeGroups(node, x, groups, spread(scale), spread(bias), epsilon, plan)];
    };
  },
};

/** Divides by the sum of sizes, or by the root of the sum of squares, in float64; zeros stay. */
const lpNormalization: Operator = {
  inputs: [1, 1],
  prepare(node) {
    const given = node.int('axis', -1);
    const p = node.int('p', 2);
    if (p !== 1 && p !== 2) node.wrongAttribute('p', '1 or 2', p);
    return ([a], plan) => {
      const x = node.float32('input', a!);
      const { dims, count } = x;
      const axis = node.axis(given, dims.length);
      const out = plan.make('float32', dims, node.path);
      plan.count(count, node.path);
      if (count === 0) return [out];
      const length = dims[axis]!;
      const steps = strides(dims);
      const step = steps[axis]!;
      plan.step([x, out], () => () => {
        const from = x.data;
        const to = out.data;
        walk(dims.with(axis, 1), [steps], (start) => {
          const end = start + length * step;
          let sum = 0;
          for (let i = start; i < end; i += step) sum += p === 1 ? Math.abs(from[i]!) : from[i]! * from[i]!;
          const norm = p === 1 ? sum : Math.sqrt(sum);
          for (let i = start; i < end; i += step) to[i] = norm === 0 ? 0 : from[i]! / norm;
        });
      });
      return [out];
    };
  },
};

export const INSTANCES: readonly (readonly [string, Operator])[] = [
  ['InstanceNormalization', instanceNormalization],
  ['GroupNormalization', groupNormalization],
  ['LpNormalization', lpNormalization],
];
