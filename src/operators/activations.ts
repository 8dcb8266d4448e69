import { type Activation, activation } from '../cells/activations.ts';
import type { OperatorNode } from './node.ts';

interface Kind {
  readonly name: Parameters<typeof activation>[0];
  /** Defaults of the constants that the function has. Where ONNX has no such operator any more, they are ONNX Runtime's. */
  readonly alpha?: number;
  readonly beta?: number;
}

/** The activation functions of recurrent nodes, by their names in lower case. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['sigmoid', { name: 'sigmoid' }],
  ['tanh', { name: 'tanh' }],
  ['relu', { name: 'relu' }],
  ['affine', { name: 'affine', alpha: 0, beta: 0 }],
  ['leakyrelu', { name: 'leakyRelu', alpha: 0.01 }],
  ['thresholdedrelu', { name: 'thresholdedRelu', alpha: 1 }],
  ['scaledtanh', { name: 'scaledTanh', alpha: 0, beta: 0 }],
  ['hardsigmoid', { name: 'hardSigmoid', alpha: 0.2, beta: 0.5 }],
  ['elu', { name: 'elu', alpha: 1 }],
  ['softsign', { name: 'softsign' }],
  ['softplus', { name: 'softplus' }],
]);

/**
 * The functions of a node, as many a direction as there are `defaults`. As in ONNX Runtime, names count without regard to case, and only functions that
 * have an alpha or beta take one from the lists.
 */
export function readActivations(
  node: OperatorNode,
  defaults: readonly string[],
  directions: number,
): readonly Activation[] {
  if (node.functions) return node.functions;
  const names = node.strings('activations') ?? Array<readonly string[]>(directions).fill(defaults).flat();
  const count = defaults.length * directions;
  if (names.length !== count) {
    node.wrong('wrong-attribute', 'number of activations', count, names.length);
  }
  const alphas = node.floats('activation_alpha') ?? [];
  const betas = node.floats('activation_beta') ?? [];
  let nextAlpha = 0;
  let nextBeta = 0;
  return names.map((name) => {
    const known = KINDS.get(name.toLowerCase());
    if (!known) {
      return node.wrongAttribute('activations', [...KINDS.keys()].join(', '), name);
    }
    const alpha = known.alpha === undefined ? 0 : (alphas[nextAlpha++] ?? known.alpha);
    const beta = known.beta === undefined ? 0 : (betas[nextBeta++] ?? known.beta);
    return activation(known.name, alpha, beta);
  });
}
