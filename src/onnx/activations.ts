import type { OperatorNode } from './node.ts';

/** An activation function of a recurrent node: its number in assembly/onnx/cell.ts, and its constants. */
export interface Activation {
  readonly kind: number;
  readonly alpha: number;
  readonly beta: number;
}

export const SIGMOID = 0;
export const TANH = 1;

interface Kind {
  readonly kind: number;
  /** Defaults of the constants that the function has. Where ONNX has no such operator any more, they are ONNX Runtime's. */
  readonly alpha?: number;
  readonly beta?: number;
}

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['sigmoid', { kind: SIGMOID }],
  ['tanh', { kind: TANH }],
  ['relu', { kind: 2 }],
  ['affine', { kind: 3, alpha: 0, beta: 0 }],
  ['leakyrelu', { kind: 4, alpha: 0.01 }],
  ['thresholdedrelu', { kind: 5, alpha: 1 }],
  ['scaledtanh', { kind: 6, alpha: 0, beta: 0 }],
  ['hardsigmoid', { kind: 7, alpha: 0.2, beta: 0.5 }],
  ['elu', { kind: 8, alpha: 1 }],
  ['softsign', { kind: 9 }],
  ['softplus', { kind: 10 }],
]);

/**
 * The functions of a node, three a direction. As in ONNX Runtime, names count without regard to case, and only functions that
 * have an alpha or beta take one from the lists.
 */
export function readActivations(node: OperatorNode, directions: number): Activation[] {
  const names = node.strings('activations') ?? Array(directions).fill(['Sigmoid', 'Tanh', 'Tanh']).flat();
  const count = 3 * directions;
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
    return { kind: known.kind, alpha, beta };
  });
}
