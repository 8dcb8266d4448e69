import { describe, expect, test } from 'vitest';
import { bytesUsed } from '../src/index.ts';
import { loadKeras } from '../src/keras.ts';
import { lstmWeights, nested, noise, sequential, tfjs, type Weight } from './support/keras-files.ts';
import { refusal } from './support/refusals.ts';
import { soon } from './support/work.ts';

// Models in models, layers that are called several times, and masks of several inputs, as Keras 2 and TensorFlow.js write them.

const input = (name: string, shape: (number | null)[]) => ({
  name,
  class_name: 'InputLayer',
  config: { name, batch_input_shape: shape },
  inbound_nodes: [] as unknown[],
});
/** A layer and the sources of each of its calls; a source is a name, or a name and the number of its call. */
const layer = (class_name: string, name: string, config: object, ...calls: (string | [string, number])[][]) => ({
  name,
  class_name,
  config: { name, ...config },
  inbound_nodes: calls.map((sources) =>
    sources.map((source) => [...[source].flat(), 0].slice(0, 2).concat(0, {} as never)),
  ),
});
const functional = (
  name: string,
  layers: { name: string; class_name: string; config: object }[],
  ...outputs: (string | [string, number])[]
) => ({
  class_name: 'Functional',
  config: {
    name,
    layers,
    input_layers: layers.filter(({ class_name }) => class_name === 'InputLayer').map(({ name }) => [name, 0, 0]),
    output_layers: outputs.map((output) => [...[output].flat(), 0].slice(0, 2).concat(0)),
  },
});
const lstm = { units: 3, recurrent_activation: 'sigmoid' };

function predict(model: object, weights: Record<string, Weight>, inputs: Weight[], version = '2.15.0') {
  const loaded = loadKeras(tfjs(model, weights, version));
  const results = loaded.predict(inputs).map(({ data, dims }) => ({ data: [...data], dims: [...dims] }));
  loaded.dispose();
  return results;
}

describe('models in models', () => {
  const dense = (name: string) => ({ [`${name}/kernel`]: noise([3, 3], 4), [`${name}/bias`]: noise([3], 5) });
  const inner = (name: string) =>
    functional(name, [input('i', [null, 3]), layer('Dense', 'd', { units: 3, activation: 'tanh' }, ['i'])], 'd');
  const x = noise([2, 3], 6);

  test.each([0, 1])('a model that is called twice is its layers twice; calls are counted from %i', (first) => {
    const twice = { ...layer('Functional', 'm', {}, ['x'], [['m', first]]), config: inner('m').config };
    const model = functional('f', [input('x', [null, 3]), twice], ['m', first + 1]);
    const plain = functional(
      'f',
      [input('x', [null, 3]), layer('Dense', 'd', { units: 3, activation: 'tanh' }, ['x'], ['d'])],
      ['d', 1],
    );
    expect(predict(model, dense('d'), [x])).toEqual(predict(plain, dense('d'), [x]));
  });

  test('layers of two inner models with one name have weights of their own where the file names the models', () => {
    const model = sequential(
      [
        ['Functional', { ...inner('a').config }],
        ['Functional', { ...inner('b').config }],
      ],
      [null, 3],
    );
    const other = { 'b/d/kernel': noise([3, 3], 14), 'b/d/bias': noise([3], 15) };
    const plain = sequential(
      [
        ['Dense', { name: 'one', units: 3, activation: 'tanh' }],
        ['Dense', { name: 'two', units: 3, activation: 'tanh' }],
      ],
      [null, 3],
    );
    const named = Object.fromEntries(
      Object.entries(other).map(([name, weight]) => [name.replace('b/d', 'two'), weight]),
    );
    expect(predict(model, { ...dense('a/d'), ...other }, [x])).toEqual(
      predict(plain, { ...dense('one'), ...named }, [x]),
    );
    expect(refusal(() => loadKeras(tfjs(model, { ...dense('d') }))).code).toBe('unexpected-weight');
  });

  test('a mask goes into an inner model and comes out of it', () => {
    const shape = [null, 4, 2];
    const body = functional(
      'm',
      [input('i', shape), layer('LSTM', 'a', { ...lstm, return_sequences: true }, ['i'])],
      'a',
    );
    const layers = [input('x', shape), layer('Masking', 'mask', {}, ['x'])];
    const whole = functional(
      'f',
      [
        ...layers,
        { ...layer('Functional', 'm', {}, ['mask']), config: body.config },
        layer('LSTM', 'b', lstm, [['m', 1]]),
      ],
      'b',
    );
    const plain = functional(
      'f',
      [...layers, layer('LSTM', 'a', { ...lstm, return_sequences: true }, ['mask']), layer('LSTM', 'b', lstm, ['a'])],
      'b',
    );
    const weights = { ...lstmWeights('a', 2, 3, 1), ...lstmWeights('b', 3, 3, 5) };
    const data = noise([2, 4, 2], 3);
    data.data.fill(0, 2, 6);
    expect(predict(whole, weights, [data])).toEqual(predict(plain, weights, [data]));
  });

  test('models that call models that call models twice are refused soon', () => {
    const bytes = bytesUsed();
    let model = inner('m0');
    for (let i = 1; i < 15; i++) {
      const twice = { ...layer('Functional', `m${i - 1}`, {}, ['i'], [[`m${i - 1}`, 1]]), config: model.config };
      model = functional(`m${i}`, [input('i', [null, 3]), twice], [`m${i - 1}`, 2]);
    }
    expect(soon(() => refusal(() => loadKeras(tfjs(model, dense('d'), '2.15.0')))).code).toBe('too-large');
    expect(bytesUsed()).toBe(bytes);
    let deep: any = sequential([['Dense', { name: 'd', units: 3 }]], [null, 3]);
    for (let i = 0; i < 20; i++) deep = { class_name: 'Sequential', config: { name: `s${i}`, layers: [deep] } };
    expect(refusal(() => loadKeras(tfjs(deep, dense('d')))).code).toBe('too-deep');
  });

  test('shapes that do not fit the declared one', () => {
    const model = functional(
      'f',
      [input('x', [null, 4]), { ...layer('Functional', 'm', {}, ['x']), config: inner('m').config }],
      ['m', 1],
    );
    expect(refusal(() => loadKeras(tfjs(model, dense('d')))).message).toContain(
      'the input of "i" expected [any, 3], got [any, 4]',
    );
  });
});

