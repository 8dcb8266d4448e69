import type { StateDict } from '../base/tensor.ts';
import { type CellKind, classOf } from '../memory/cell-kind.ts';
import type { Values } from '../memory/pack.ts';
import { directionParameters, type LSTMSizes, lstmSizes, type ParameterSpec, suffix } from '../memory/parameters.ts';
import { dimsOf, entries, matchStateDict } from './state-dict.ts';

/** The sizes and values of a module that a state dict describes. */
export interface FoundModule {
  readonly sizes: LSTMSizes;
  readonly values: Values;
}

/**
 * Reads the sizes and values of the module at `prefix`, such as nn.LSTM, or nn.LSTMCell if `cell`, and checks them as loading does.
 * @throws ModelError that lists what does not fit
 */
export function readSizes(kind: CellKind, stateDict: StateDict, prefix = '', cell: boolean): FoundModule {
  const who = classOf(kind.gates.length, cell)!;
  const all = entries(who, stateDict, prefix);
  const named = (name: string, layer = 0, direction = 0) => name + suffix({ cell }, layer, direction);
  const has = (name: string) => all.has(prefix + name);
  const gateCount = kind.gates.length;
  const shape = (name: string, expected: string, fits: (dims: readonly number[]) => boolean) =>
    dimsOf(who, all, prefix, name, expected, fits) as readonly [number, number];
  const [gates, inputSize] = shape(
    named('weight_ih'),
    `[${gateCount > 1 ? gateCount : ''}H, I]`,
    ([rows, columns]) => rows! > 0 && rows! % gateCount === 0 && columns! >= 0,
  );
  const hiddenSize = gates / gateCount;
  const projection = named('weight_hr');
  const projSize =
    cell || !kind.states[1] || !has(projection)
      ? 0
      : shape(projection, '[P, H] with P below H', ([rows]) => rows! > 0 && rows! < hiddenSize)[0];
  let numLayers = 1;
  while (!cell && has(named('weight_ih', numLayers))) numLayers++;
  const sizes = lstmSizes({
    kind,
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
  return { sizes, values: matchStateDict(who, specs, all, prefix).values };
}
