import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LSTM } from '../src/index.ts';
import { fromCudnn } from '../src/keras/cudnn.ts';
import { type KerasSource, loadKeras, readKerasWeights } from '../src/keras.ts';
import { archive, hdf5, kerasArchive, kerasH5, write } from './support/hdf5-files.ts';
import { type LayerConfig, lstmWeights, nested, noise, sequential, tfjs, type Weight } from './support/keras-files.ts';
import { refusal } from './support/refusals.ts';

// Files as people have them: from Windows, edited by hand, with layers for training or for cuDNN.

const read = (name: string) => readFileSync(new URL(`./fixtures/keras/field/${name}`, import.meta.url));
const close = (actual: ArrayLike<number>, wanted: ArrayLike<number>) => {
  expect(actual.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(actual[i]! - wanted[i]!), `[${i}]`).toBeLessThan(1e-6);
};
const predict = (source: KerasSource, input: Weight) => {
  const model = loadKeras(source);
  const result = model.predict(input);
  model.dispose();
  return result;
};

test.each<[string, () => KerasSource]>([
  ['windows', () => ({ keras: read('windows/windows.keras') })],
  ['camel', () => ({ modelJson: read('camel/model.json').toString(), weights: read('camel/weights.bin') })],
])('%s: the right value, of a float64 LSTM', (folder, source) => {
  const { x, y } = JSON.parse(read(`${folder}/expected.json`).toString());
  close(predict(source(), { data: x, dims: [1, 4, 2] }).data, y);
});

describe('a .keras file from Windows', () => {
  const inner = { class_name: 'LSTM', config: { name: 'i', units: 3 } };
  const model = sequential(
    [
      ['LSTM', { name: 'first', units: 4, return_sequences: true }],
      ['Bidirectional', { name: 'both', layer: inner }],
      ['Dense', { name: 'end', units: 2 }],
    ],
    [null, 5, 2],
  );
  const cell = (inputs: number, units: number, seed: number) => Object.values(lstmWeights('', inputs, units, seed));
  const lists: [string, Weight[]][] = [
    ['layers/lstm/cell', cell(2, 4, 1)],
    ['layers/bidirectional/forward_layer/cell', cell(4, 3, 4)],
    ['layers/bidirectional/backward_layer/cell', cell(4, 3, 7)],
    ['layers/dense', [noise([6, 2], 10), noise([2], 11)]],
  ];
  const file = (rename: (path: string) => string) => {
    return hdf5((root) => {
      for (const [path, list] of lists)
        for (const [i, one] of list.entries()) write(root, `${rename(path)}/vars/${i}`, one);
      write(root, 'optimizer/vars/0', noise([2]));
    });
  };
  const windows = (path: string) => path.replaceAll('/', '\\');
  const keras = (weights: Uint8Array) => ({
    keras: archive({ 'config.json': model, 'metadata.json': { keras_version: '2.15.0' } }, weights),
  });

  test.each(['layers', '_layer_checkpoint_dependencies'])('groups in %s', (name) => {
    const under = (path: string) => path.replace('layers', name);
    const input = noise([2, 5, 2]);
    const wanted = predict(keras(file(under)), input);
    expect(predict(keras(file((path) => windows(under(path)))), input)).toEqual(wanted);
    // some of the names only
    expect(predict(keras(file((path) => (path.includes('lstm') ? windows(under(path)) : under(path)))), input)).toEqual(
      wanted,
    );
  });

  test('readKerasWeights gives paths with slashes', () => {
    expect(readKerasWeights(file(windows))).toEqual(readKerasWeights(file((path) => path)));
  });

  test('readKerasWeights gives slashes to names beside the layers too', () => {
    const weights = hdf5((root) => {
      for (const path of ['layers\\dense/vars/0', 'metrics\\mean/vars/0', 'optimizer\\vars/0'])
        write(root, path, noise([2]));
    });
    expect([...readKerasWeights(weights).keys()].sort()).toEqual(['layers/dense/vars/0', 'metrics/mean/vars/0']);
  });

  test('names of other files keep their backslashes', () => {
    const weights = hdf5((root) => write(root, 'a\\b/c', noise([2])));
    expect([...readKerasWeights(weights).keys()]).toEqual(['a\\b/c']);
  });

  test('one weight under both names is refused', () => {
    const both = hdf5((root) => {
      for (const path of ['layers/dense/vars/0', 'layers\\dense/vars/0']) write(root, path, noise([2]));
    });
    expect(refusal(() => readKerasWeights(both)).code).toBe('duplicate-weight');
    expect(refusal(() => loadKeras(keras(both))).code).toBe('duplicate-weight');
  });
});

