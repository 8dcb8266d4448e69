/** What an LSTM is made of: PyTorch's constructor arguments, and what follows from them. */
export interface LSTMSizes {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly bidirectional: boolean;
  readonly projSize: number;
  /** D: 2 if bidirectional, else 1 */
  readonly directions: number;
  /** Ho, the size of h: projSize if there is a projection, else hiddenSize */
  readonly outputSize: number;
}

/** A state-dict key and the shape that belongs to it. */
export interface ParameterSpec {
  readonly name: string;
  readonly dims: readonly number[];
}

export function lstmSizes(given: Omit<LSTMSizes, 'directions' | 'outputSize'>): LSTMSizes {
  return { ...given, directions: given.bidirectional ? 2 : 1, outputSize: given.projSize || given.hiddenSize };
}

/** I of the first layer; both directions' outputs, side by side, for the others. */
export function layerInputSize(sizes: LSTMSizes, layer: number): number {
  return layer === 0 ? sizes.inputSize : sizes.outputSize * sizes.directions;
}

/** Parameters of one layer in one direction, in PyTorch's order; `suffix` such as `_l0_reverse`, or `` for a cell. */
export function directionParameters(sizes: LSTMSizes, layer: number, suffix: string): ParameterSpec[] {
  const gates = 4 * sizes.hiddenSize;
  return [
    { name: `weight_ih${suffix}`, dims: [gates, layerInputSize(sizes, layer)] },
    { name: `weight_hh${suffix}`, dims: [gates, sizes.outputSize] },
    ...(sizes.bias ? ['bias_ih', 'bias_hh'].map((name) => ({ name: name + suffix, dims: [gates] })) : []),
    ...(sizes.projSize ? [{ name: `weight_hr${suffix}`, dims: [sizes.projSize, sizes.hiddenSize] }] : []),
  ];
}
