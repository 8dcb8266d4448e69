import { ModelError } from './errors.ts';
import type { Values } from './pack.ts';
import { directionParameters, type LSTMSizes, lstmSizes, type ParameterSpec } from './parameters.ts';
import { entries, foundPrefixes, matchStateDict } from './state-dict.ts';
import { type AnyTensor, describe, formatDims, type StateDict } from './tensor.ts';

export interface Inferred {
  readonly sizes: LSTMSizes;
  readonly values: Values;
}

/**
 * Sizes and values of the nn.LSTM at `prefix`, checked as strictly as loading is; of the nn.LSTMCell if `cell`.
 * @throws ModelError that lists what does not fit
 */
export function infer(who: string, stateDict: StateDict, prefix: string, cell: boolean): Inferred {
  const all = entries(who, stateDict, prefix);
  const suffix = (layer: number) => (cell ? '' : `_l${layer}`);
  const has = (name: string) => all.has(prefix + name);
  const shape = (name: string): readonly number[] => {
    const dims: unknown = (all.get(prefix + name) as AnyTensor | undefined)?.dims;
    return Array.isArray(dims) ? dims.map((size) => (typeof size === 'number' ? size : Number.NaN)) : [];
  };
  const first = `weight_ih${suffix(0)}`;
  const [gates = 0, inputSize = 0] = shape(first);
  const hiddenSize = gates / 4;
  const [projSize = 0] = cell ? [] : shape(`weight_hr${suffix(0)}`);
  if (![hiddenSize, inputSize, projSize].every(Number.isSafeInteger) || hiddenSize < 1 || projSize >= hiddenSize) {
    const found = has(first) ? `${formatDims(shape(first))}, projSize ${projSize}` : 'no such key';
    throw new ModelError(
      `${who}: ${describe(prefix + first)} expected [4H, I], got ${found}${foundPrefixes(who, all, first)}`,
      { code: has(first) ? 'wrong-shape' : 'missing-key', path: prefix + first, expected: '[4H, I]', found },
    );
  }
  let numLayers = 1;
  while (!cell && has(`weight_ih${suffix(numLayers)}`)) numLayers++;
  const sizes = lstmSizes({
    inputSize,
    hiddenSize,
    numLayers,
    bias: has(`bias_ih${suffix(0)}`) || has(`bias_hh${suffix(0)}`),
    bidirectional: !cell && has(`${first}_reverse`),
    projSize,
  });
  const specs: ParameterSpec[] = [];
  for (let layer = 0; layer < numLayers; layer++) {
    specs.push(...directionParameters(sizes, layer, suffix(layer)));
    if (sizes.bidirectional) specs.push(...directionParameters(sizes, layer, `${suffix(layer)}_reverse`));
  }
  return { sizes, values: matchStateDict(who, specs, stateDict, prefix, { strict: true, int8: true }).values };
}
