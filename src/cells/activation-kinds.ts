// The activation functions as values, apart from the kernels that compute them, which readers do not need.

/** The number of each function in the kernel. */
export const KINDS = {
  linear: 0,
  sigmoid: 1,
  tanh: 2,
  relu: 3,
  softmax: 4,
  logSoftmax: 5,
  exponential: 6,
  /** alpha tanh(beta x) */
  scaledTanh: 7,
  silu: 8,
  mish: 9,
  /** gelu by its approximation with tanh */
  geluTanh: 10,
  gelu: 11,
  /** alpha x + beta */
  affine: 12,
  /** x, below 0 alpha x */
  leakyRelu: 13,
  /** x, below alpha 0 */
  thresholdedRelu: 14,
  relu6: 15,
  /** alpha x + beta between 0 and 1 */
  hardSigmoid: 16,
  /** x times relu6(x + 3) / 6 */
  hardSilu: 17,
  /** x, below 0 alpha (e^x - 1) */
  elu: 18,
  selu: 19,
  softsign: 20,
  softplus: 21,
  /** beta times elu */
  scaledElu: 22,
  /** x, below 0 alpha (e^(x / alpha) - 1) */
  celu: 23,
} as const;

/** An activation function and its constants, rounded to float32; 0 if it has none. */
export interface Activation {
  readonly kind: number;
  readonly alpha: number;
  readonly beta: number;
}

/** Names an activation function. */
export function activation(name: keyof typeof KINDS, alpha = 0, beta = 0): Activation {
  return { kind: KINDS[name], alpha, beta };
}

/** Gives the name of an activation function: 'tanh'. */
export function activationName({ kind }: Activation): string {
  return Object.keys(KINDS)[kind]!;
}