describe('shapes of inputs, as people write them', () => {
  const weights = { ...lstmWeights('l', 2, 3), 'd/kernel': noise([3, 2]), 'd/bias': noise([2]) };
  const layers = [
    { class_name: 'LSTM', config: { name: 'l', units: 3, return_sequences: false } as any },
    { class_name: 'Dense', config: { name: 'd', units: 2 } },
  ];
  const withInput = (config: object) => ({
    class_name: 'Sequential',
    config: { layers: [{ class_name: 'InputLayer', config: { name: 'in', ...config } }, ...layers] },
  });
  const onFirst = (config: object) => ({
    class_name: 'Sequential',
    config: { layers: [{ ...layers[0], config: { ...layers[0]!.config, ...config } }, layers[1]] },
  });
  const input = noise([1, 4, 2]);
  const wanted = predict(tfjs(onFirst({ batch_input_shape: [null, 4, 2] }), weights), input);

  test.each<[string, object, unknown[]]>([
    ['batch_input_shape', { batch_input_shape: [null, 4, 2] }, [null, 4, 2]],
    ['batchInputShape', { batchInputShape: [null, 4, 2] }, [null, 4, 2]],
    ['batch_shape', { batch_shape: [null, 4, 2] }, [null, 4, 2]],
    ['batchShape', { batchShape: [null, 4, 2] }, [null, 4, 2]],
    ['inputShape', { inputShape: [4, 2] }, [null, 4, 2]],
    ['inputShape and batchSize', { inputShape: [null, 2], batchSize: 1 }, [1, null, 2]],
    ['input_shape', { input_shape: [4, 2] }, [null, 4, 2]],
    ['shape and batch_size of Keras 3', { shape: [4, 2], batch_size: 1 }, [1, 4, 2]],
    [
      'batchInputShape beside batch_shape',
      { batch_shape: [null, null, 2], batchInputShape: [null, 4, 2] },
      [null, 4, 2],
    ],
  ])('%s', (_, config, dims) => {
    for (const model of [withInput(config), onFirst(config)]) {
      for (const version of ['3.8.0', '2.15.0', 'tfjs-layers 4.22.0']) {
        const loaded = loadKeras(tfjs(model, weights, version));
        expect(loaded.inputs[0]!.dims).toEqual(dims);
        if (version.startsWith('tfjs')) expect(loaded.predict(input)).toEqual(wanted);
        loaded.dispose();
      }
    }
  });

  test('every name may be in camel case, as TensorFlow.js reads it', () => {
    const camel = { name: 'l', units: 3, recurrentActivation: 'sigmoid', goBackwards: true, useBias: true };
    const snake = { name: 'l', units: 3, recurrent_activation: 'sigmoid', go_backwards: true, use_bias: true };
    const [one, two] = [camel, snake].map((config) => {
      return predict(
        tfjs(
          sequential(
            [
              ['LSTM', config],
              ['Dense', { name: 'd', units: 2 }],
            ],
            [null, 4, 2],
          ),
          weights,
        ),
        input,
      );
    });
    expect(one).toEqual(two);
    expect(one).not.toEqual(wanted);
  });

  test('an Embedding takes any number of steps, or input_length', () => {
    const model = (config: object) => ({
      class_name: 'Sequential',
      config: { layers: [{ class_name: 'Embedding', config: { name: 'e', input_dim: 3, output_dim: 2, ...config } }] },
    });
    const table = { 'e/embeddings': noise([3, 2]) };
    expect(loadKeras(tfjs(model({}), table)).inputs[0]!.dims).toEqual([null, null]);
    expect(loadKeras(tfjs(model({ input_length: 5 }), table)).inputs[0]!.dims).toEqual([null, 5]);
  });
});