describe('layers called several times', () => {
  test('another width of the input is refused', () => {
    const dense = layer('Dense', 'd', { units: 2 }, ['x'], ['d']);
    const model = functional('f', [input('x', [null, 3]), dense], ['d', 1]);
    const weights = { 'd/kernel': noise([3, 2]), 'd/bias': noise([2]) };
    expect(refusal(() => loadKeras(tfjs(model, weights))).message).toContain(
      '"kernel" in another call of its layer expected [2, 2]',
    );
  });

  test('a stateful LSTM goes on from call to call, in a model and between calls of predict', () => {
    const weights = lstmWeights('l', 2, 3);
    const shared = layer('LSTM', 'l', { ...lstm, stateful: true, return_sequences: true }, ['x'], ['y']);
    const shape = [1, 2, 2];
    const model = loadKeras(
      tfjs(functional('f', [input('x', shape), input('y', shape), shared], 'l', ['l', 1]), weights),
    );
    const long = noise([1, 8, 2], 9);
    const whole = predict(sequential([['LSTM', { name: 'l', ...lstm, return_sequences: true }]], [1, 8, 2]), weights, [
      long,
    ]);
    const part = (i: number) => ({ data: long.data.slice(4 * i, 4 * i + 4), dims: shape as number[] });
    for (let round = 0; round < 2; round++) {
      const parts = [0, 2].flatMap((i) => model.predict([part(i), part(i + 1)]).flatMap(({ data }) => [...data]));
      expect(parts).toEqual(whole[0]!.data);
      model.resetStates();
    }
    model.dispose();
  });

  test('a call whose steps are all masked changes no state, for the sample that they are of', () => {
    const layers = (shape: number[]) =>
      sequential(
        [
          ['Masking', { name: 'm' }],
          ['LSTM', { name: 'l', ...lstm, stateful: true, return_sequences: true }],
        ],
        shape,
      );
    const weights = lstmWeights('l', 2, 3);
    const model = loadKeras(tfjs(layers([2, 2, 2]), weights));
    const [first, last] = [noise([2, 2, 2], 4), noise([2, 2, 2], 5)];
    const middle = noise([2, 2, 2], 6);
    middle.data.fill(0, 0, 4);
    const found = [first, middle, last].map((x) => model.predict(x).data.slice(0, 6));
    model.resetStates();
    const without = [first, last].map((x) => model.predict(x).data.slice(0, 6));
    expect([found[0], found[2]]).toEqual(without);
    // its outputs repeat the state that it keeps
    const state = [...found[0]!.slice(3)];
    expect([...found[1]!]).toEqual([...state, ...state]);
    model.dispose();
  });

  test('what throws has changed no state', () => {
    const layers = [
      input('t', [1, 2]),
      input('x', [1, 2, 2]),
      layer('LSTM', 'l', { ...lstm, stateful: true }, ['x']),
      layer('Embedding', 'e', { input_dim: 3, output_dim: 1 }, ['t']),
    ];
    const weights = { ...lstmWeights('l', 2, 3), 'e/embeddings': noise([3, 1]) };
    const model = loadKeras(tfjs(functional('f', layers, 'l', 'e'), weights));
    const x = noise([1, 2, 2]);
    const first = model.predict([nested([[0, 1]]), x])[0]!.data;
    expect(() => model.predict([nested([[0, 3]]), x])).toThrow('"e": "input" expected integers from 0 to 2, got 3');
    const second = model.predict([nested([[0, 1]]), x])[0]!.data;
    model.resetStates();
    expect(model.predict([nested([[0, 1]]), x])[0]!.data).toEqual(first);
    expect(model.predict([nested([[0, 1]]), x])[0]!.data).toEqual(second);
    model.dispose();
  });
});

