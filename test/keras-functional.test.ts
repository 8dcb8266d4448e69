import { describe, expect, test } from 'vitest';
import { loadKeras, ModelError } from '../src/keras.ts';
import { lstmWeights, nested, noise, sequential, tfjs, type Weight } from './support/keras-files.ts';

// Functional models as Keras 3 writes them. Their masks are operations, which layers have as an argument; what it computes is what
// a Sequential model does, in which a mask comes along with the sequence.

const tensor = (name: string, shape: (number | null)[], dtype = 'float32') => ({
  class_name: '__keras_tensor__',
  config: { shape, dtype, keras_history: [name, 0, 0] },
});

/** A layer of a functional model of Keras 3. */
function called(
  module: string,
  class_name: string,
  name: string,
  config: object,
  args: unknown[],
  kwargs: object = {},
) {
  const inbound_nodes = args.length > 0 ? [{ args, kwargs }] : [];
  return { module, class_name, config, registered_name: null, name, inbound_nodes };
}

const layer = (className: string, config: any, args: unknown[], kwargs?: object) =>
  called('keras.layers', className, config.name, config, args, kwargs);
// an operation's configuration has no name
const operation = (className: string, name: string, config: object, args: unknown[]) =>
  called('keras.src.ops.numpy', className, name, config, args);

function functional(layers: object[], output: string) {
  const config = { name: 'f', trainable: true, layers, input_layers: ['in', 0, 0], output_layers: [output, 0, 0] };
  return { module: 'keras.src.models.functional', class_name: 'Functional', config, registered_name: 'Functional' };
}

const lstm = { units: 3, activation: 'tanh', recurrent_activation: 'sigmoid', return_sequences: true };
const both = { name: 'both', layer: { class_name: 'LSTM', config: { name: 'inner', ...lstm } } };
const weights: Record<string, Weight> = {
  'e/embeddings': noise([6, 4], 1),
  ...lstmWeights('a', 4, 3, 2),
  ...lstmWeights('both/forward_inner', 3, 3, 5),
  ...lstmWeights('both/backward_inner', 3, 3, 8),
};
const words = nested([
  [1, 0, 5, 2, 0],
  [0, 0, 3, 0, 4],
]);

function predict(model: object, input: Weight, used = weights) {
  const loaded = loadKeras(tfjs({ model_config: model }, used, '3.8.0'));
  const { data, dims } = loaded.predict(input);
  loaded.dispose();
  return { data: [...data], dims };
}

const input = (shape: (number | null)[]) =>
  layer('InputLayer', { name: 'in', batch_shape: shape, dtype: 'float32' }, []);
const sequence = (name: string, width: number) => tensor(name, [null, 5, width]);
const mask = (name: string) => tensor(name, [null, 5], 'bool');
const recurrent = (from: string, maskName: string | undefined) => {
  const kwargs = { training: false, mask: maskName === undefined ? null : mask(maskName) };
  return [
    layer('LSTM', { name: 'a', ...lstm }, [sequence(from, 4)], kwargs),
    layer('Bidirectional', both, [sequence('a', 3)], kwargs),
  ];
};
const embedding = { name: 'e', input_dim: 6, output_dim: 4, mask_zero: true };

test('NotEqual, of an Embedding', () => {
  const model = functional(
    [
      input([null, 5]),
      layer('Embedding', embedding, [tensor('in', [null, 5])]),
      operation('NotEqual', 'not_equal', {}, [tensor('in', [null, 5]), 0]),
      ...recurrent('e', 'not_equal'),
    ],
    'both',
  );
  const plain = sequential(
    [
      ['Embedding', embedding],
      ['LSTM', { name: 'a', ...lstm }],
      ['Bidirectional', both],
    ],
    [null, 5],
  );
  expect(predict(model, words)).toEqual(predict(plain, words));
});

test('NotEqual and Any, of Masking', () => {
  const { 'e/embeddings': _, ...used } = weights;
  const x = noise([2, 5, 4], 3);
  for (const row of [1, 4, 5]) x.data.fill(-1, 4 * row, 4 * row + 4);
  x.data[0] = -1;
  const masking = { name: 'm', mask_value: -1 };
  const model = functional(
    [
      input([null, 5, 4]),
      layer('Masking', masking, [sequence('in', 4)]),
      operation('NotEqual', 'not_equal', {}, [sequence('in', 4), -1]),
      operation('Any', 'any', { axis: -1, keepdims: false }, [sequence('not_equal', 4)]),
      ...recurrent('m', 'any'),
    ],
    'both',
  );
  const plain = sequential(
    [
      ['Masking', masking],
      ['LSTM', { name: 'a', ...lstm }],
      ['Bidirectional', both],
    ],
    [null, 5, 4],
  );
  expect(predict(model, x, used)).toEqual(predict(plain, x, used));
});