describe('layers that do nothing in inference', () => {
  const NAMES: [string, object][] = [
    ['Dropout', { rate: 0.5 }],
    ['SpatialDropout1D', { rate: 0.5 }],
    ['GaussianNoise', { stddev: 3 }],
    ['GaussianDropout', { rate: 0.5 }],
    ['AlphaDropout', { rate: 0.5 }],
    ['ActivityRegularization', { l1: 0.1, l2: 0.1 }],
    ['Identity', {}],
    ['TimeDistributed', { layer: { class_name: 'Dropout', config: { name: 'inner', rate: 0.5 } } }],
  ];
  const embedding: LayerConfig = ['Embedding', { name: 'e', input_dim: 6, output_dim: 3, mask_zero: true }];
  const lstm: LayerConfig = ['LSTM', { name: 'l', units: 2, recurrent_activation: 'sigmoid' }];
  const table = noise([6, 3]);
  const cell = lstmWeights('l', 3, 2);
  const input = nested([
    [1, 5, 0, 0],
    [3, 3, 4, 1],
  ]);
  const wanted = predict(
    tfjs(sequential([embedding, lstm], [null, 4]), { 'e/embeddings': table, ...cell }, '2.15.0'),
    input,
  );

  test.each(NAMES)('%s passes on the numbers and the mask', (name, config) => {
    const model = sequential([embedding, [name, { name: 'nothing', ...config }], lstm], [null, 4]);
    expect(predict(tfjs(model, { 'e/embeddings': table, ...cell }, '2.15.0'), input)).toEqual(wanted);
    const named = new Map<string, Record<string, Weight>>([
      ['e', { 'e/embeddings:0': table }],
      ['nothing', {}],
      ['l', Object.fromEntries(Object.entries(cell).map(([key, weight]) => [`${key}:0`, weight]))],
    ]);
    expect(predict({ h5: kerasH5(model, named) }, input)).toEqual(wanted);
    const keras = kerasArchive(model, [
      ['Embedding', { '': [table] }],
      ['LSTM', { cell: Object.values(cell) }],
    ]);
    expect(predict({ keras }, input)).toEqual(wanted);
  });

  test.each([
    ['SpatialDropout1D', 3],
    ['SpatialDropout2D', 4],
    ['SpatialDropout3D', 5],
  ] as const)('%s takes %i dimensions', (name, rank) => {
    const load = (size: number) => {
      const shape = [null, ...Array.from({ length: size - 1 }, () => 2)];
      return loadKeras(tfjs(sequential([[name, { rate: 0.1 }]], shape), {}));
    };
    const input = noise([3, ...Array.from({ length: rank - 1 }, () => 2)]);
    expect(load(rank).predict(input)).toEqual(input);
    expect(refusal(() => load(rank - 1)).code).toBe('wrong-shape');
  });
});

