import { uniforms } from './random.ts';

// Small models in the formats of lstm-wasm/audio, made from a seed, each as the object that its JSON text stands for.

type Nested = number[] | number[][];

/** Numbers in ±1, as JSON arrays. */
class Numbers {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = uniforms(seed);
  }

  list(size: number): number[] {
    return Array.from({ length: size }, () => Math.fround(2 * this.#next() - 1));
  }

  matrix(rows: number, columns: number): number[][] {
    return Array.from({ length: rows }, () => this.list(columns));
  }
}

/** Recurrent modules by their rows for each unit. */
const GATES = { LSTM: 4, GRU: 3 };
type Unit = keyof typeof GATES;

/** The tensors of an nn.LSTM or nn.GRU, by name. */
function tensorsOf(
  unit: Unit,
  numbers: Numbers,
  prefix: string,
  I: number,
  H: number,
  layers: number,
): [string, Nested][] {
  const rows = GATES[unit] * H;
  return Array.from({ length: layers }, (_, layer): [string, Nested][] => [
    [`${prefix}weight_ih_l${layer}`, numbers.matrix(rows, layer === 0 ? I : H)],
    [`${prefix}weight_hh_l${layer}`, numbers.matrix(rows, H)],
    [`${prefix}bias_ih_l${layer}`, numbers.list(rows)],
    [`${prefix}bias_hh_l${layer}`, numbers.list(rows)],
  ]).flat();
}

export function guitarML({ seed = 1, I = 1, H = 3, layers = 1, skip = 1, bias = true, unit = 'LSTM' as Unit } = {}) {
  const numbers = new Numbers(seed);
  const linear: [string, Nested][] = [['lin.weight', numbers.matrix(1, H)]];
  if (bias) linear.push(['lin.bias', numbers.list(1)]);
  return {
    model_data: {
      model: 'SimpleRNN',
      unit_type: unit,
      input_size: I,
      hidden_size: H,
      num_layers: layers,
      output_size: 1,
      skip,
      bias_fl: bias,
    },
    state_dict: Object.fromEntries([...tensorsOf(unit, numbers, 'rec.', I, H, layers), ...linear]),
  };
}

export function nam({ seed = 1, I = 1, H = 3, layers = 1 } = {}) {
  const count = (size: number) => 4 * H * (size + H) + 4 * H + 2 * H;
  return {
    version: '0.5.4',
    architecture: 'LSTM',
    config: { input_size: I, hidden_size: H, num_layers: layers },
    weights: new Numbers(seed).list(count(I) + (layers - 1) * count(H) + H + 1),
    sample_rate: 48_000,
    metadata: { name: 'é😀' },
  };
}

/** An LSTM or GRU and dense layers in Keras's form: `dense` gives each its size and activation. */
export function rtneural({
  seed = 1,
  I = 1,
  H = 3,
  dense = [[1, '']] as [size: number, activation: string][],
  unit = 'LSTM' as Unit,
} = {}) {
  const rows = GATES[unit] * H;
  const numbers = new Numbers(seed);
  const shape = (size: number) => [null, null, size];
  let size = H;
  return {
    in_shape: shape(I),
    layers: [
      {
        type: unit.toLowerCase(),
        activation: 'tanh',
        shape: shape(H),
        weights: [
          numbers.matrix(I, rows),
          numbers.matrix(H, rows),
          unit === 'GRU' ? numbers.matrix(2, rows) : numbers.list(rows),
        ],
      },
      ...dense.map(([outputs, activation]) => {
        const weights = [numbers.matrix(size, outputs), numbers.list(outputs)];
        size = outputs;
        return { type: 'dense', activation, shape: shape(outputs), weights };
      }),
    ],
  };
}

/** A PyTorch state dict: LSTMs or GRUs of so many layers under their names, and a Linear `dense`. */
export function torchModules({
  seed = 1,
  H = 3,
  lstms = [['lstm', 1]] as [name: string, layers: number, unit?: Unit][],
} = {}) {
  const numbers = new Numbers(seed);
  const tensors = lstms.flatMap(([name, layers, unit = 'LSTM'], i) =>
    tensorsOf(unit, numbers, `${name}.`, i === 0 ? 1 : H, H, layers),
  );
  const linear: [string, Nested][] = [
    ['dense.weight', numbers.matrix(1, H)],
    ['dense.bias', numbers.list(1)],
  ];
  return Object.fromEntries([...linear, ...tensors]);
}
