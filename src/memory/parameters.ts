import type { CellKind } from './cell-kind.ts';

/** The sizes of a recurrent module: PyTorch's constructor arguments, and numbers that follow from them. */
export interface LSTMSizes {
  readonly kind: CellKind;
  /** Whether it is a module of one step, as LSTMCell: one layer in one direction, and a state without a dimension of layers. */
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
  /** The size of the second state, c: H, or 0 if the cell has none */
  readonly cellSize: number;
  /** Rows of weight_ih, weight_hh and the biases: all gates */
  readonly gateRows: number;
  /** Units whose gates lie side by side in panels, which four gates fill: H, or 0 if rows keep their order */
  readonly units: number;
  /** Elements of all states of one sequence in one direction: h has size Ho, c cellSize. */
  readonly stateCount: number;
}

/** The name and shape of a parameter in a state dict. */
export interface ParameterSpec {
  readonly name: string;
  readonly dims: readonly number[];
}

type GivenSizes = Omit<LSTMSizes, 'directions' | 'outputSize' | 'cellSize' | 'gateRows' | 'units' | 'stateCount'>;

/** Completes sizes with the numbers that follow from them. */
export function lstmSizes(given: GivenSizes): LSTMSizes {
  const { kind, hiddenSize, numLayers } = given;
  const outputSize = given.projSize || hiddenSize;
  const cellSize = kind.states[1] ? hiddenSize : 0;
  return {
    ...given,
    directions: given.bidirectional ? 2 : 1,
    outputSize,
    cellSize,
    gateRows: kind.gates.length * hiddenSize,
    units: kind.gates.length === 4 ? hiddenSize : 0,
    stateCount: numLayers * (outputSize + cellSize),
  };
}

/** Gives the size of a layer's inputs: I for the first; for the others all directions' outputs side by side. */
export function layerInputSize(sizes: LSTMSizes, layer: number): number {
  return layer === 0 ? sizes.inputSize : sizes.outputSize * sizes.directions;
}

/** Gives the end of a parameter's name, after a kind like `weight_ih`. */
export function suffix({ cell }: Pick<LSTMSizes, 'cell'>, layer: number, direction = 0): string {
  return cell ? '' : `_l${layer}${direction ? '_reverse' : ''}`;
}

/** Lists the parameters of one layer in one direction with their kinds, in PyTorch's order. */
export function directionParameters(sizes: LSTMSizes, layer: number, direction: number) {
  const spec = <Kind extends string>(kind: Kind, ...dims: number[]) => ({
    kind,
    name: kind + suffix(sizes, layer, direction),
    dims,
  });
  return [
    spec('weight_ih', sizes.gateRows, layerInputSize(sizes, layer)),
    spec('weight_hh', sizes.gateRows, sizes.outputSize),
    ...(sizes.bias ? [spec('bias_ih', sizes.gateRows), spec('bias_hh', sizes.gateRows)] : []),
    ...(sizes.projSize ? [spec('weight_hr', sizes.projSize, sizes.hiddenSize)] : []),
  ];
}
