import { type AnyTensor, formatDims, type StateDict } from '../base/tensor.ts';
import { LSTM_CELL } from '../memory/cell-kind.ts';
import type { Values } from '../memory/pack.ts';
import { directionParameters, type LSTMSizes, lstmSizes, type ParameterSpec, suffix } from '../memory/parameters.ts';
import { entries, matchStateDict, wrongMatrix } from './state-dict.ts';

/** The sizes and values of a module that a state dict describes. */
export interface FoundModule {
  readonly sizes: LSTMSizes;
  readonly values: Values;
}

/**
 * Reads the sizes and values of the nn.LSTM at `prefix`, or the nn.LSTMCell if `cell`, and checks them as loading does.
 * @throws ModelError that lists what does not fit
 */
export function readSizes(who: string, stateDict: StateDict, prefix: string, cell: boolean): FoundModule {
  const all = entries(who, stateDict, prefix);
  const named = (kind: string, layer = 0, direction = 0) => kind + suffix({ cell }, layer, direction);
  const has = (name: string) => all.has(prefix + name);
  const shape = (name: string): readonly number[] => {
    const dims: unknown = (all.get(prefix + name) as AnyTensor | undefined)?.dims;
    return Array.isArray(dims) ? dims.map((size) => (typeof size === 'number' ? size : Number.NaN)) : [];
  };
  const first = named('weight_ih');
  const [gates = 0, inputSize = 0] = shape(first);
  const hiddenSize = gates / LSTM_CELL.gates.length;
  const [projSize = 0] = cell ? [] : shape(named('weight_hr'));
  if (![hiddenSize, inputSize, projSize].every(Number.isSafeInteger) || hiddenSize < 1 || projSize >= hiddenSize) {
    const found = `${formatDims(shape(first))}, projSize ${projSize}`;
    throw wrongMatrix(who, all, prefix, first, '[4H, I]', found);
  }
  let numLayers = 1;
  while (!cell && has(named('weight_ih', numLayers))) numLayers++;
  const sizes = lstmSizes({
    kind: LSTM_CELL,
    cell,
    inputSize,
    hiddenSize,
    numLayers,
    bias: has(named('bias_ih')) || has(named('bias_hh')),
    bidirectional: !cell && has(named('weight_ih', 0, 1)),
    projSize,
  });
  const specs: ParameterSpec[] = [];
  for (let layer = 0; layer < numLayers; layer++) {
    for (let direction = 0; direction < sizes.directions; direction++) {
      specs.push(...directionParameters(sizes, layer, direction));
    }
  }
  return { sizes, values: matchStateDict(who, specs, stateDict, prefix).values };
}
