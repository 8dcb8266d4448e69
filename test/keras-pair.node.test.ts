import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type KerasSource, loadKeras } from '../src/keras.ts';
import { archive, hdf5, kerasArchive, kerasH5, write, writeLayers } from './support/hdf5-files.ts';
import { lstmWeights, noise, sequential, tfjs, type Weight } from './support/keras-files.ts';
import { refusal } from './support/refusals.ts';

// An architecture and its weights handed in together, and what a caller reads who hands in something else.

const read = (name: string) => readFileSync(new URL(`./fixtures/keras/${name}`, import.meta.url));
const INPUT = noise([2, 4, 2]);
const LAYERS: [string, object][] = [
  ['LSTM', { name: 'lstm_1', units: 3, recurrent_activation: 'hard_sigmoid' }],
  ['Dense', { name: 'dense_1', units: 2 }],
];
const CELL = lstmWeights('lstm_1', 2, 3);
const DENSE = { 'dense_1/kernel': noise([3, 2], 4), 'dense_1/bias': noise([2], 5) };
const MODEL = sequential(LAYERS, [null, 4, 2]);
/** What to_json() of Keras 3 gives: no version, but where classes are. */
const KERAS3 = {
  module: 'keras',
  class_name: 'Sequential',
  config: {
    name: 's',
    layers: [
      {
        module: 'keras.layers',
        class_name: 'InputLayer',
        config: { name: 'in', batch_shape: [null, 4, 2] },
        registered_name: null,
      },
      ...LAYERS.map(([class_name, config]) => ({ module: 'keras.layers', class_name, config, registered_name: null })),
    ],
  },
  registered_name: null,
};
const colon = (weights: Record<string, Weight>) =>
  Object.fromEntries(Object.entries(weights).map(([name, weight]) => [`${name}:0`, weight]));
const listed = new Map([
  ['lstm_1', colon(CELL)],
  ['dense_1', colon(DENSE)],
]);
const filed = (rename: (path: string) => string) => {
  return hdf5((root) => {
    for (const [i, weight] of Object.values(CELL).entries())
      write(root, `${rename('layers/lstm/cell')}/vars/${i}`, weight);
    for (const [i, weight] of Object.values(DENSE).entries())
      write(root, `${rename('layers/dense')}/vars/${i}`, weight);
  });
};
const slashes = (path: string) => path;
const backslashes = (path: string) => path.replaceAll('/', '\\');
const predict = (source: KerasSource) => {
  const model = loadKeras(source);
  const { data } = model.predict(INPUT);
  model.dispose();
  return data;
};
// hard_sigmoid has other numbers in Keras 3
const KERAS2_VALUE = predict(tfjs(MODEL, { ...CELL, ...DENSE }, '2.3.1'));
const KERAS3_VALUE = predict(tfjs(MODEL, { ...CELL, ...DENSE }, '3.8.0'));

describe('{ modelJson, h5 }', () => {
  test('the right value, of a float64 LSTM', () => {
    const { x, y } = JSON.parse(read('field/pair/expected.json').toString());
    const text = read('field/pair/model.json');
    for (const modelJson of [text, text.toString(), `\ufeff${text}`, JSON.parse(text.toString())]) {
      const { data } = loadKeras({ modelJson, h5: read('field/pair/weights.h5') }).predict({
        data: x,
        dims: [1, 4, 2],
      });
      for (const [i, wanted] of y.entries()) expect(Math.abs(data[i]! - wanted)).toBeLessThan(1e-6);
    }
  });

  const json2 = { ...MODEL, keras_version: '2.3.1', backend: 'tensorflow' };
  test.each<[string, object, () => Uint8Array, Float32Array]>([
    ['save_weights of Keras 2', json2, () => hdf5((root) => writeLayers(root, listed)), KERAS2_VALUE],
    ['a whole model of Keras 2', json2, () => kerasH5(MODEL, listed), KERAS2_VALUE],
    ['.weights.h5 of Keras 2.15', json2, () => filed(slashes), KERAS2_VALUE],
    ['.weights.h5 of Keras 2.15 on Windows', json2, () => filed(backslashes), KERAS2_VALUE],
    ['.weights.h5 of Keras 3', KERAS3, () => filed(slashes), KERAS3_VALUE],
    ['.h5 of Keras 3', KERAS3, () => kerasH5(KERAS3, listed, '3.8.0'), KERAS3_VALUE],
    [
      'in model.json of TensorFlow.js',
      { modelTopology: { model_config: MODEL, keras_version: '2.15.0' } },
      () => filed(slashes),
      KERAS2_VALUE,
    ],
  ])('%s', (_, modelJson, h5, wanted) => {
    expect(predict({ modelJson, h5: h5() })).toEqual(wanted);
    expect(predict({ modelJson: JSON.stringify(modelJson), h5: h5() })).toEqual(wanted);
  });

  test('weights of another model are refused', () => {
    const other = hdf5((root) => writeLayers(root, new Map([['dense_9', colon(DENSE)]])));
    expect(refusal(() => loadKeras({ modelJson: MODEL, h5: other })).code).toBe('unexpected-weight');
    const none = hdf5((root) => write(root, 'x', noise([2])));
    expect(refusal(() => loadKeras({ modelJson: MODEL, h5: none })).code).toBe('missing-field');
  });
});

