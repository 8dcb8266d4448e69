/** What the matrices of an LSTM are made of: PyTorch's constructor arguments. */
export interface LSTMSizes {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly bidirectional: boolean;
  readonly projSize: number;
}

/** A state-dict key and the shape that belongs to it. */
export interface ParameterSpec {
  readonly name: string;
  readonly dims: readonly number[];
}

/** The size of h: the projection's if there is one. */
export function outputSize(sizes: LSTMSizes): number {
  return sizes.projSize || sizes.hiddenSize;
}

export function numDirections(sizes: LSTMSizes): number {
  return sizes.bidirectional ? 2 : 1;
}

/** I of the first layer; both directions' outputs, side by side, for the others. */
export function layerInputSize(sizes: LSTMSizes, layer: number): number {
  return layer === 0 ? sizes.inputSize : outputSize(sizes) * numDirections(sizes);
}

/** Parameters of one layer in one direction, in PyTorch's order; `suffix` such as `_l0_reverse`, or `` for a cell. */
export function directionParameters(sizes: LSTMSizes, layer: number, suffix: string): ParameterSpec[] {
  const gates = 4 * sizes.hiddenSize;
  const specs: ParameterSpec[] = [
    { name: `weight_ih${suffix}`, dims: [gates, layerInputSize(sizes, layer)] },
    { name: `weight_hh${suffix}`, dims: [gates, outputSize(sizes)] },
  ];
  if (sizes.bias) specs.push({ name: `bias_ih${suffix}`, dims: [gates] }, { name: `bias_hh${suffix}`, dims: [gates] });
  if (sizes.projSize) specs.push({ name: `weight_hr${suffix}`, dims: [sizes.projSize, sizes.hiddenSize] });
  return specs;
}