test('a mask of the model stands in place of the one that comes along', () => {
  const layers = (number: number) => [
    input([null, 5]),
    layer('Embedding', { ...embedding, mask_zero: false }, [tensor('in', [null, 5])]),
    operation('NotEqual', 'not_equal', {}, [tensor('in', [null, 5]), number]),
    ...recurrent('e', 'not_equal'),
  ];
  const swapped = { data: words.data.map((x) => (x === 0 ? 5 : x === 5 ? 0 : x)), dims: words.dims };
  const table = noise([6, 4], 1).data;
  const rows = [5, 1, 2, 3, 4, 0].flatMap((row) => [...table.subarray(4 * row, 4 * row + 4)]);
  const other = { ...weights, 'e/embeddings': { data: Float32Array.from(rows), dims: [6, 4] } };
  expect(predict(functional(layers(0), 'both'), words)).toEqual(predict(functional(layers(5), 'both'), swapped, other));
});

test('inputs and outputs by names', () => {
  const layers = [input([null, 5, 4]), layer('LSTM', { name: 'a', ...lstm }, [sequence('in', 4)])];
  const { config } = functional(layers, 'a');
  const named = { ...config, input_layers: { x: ['in', 0, 0] }, output_layers: { y: ['a', 0, 0], again: ['a', 0, 0] } };
  const model = { class_name: 'Functional', config: named };
  const loaded = loadKeras(tfjs({ model_config: model }, lstmWeights('a', 4, 3, 2), '3.8.0'));
  expect(loaded.inputs.map(({ name }) => name)).toEqual(['in']);
  const results = loaded.predict([noise([1, 5, 4])]);
  expect(results).toHaveLength(2);
  expect(results[1]).toEqual(results[0]);
  loaded.dispose();
});

describe('with an initial state', () => {
  const one = { name: 'a', ...lstm };
  const states = ['h', 'c'].map((name) => tensor(name, [null, 3]));
  const inputs = ['h', 'c'].map((name) => layer('InputLayer', { name, batch_shape: [null, 3] }, []));
  const model = (maskZero: boolean, mask: object | null) => {
    const layers = [
      input([null, 5]),
      ...inputs,
      layer('Embedding', { ...embedding, mask_zero: maskZero }, [tensor('in', [null, 5])]),
      operation('NotEqual', 'not_equal', {}, [tensor('in', [null, 5]), 0]),
      layer('LSTM', one, [sequence('e', 4)], { initial_state: states, mask }),
    ];
    const { config } = functional(layers, 'a');
    return {
      class_name: 'Functional',
      config: { ...config, input_layers: ['in', 'h', 'c'].map((name) => [name, 0, 0]) },
    };
  };
  const run = (maskZero: boolean, mask: object | null, version = '3.8.0') => {
    const used = { 'e/embeddings': weights['e/embeddings']!, ...lstmWeights('a', 4, 3, 2) };
    const loaded = loadKeras(tfjs({ model_config: model(maskZero, mask) }, used, version));
    const [result] = loaded.predict([words, noise([2, 3], 20), noise([2, 3], 21)]);
    loaded.dispose();
    return [...result!.data];
  };
  const [masked, unmasked] = [run(false, mask('not_equal')), run(false, null)];

  test('Keras 3 has no mask for an LSTM but one that is an argument', () => {
    expect(masked).not.toEqual(unmasked);
    expect(run(true, null)).toEqual(unmasked);
    expect(run(true, mask('not_equal'))).toEqual(masked);
  });

  test('Keras 2 has that of the input', () => {
    expect(run(true, null, '2.15.0')).toEqual(masked);
  });
});

describe('refused', () => {
  const refusal = (layers: object[]) => {
    try {
      predict(functional(layers, 'both'), words);
    } catch (error) {
      expect(error).toBeInstanceOf(ModelError);
      return (error as ModelError).message;
    }
    throw new Error('it loads');
  };
  const head = [input([null, 5]), layer('Embedding', embedding, [tensor('in', [null, 5])])];
  const notEqual = (args: unknown[]) => operation('NotEqual', 'not_equal', {}, args);

  test.each<[string, object[], string]>([
    ['a mask that is not there', [...head, ...recurrent('e', 'not_equal')], '"a" takes "not_equal", which is no layer'],
    [
      'a mask of another shape',
      [...head, ...recurrent('e', 'e')],
      'the mask of "a" expected [any, 5], got [any, 5, 4]',
    ],
    [
      'a comparison of two tensors',
      [...head, notEqual([tensor('in', [null, 5]), tensor('in', [null, 5])]), ...recurrent('e', 'not_equal')],
      'arguments of "not_equal" but a tensor and a number',
    ],
    [
      'a number for another layer',
      [head[0]!, layer('Embedding', embedding, [tensor('in', [null, 5]), 7]), ...recurrent('e', undefined)],
      'the argument 7 of "e"',
    ],
    [
      'another operation',
      [...head, operation('Equal', 'equal', {}, [tensor('in', [null, 5]), 0]), ...recurrent('e', 'equal')],
      'Equal ("equal")',
    ],
  ])('%s', (_, layers, message) => expect(refusal(layers)).toContain(message));

  test('several outputs of a layer in a Sequential model', () => {
    const model = sequential([['LSTM', { name: 'a', ...lstm, return_state: true }]], [null, 5, 4]);
    expect(() => predict(model, noise([1, 5, 4]), lstmWeights('a', 4, 3))).toThrow(
      'return_state of "a" in a Sequential model',
    );
  });
});