describe('masks of several inputs', () => {
  const layers = (merge: string, config: object = {}) => [
    input('t', [null, 3]),
    input('u', [null, 3]),
    layer('Embedding', 'e', { input_dim: 4, output_dim: 2, mask_zero: true }, ['t'], ['u']),
    layer(merge, 'm', config, ['e', ['e', 1]]),
    layer('LSTM', 'l', lstm, ['m']),
  ];
  /** The same with a mask of its own in place of that of the inputs. */
  const masked = (merge: string, config: object, width: number, tokens: Weight) => {
    const list = layers(merge, config).map((one) =>
      one.name === 'e' ? { ...one, config: { ...one.config, mask_zero: false } } : one,
    );
    const all = [
      ...list.slice(0, 4),
      input('k', [null, tokens.dims[1]!, width]),
      layer('Masking', 'kept', {}, ['k']),
      layer('LSTM', 'l', lstm, ['kept']),
    ];
    return { model: functional('f', all.slice(0, 4), 'm'), last: functional('g', [all[4]!, all[5]!, all[6]!], 'l') };
  };
  const weights = (width: number) => ({ 'e/embeddings': noise([4, 2], 3), ...lstmWeights('l', width, 3) });
  const [t, u] = [
    nested([
      [1, 0, 2],
      [3, 1, 0],
    ]),
    nested([
      [2, 1, 0],
      [0, 2, 0],
    ]),
  ];
  /** Whether a step counts where one token does and where the other does. */
  const CASES: [
    merge: string,
    config: object,
    width: number,
    version: string,
    rule: (a: number, b: number) => boolean,
  ][] = [
    ['Add', {}, 2, '2.15.0', (a, b) => a > 0 && b > 0],
    ['Add', {}, 2, '3.8.0', (a, b) => a > 0 || b > 0],
    ['Concatenate', {}, 4, 'tfjs-layers 4.22.0', (a, b) => a > 0 && b > 0],
    ['Concatenate', { axis: -1 }, 4, '3.8.0', (a, b) => a > 0 || b > 0],
  ];

  test.each(CASES)('%s %j (width %i) of %s', (merge, config, width, version, rule) => {
    const found = predict(functional('f', layers(merge, config), 'l'), weights(width), [t, u], version);
    const { model, last } = masked(merge, config, width, t);
    const { 'e/embeddings': table, ...cell } = weights(width);
    const [values] = predict(model, { 'e/embeddings': table! }, [t, u], version);
    const data = Float32Array.from(values!.data, (value, i) => {
      const step = Math.floor(i / width);
      return rule(t.data[step]!, u.data[step]!) ? value : 0;
    });
    expect(found).toEqual(predict(last, cell, [{ data, dims: values!.dims }], version));
  });

  test('along the steps, one behind the other; a whole sequence may be masked', () => {
    const found = predict(functional('f', layers('Concatenate', { axis: 1 }), 'l'), weights(2), [t, u]);
    const { model, last } = masked('Concatenate', { axis: 1 }, 2, { data: t.data, dims: [2, 6] });
    const { 'e/embeddings': table, ...cell } = weights(2);
    const [values] = predict(model, { 'e/embeddings': table! }, [t, u]);
    const tokens = [0, 1].flatMap((row) => [t, u].flatMap(({ data }) => [...data.subarray(3 * row, 3 * row + 3)]));
    const data = Float32Array.from(values!.data, (value, i) => (tokens[Math.floor(i / 2)] ? value : 0));
    expect(found).toEqual(predict(last, cell, [{ data, dims: values!.dims }]));
    const none = predict(functional('f', layers('Add'), 'l'), weights(2), [nested([[0, 0, 0]]), nested([[1, 1, 1]])]);
    expect(none[0]!.data).toEqual([0, 0, 0]);
  });
});

test('use_causal_mask and return_attention_scores where they are not known', () => {
  const attention = (kwargs: object) => {
    const call = [
      ['x', 0, 0, kwargs],
      ['x', 0, 0, {}],
    ];
    const list = [input('x', [null, 3, 2]), { ...layer('Attention', 'a', {}), inbound_nodes: [call] }];
    return () => loadKeras(tfjs(functional('f', list, 'a'), {}));
  };
  attention({ use_causal_mask: true })().dispose();
  expect(refusal(attention({ return_attention_scores: true })).code).toBe('unsupported');
  const add = {
    ...layer('Add', 'a', {}),
    inbound_nodes: [
      [
        ['x', 0, 0, { use_causal_mask: true }],
        ['x', 0, 0, {}],
      ],
    ],
  };
  expect(refusal(() => loadKeras(tfjs(functional('f', [input('x', [null, 3, 2]), add], 'a'), {}))).message).toContain(
    'use_causal_mask of "a"',
  );
});