describe('CuDNNLSTM', () => {
  const [I, H] = [3, 2];
  // matrices of PyTorch, which are those of cuDNN: gates i, f, g, o of [H][I] and [H][H], and two biases
  const W = noise([4 * H, I], 1);
  const R = noise([4 * H, H], 2);
  const biases = [noise([4 * H], 3), noise([4 * H], 4)] as const;
  /** Lays the numbers of each gate beside those of the others, in rows of H. */
  const beside = ({ data }: Weight, rows: number): Weight => {
    const size = rows * H;
    const at = (i: number) => Math.floor((i % (4 * H)) / H) * size + Math.floor(i / (4 * H)) * H + (i % H);
    return { data: Float32Array.from({ length: 4 * size }, (_, i) => data[at(i)]!), dims: [rows, 4 * H] };
  };
  const bias = { data: Float32Array.from([...biases[0].data, ...biases[1].data]), dims: [8 * H] };
  const weights = [beside(W, I), beside(R, H), bias];
  const names = ['kernel', 'recurrent_kernel', 'bias'];
  const input = noise([2, 5, I], 5);
  const module = LSTM.fromStateDict({
    weight_ih_l0: W,
    weight_hh_l0: R,
    bias_ih_l0: biases[0],
    bias_hh_l0: biases[1],
  });
  const stepsFirst = { data: new Float32Array(input.data.length), dims: [5, 2, I] };
  for (let b = 0; b < 2; b++) {
    for (let t = 0; t < 5; t++)
      stepsFirst.data.set(input.data.subarray((b * 5 + t) * I, (b * 5 + t + 1) * I), (t * 2 + b) * I);
  }
  const wanted = module.forward(stepsFirst).hn.data;

  test.each(['CuDNNLSTM', 'LSTM'])('weights in its layout, in a layer %s', (className) => {
    const layers: LayerConfig[] = [
      [className, { name: 'l', units: H, ...(className === 'LSTM' ? { recurrent_activation: 'sigmoid' } : {}) }],
    ];
    const model = sequential(layers, [null, 5, I]);
    const named = new Map([['l', Object.fromEntries(weights.map((weight, i) => [`l/${names[i]}:0`, weight]))]]);
    close(predict({ h5: kerasH5(model, named, '2.2.4') }, input).data, wanted);
    const json = tfjs(model, Object.fromEntries(weights.map((weight, i) => [`l/${names[i]}`, weight])), '2.2.4');
    close(predict(json, input).data, wanted);
    const folder = className === 'LSTM' ? 'cell' : '';
    close(predict({ keras: kerasArchive(model, [[className, { [folder]: weights }]], '2.15.0') }, input).data, wanted);
  });

  test('with the weights of an LSTM, as Keras converts them too', () => {
    const cell = lstmWeights('l', I, H);
    const [one, two] = ['CuDNNLSTM', 'LSTM'].map((className) => {
      return predict(tfjs(sequential([[className, { name: 'l', units: H }]], [null, 5, I]), cell, '2.2.4'), input);
    });
    expect(one).toEqual(two);
  });

  test('in a Bidirectional', () => {
    const all = Object.fromEntries(
      ['forward_l', 'backward_l'].flatMap((scope) => weights.map((weight, i) => [`b/${scope}/${names[i]}`, weight])),
    );
    const inner = { class_name: 'CuDNNLSTM', config: { name: 'l', units: H } };
    const { data } = predict(
      tfjs(sequential([['Bidirectional', { name: 'b', layer: inner }]], [null, 5, I]), all, '2.2.4'),
      input,
    );
    for (const b of [0, 1]) close(data.subarray(b * 2 * H, b * 2 * H + H), wanted.subarray(b * H, b * H + H));
    const model = sequential([['Bidirectional', { name: 'b', layer: inner }]], [null, 5, I]);
    const keras = kerasArchive(
      model,
      [['Bidirectional', { forward_layer: weights, backward_layer: weights }]],
      '2.15.0',
    );
    expect(predict({ keras }, input).data).toEqual(data);
  });

  test('its layout, in numbers of NumPy: k.T.reshape(k.shape, order="F") and k.T', () => {
    // gates of 2 units: [[0, 1], [2, 3], [4, 5]] becomes [[0, 3], [1, 4], [2, 5]]
    const gates = (rows: number[][]) =>
      Float32Array.from(rows.flatMap((row) => [0, 10, 20, 30].flatMap((g) => row.map((x) => g + x))));
    const [kernel, recurrent, sum] = fromCudnn(
      'LSTM',
      [
        gates([
          [0, 1],
          [2, 3],
          [4, 5],
        ]),
        gates([
          [0, 1],
          [2, 3],
        ]),
        Float32Array.from({ length: 16 }, (_, i) => i),
      ],
      2,
    );
    expect(kernel).toEqual(
      gates([
        [0, 3],
        [1, 4],
        [2, 5],
      ]),
    );
    expect(recurrent).toEqual(
      gates([
        [0, 2],
        [1, 3],
      ]),
    );
    expect([...sum!]).toEqual([8, 10, 12, 14, 16, 18, 20, 22]);
  });

  test('a bias of another size is refused', () => {
    const cell = { ...lstmWeights('l', I, H), 'l/bias': noise([6 * H]) };
    const error = refusal(() =>
      loadKeras(tfjs(sequential([['CuDNNLSTM', { name: 'l', units: H }]], [null, 5, I]), cell)),
    );
    expect(error.code).toBe('wrong-shape');
  });
});
