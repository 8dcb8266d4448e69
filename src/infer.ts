import { ModelError } from './errors.ts';
import { directionParameters, type LSTMSizes } from './parameters.ts';
import { describePrefixes, entries, findPrefixes, matchStateDict, quote } from './state-dict.ts';
import { type AnyTensor, formatDims, type StateDict, wrongType } from './tensor.ts';

export interface Inferred {
  readonly sizes: LSTMSizes;
  readonly values: ReadonlyMap<string, Float32Array>;
}

/** Sizes and values of the nn.LSTM at `prefix`, checked as strictly as loading is. */
export function inferLSTM(stateDict: StateDict, prefix: string): Inferred {
  const find = finder('LSTM', stateDict, prefix, 'weight_ih_l0');
  let numLayers = 1;
  while (find.has(`weight_ih_l${numLayers}`)) numLayers++;
  const [gates, inputSize] = find.matrix('weight_ih_l0');
  const sizes: LSTMSizes = {
    inputSize,
    hiddenSize: find.hiddenSize('weight_ih_l0', gates),
    numLayers,
    bias: find.has('bias_ih_l0') || find.has('bias_hh_l0'),
    bidirectional: find.has('weight_ih_l0_reverse'),
    projSize: find.has('weight_hr_l0') ? find.matrix('weight_hr_l0')[0] : 0,
  };
  if (sizes.projSize >= sizes.hiddenSize) {
    throw find.wrong('weight_hr_l0', `fewer than ${sizes.hiddenSize} rows`, String(sizes.projSize));
  }
  const specs = [];
  for (let layer = 0; layer < numLayers; layer++) {
    specs.push(...directionParameters(sizes, layer, `_l${layer}`));
    if (sizes.bidirectional) specs.push(...directionParameters(sizes, layer, `_l${layer}_reverse`));
  }
  return { sizes, values: matchStateDict('LSTM', specs, stateDict, prefix, true).values };
}

/** Sizes and values of the nn.LSTMCell at `prefix`. */
export function inferLSTMCell(stateDict: StateDict, prefix: string): Inferred {
  const find = finder('LSTMCell', stateDict, prefix, 'weight_ih');
  const [gates, inputSize] = find.matrix('weight_ih');
  const sizes: LSTMSizes = {
    inputSize,
    hiddenSize: find.hiddenSize('weight_ih', gates),
    numLayers: 1,
    bias: find.has('bias_ih') || find.has('bias_hh'),
    bidirectional: false,
    projSize: 0,
  };
  return {
    sizes,
    values: matchStateDict('LSTMCell', directionParameters(sizes, 0, ''), stateDict, prefix, true).values,
  };
}

function finder(who: string, stateDict: StateDict, prefix: string, first: string) {
  if (typeof prefix !== 'string') throw wrongType(who, 'prefix', 'a string', prefix);
  const all = entries(who, stateDict);
  const has = (name: string) => all.has(prefix + name);
  const wrong = (name: string, expected: string, found: string) =>
    new ModelError(`${who}: ${quote(prefix + name)} expected ${expected}, got ${found}`, {
      code: 'wrong-shape',
      path: prefix + name,
      expected,
      found,
    });
  if (!has(first)) {
    throw new ModelError(
      `${who}: no ${quote(prefix + first)} in the state dict${describePrefixes(who, findPrefixes(all, first))}`,
      { code: 'missing-key', path: prefix + first, expected: 'a matrix', found: undefined },
    );
  }
  const matrix = (name: string): readonly [number, number] => {
    const dims: unknown = (all.get(prefix + name) as AnyTensor | undefined)?.dims;
    if (!Array.isArray(dims) || dims.length !== 2 || dims.some((size) => !Number.isSafeInteger(size) || size < 0)) {
      throw wrong(name, 'a matrix', Array.isArray(dims) ? formatDims(dims) : 'no dims');
    }
    return [dims[0], dims[1]];
  };
  const hiddenSize = (name: string, gates: number) => {
    if (gates === 0 || gates % 4 !== 0) throw wrong(name, 'rows in four equal blocks, one a gate', `${gates} rows`);
    return gates / 4;
  };
  return { has, matrix, hiddenSize, wrong };
}
