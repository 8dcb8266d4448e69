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

/** The tensors of an nn.LSTM, by name. */
function lstmTensors(numbers: Numbers, prefix: string, I: number, H: number, layers: number): [string, Nested][] {
  return Array.from({ length: layers }, (_, layer): [string, Nested][] => [
    [`${prefix}weight_ih_l${layer}`, numbers.matrix(4 * H, layer === 0 ? I : H)],
    [`${prefix}weight_hh_l${layer}`, numbers.matrix(4 * H, H)],
    [`${prefix}bias_ih_l${layer}`, numbers.list(4 * H)],
    [`${prefix}bias_hh_l${layer}`, numbers.list(4 * H)],
  ]).flat();
}

export function guitarML({ seed = 1, I = 1, H = 3, layers = 1, skip = 1, bias = true } = {}) {
  const numbers = new Numbers(seed);
  const linear: [string, Nested][] = [['lin.weight', numbers.matrix(1, H)]];
  if (bias) linear.push(['lin.bias', numbers.list(1)]);
  return {
    model_data: {
      model: 'SimpleRNN',
      unit_type: 'LSTM',
      input_size: I,
      hidden_size: H,
      num_layers: layers,
      output_size: 1,
      skip,
      bias_fl: bias,
    },
    state_dict: Object.fromEntries([...lstmTensors(numbers, 'rec.', I, H, layers), ...linear]),
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

/** An LSTM and dense layers in Keras's form: `dense` gives each its size and activation. */
export function rtneural({ seed = 1, I = 1, H = 3, dense = [[1, '']] as [size: number, activation: string][] } = {}) {
  const numbers = new Numbers(seed);
  const shape = (size: number) => [null, null, size];
  let size = H;
  return {
    in_shape: shape(I),
    layers: [
      {
        type: 'lstm',
        activation: 'tanh',
        shape: shape(H),
        weights: [numbers.matrix(I, 4 * H), numbers.matrix(H, 4 * H), numbers.list(4 * H)],
      },
      ...dense.map(([outputs, activation]) => {
        const weights = [numbers.matrix(size, outputs), numbers.list(outputs)];
        size = outputs;
        return { type: 'dense', activation, shape: shape(outputs), weights };
      }),
    ],
  };
}

/** A PyTorch state dict: LSTMs of so many layers under their names, and a Linear `dense`. */
export function torchModules({ seed = 1, H = 3, lstms = [['lstm', 1]] as [name: string, layers: number][] } = {}) {
  const numbers = new Numbers(seed);
  const tensors = lstms.flatMap(([name, layers], i) => lstmTensors(numbers, `${name}.`, i === 0 ? 1 : H, H, layers));
  const linear: [string, Nested][] = [
    ['dense.weight', numbers.matrix(1, H)],
    ['dense.bias', numbers.list(1)],
  ];
  return Object.fromEntries([...linear, ...tensors]);
}
