import { type Activation, activation, SPARE_BYTES } from '../cells/activations.ts';
import { onnxKernels } from '../cells/kernels.ts';
import { copyFloats } from '../memory/rows.ts';
import type { Operator, OperatorNode } from './node.ts';

// Activation functions that are operators of their own, by activate_f32. Fallbacks of attributes are float32 in ONNX.

function applied(since: number, read: (node: OperatorNode) => Activation): Operator {
  return {
    inputs: [1, 1],
    since,
    takesTurned: true,
    prepare(node) {
      const { kind, alpha, beta } = read(node);
      return ([a], plan) => {
        const x = node.float32('input', a!);
        const out = plan.makeLike('float32', x, node.path);
        const { count } = x;
        plan.kernel([x], [out, plan.scratch(SPARE_BYTES / 4)], (from, to, spare) => {
          const { activate_f32 } = onnxKernels();
          return () => {
            copyFloats(to, from, count);
            activate_f32(kind, alpha, beta, to, 1, count, spare);
          };
        });
        return [out];
      };
    },
  };
}

const float = (node: OperatorNode, name: string, fallback: number): number => node.float(name, Math.fround(fallback));

function gelu(node: OperatorNode): Activation {
  const approximate = node.string('approximate', 'none');
  if (approximate === 'tanh') return activation('geluTanh');
  return approximate === 'none' ? activation('gelu') : node.wrongAttribute('approximate', 'none or tanh', approximate);
}

export const FUNCTIONS: readonly (readonly [string, Operator])[] = [
  ['Gelu', applied(20, gelu)],
  ['Softplus', applied(7, () => activation('softplus'))],
  ['Softsign', applied(7, () => activation('softsign'))],
  ['HardSigmoid', applied(7, (node) => activation('hardSigmoid', float(node, 'alpha', 0.2), float(node, 'beta', 0.5)))],
  ['HardSwish', applied(14, () => activation('hardSilu'))],
  ['Elu', applied(7, (node) => activation('elu', float(node, 'alpha', 1)))],
  [
    'Selu',
    applied(7, (node) =>
      activation('scaledElu', float(node, 'alpha', 1.6732632423543772), float(node, 'gamma', 1.0507009873554805)),
    ),
  ],
  ['Celu', applied(12, (node) => activation('celu', float(node, 'alpha', 1)))],
  ['ThresholdedRelu', applied(10, (node) => activation('thresholdedRelu', float(node, 'alpha', 1)))],
  ['Mish', applied(18, () => activation('mish'))],
];