test('a model of another class in a model, beside other layers that are not supported, all listed', () => {
  const inner = sequential([['Dense', { name: 'd', units: 2 }]], [null, 2]);
  // the shape of its input is known, so that it is not the first fault
  const lambda = { class_name: 'Lambda', config: { name: 'l', batch_input_shape: [null, 2] } };
  const layers = [
    { class_name: 'ConvLSTM2D', config: { name: 'g', units: 2 } },
    { class_name: 'MyNet', config: { ...inner.config, name: 'net' } },
    { class_name: 'Sequential', config: { name: 'enc', layers: [lambda] } },
  ];
  const modelTopology = { class_name: 'Sequential', config: { layers } };
  const error = refusal(() => loadKeras({ modelJson: { modelTopology }, weights: [] }));
  expect(error.code).toBe('unsupported');
  expect(error.message).toBe(
    'keras: not supported in this model: ConvLSTM2D ("g"); MyNet ("net", a model of another class); Lambda ("l")',
  );
});

describe('mistakes in arguments name what the caller wrote', () => {
  const { modelJson, weights } = tfjs(MODEL, { ...CELL, ...DENSE });
  test.each<[string, unknown, RegExp]>([
    ['a path', 'model.h5', /"source" expected .* so read it first: nothing is opened here, got "model.h5"/],
    [
      'a path in h5',
      { h5: 'model.h5' },
      /"h5" expected a Uint8Array or an ArrayBuffer of the file, so read it first: nothing is opened here, got "model.h5"/,
    ],
    ['a path in keras', { keras: 'a/model.keras' }, /"keras" expected a Uint8Array .* got "a\/model.keras"/],
    [
      'a path in modelJson',
      { modelJson: 'model.json', weights },
      /"modelJson" expected .* so read the file first: nothing is opened here, got "model.json"/,
    ],
    [
      'an address in modelJson',
      { modelJson: 'https://example.org/model.json', weights },
      /"modelJson" expected .* read the file first/,
    ],
    [
      'a path in weights',
      { modelJson, weights: 'weights.bin' },
      /"weights" expected a Uint8Array or an ArrayBuffer of the file/,
    ],
    [
      'paths in a list',
      { modelJson, weights: [weights, 'b.bin'] },
      /"weights\[1\]" expected a Uint8Array or an ArrayBuffer of the file/,
    ],
    ['floats', { modelJson, weights: new Float32Array(3) }, /"weights" expected a Uint8Array/],
    [
      'floats by path',
      { modelJson, weights: { 'a.bin': new Float32Array(3) } },
      /"weights\["a.bin"\]" expected a Uint8Array/,
    ],
    ['no weights', { modelJson }, /"weights" expected .* got undefined/],
    ['a number', { h5: 3 }, /"h5" expected a Uint8Array/],
    ['bytes of .h5 themselves', read('model.h5'), /"source" expected .* so pass it as { h5 }/],
    ['bytes of .keras themselves', read('model.keras'), /"source" expected .* so pass it as { keras }/],
    ['model.json itself', modelJson, /"source" expected .* so pass the object as modelJson/],
    ['a list as modelJson', { modelJson: [], weights }, /"modelJson" expected the text of model.json/],
  ])('%s', (_, source, message) => {
    let error: Error | undefined;
    try {
      loadKeras(source as KerasSource);
    } catch (caught) {
      error = caught as Error;
    }
    expect(error).toBeInstanceOf(TypeError);
    expect(error!.message).toMatch(message);
    expect(error!.message).not.toContain('"bytes"');
  });

  const PAGE = new TextEncoder().encode('<!doctype html><html><body>404</body></html>');
  const POINTER = new TextEncoder().encode(
    `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`,
  );
  test.each<[string, Uint8Array, string]>([
    ['a page', PAGE, 'this is an HTML page'],
    ['a Git LFS pointer', POINTER, 'this is a Git LFS pointer'],
  ])('%s in place of a file', (_, file, message) => {
    for (const source of [
      { h5: file },
      { keras: file },
      { modelJson, weights: file },
      { modelJson: file, weights },
      { modelJson, h5: file },
    ]) {
      expect(refusal(() => loadKeras(source)).message, Object.keys(source).join()).toContain(message);
    }
  });

  test('files in the wrong place', () => {
    expect(refusal(() => loadKeras({ modelJson, weights: read('model.h5') })).message).toContain(
      'pass them as { modelJson, h5 }',
    );
    const alone = refusal(() => loadKeras({ modelJson: MODEL, weights }));
    expect(alone.message).toContain('it is an architecture alone, so pass { modelJson, h5 }');
    const weightsOnly = hdf5((root) => writeLayers(root, listed));
    expect(refusal(() => loadKeras({ h5: weightsOnly })).message).toContain('{ modelJson, h5 }');
    expect(refusal(() => loadKeras({ modelJson, h5: read('model.keras') })).message).toContain('pass it as { keras }');
    const filedKeras = kerasArchive(KERAS3, [
      ['LSTM', { cell: Object.values(CELL) }],
      ['Dense', { '': Object.values(DENSE) }],
    ]);
    expect(predict({ keras: filedKeras })).toEqual(KERAS3_VALUE);
    expect(
      predict({
        keras: archive({ 'config.json': KERAS3, 'metadata.json': { keras_version: '3.8.0' } }, filed(backslashes)),
      }),
    ).toEqual(KERAS3_VALUE);
  });
});
