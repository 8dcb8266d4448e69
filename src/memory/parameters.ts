/** What an LSTM is made of: PyTorch's constructor arguments, and what follows from them. */
export interface LSTMSizes {
  /** Whether it is an LSTMCell: one layer in one direction, whose state has no dimension for them */
  readonly cell: boolean;
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
  /** Elements of h and c of one sequence, one direction */
  readonly stateCount: number;
}

/** A state-dict key and the shape that belongs to it. */
export interface ParameterSpec {
  readonly name: string;
  readonly dims: readonly number[];
}

export function lstmSizes(given: Omit<LSTMSizes, 'directions' | 'outputSize' | 'stateCount'>): LSTMSizes {
  const { hiddenSize, numLayers } = given;
  const outputSize = given.projSize || hiddenSize;
  const stateCount = numLayers * (outputSize + hiddenSize);
  return { ...given, directions: given.bidirectional ? 2 : 1, outputSize, stateCount };
}

/** I of the first layer; both directions' outputs, side by side, for the others. */
export function layerInputSize(sizes: LSTMSizes, layer: number): number {
  return layer === 0 ? sizes.inputSize : sizes.outputSize * sizes.directions;
}

/** What follows the kind of a parameter, such as `weight_ih`, in its name. */
export function suffix({ cell }: Pick<LSTMSizes, 'cell'>, layer: number, direction = 0): string {
  return cell ? '' : `_l${layer}${direction ? '_reverse' : ''}`;
}

/** Parameters of one layer in one direction by kind, in PyTorch's order. */
export function directionParameters(sizes: LSTMSizes, layer: number, direction: number) {
  const gates = 4 * sizes.hiddenSize;
  const spec = <Kind extends string>(kind: Kind, ...dims: number[]) => ({
    kind,
    name: kind + suffix(sizes, layer, direction),
    dims,
  });
  return [
    spec('weight_ih', gates, layerInputSize(sizes, layer)),
    spec('weight_hh', gates, sizes.outputSize),
    ...(sizes.bias ? [spec('bias_ih', gates), spec('bias_hh', gates)] : []),
    ...(sizes.projSize ? [spec('weight_hr', sizes.projSize, sizes.hiddenSize)] : []),
  ];
}
