import type { CellKind } from '../memory/cell-kind.ts';
import type { Values } from '../memory/pack.ts';
import type { LSTMSizes } from '../memory/parameters.ts';
import { optionsOf, Recurrent, type RecurrentOptions } from '../nn/recurrent.ts';
import { gruKernels } from './kernels.ts';
import type { HiddenState } from './state.ts';

/** The base of GRU and RNN. */
export abstract class HiddenLayers extends Recurrent<HiddenState> {
  /** L, layers on top of each other. */
  readonly numLayers: number;
  /** Whether input and output are (B, T, ...). */
  declare readonly batchFirst: boolean;
  /** Probability that an output of a layer is zeroed in training mode, the last layer excepted. */
  declare readonly dropout: number;
  /** Whether a second direction runs from the end of the sequence. */
  readonly bidirectional: boolean;

  constructor(kind: CellKind, inputSize: number, hiddenSize: number, options?: RecurrentOptions) {
    gruKernels();
    super(kind, false, inputSize, hiddenSize, options);
    this.numLayers = this.sizes.numLayers;
    this.bidirectional = this.sizes.bidirectional;
  }
}

/** Gives the options of a module with these sizes that starts from `values`: those of an LSTM without a projection. */
export function startOf(
  sizes: LSTMSizes,
  batchFirst: boolean | undefined,
  dropout: number | undefined,
  values: Values,
): Omit<RecurrentOptions, 'projSize'> {
  const { projSize, ...options } = optionsOf(sizes, batchFirst, dropout, values);
  return options;
}
