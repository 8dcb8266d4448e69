import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type KerasInput, type KerasModel, loadKeras, parseKeras, readKerasWeights } from '../src/keras.ts';
import { archive, hdf5, kerasArchive, kerasH5, write, writeLayers } from './support/hdf5-files.ts';
import { type LayerConfig, lstmWeights, nested, noise, sequential, tfjs, type Weight } from './support/keras-files.ts';

// One model in all the forms that Keras and TensorFlow.js write, which have to give the same bits.

const lstm = { units: 5, activation: 'tanh', recurrent_activation: 'sigmoid', return_sequences: true };
const LAYERS: LayerConfig[] = [
  ['LSTM', { name: 'first', ...lstm }],
  ['Bidirectional', { name: 'both', layer: { class_name: 'LSTM', config: { name: 'inner', ...lstm, units: 3 } } }],
  [
    'TimeDistributed',
    { name: 'each', layer: { class_name: 'Dense', config: { name: 'd', units: 4, activation: 'relu' } } },
  ],
  ['BatchNormalization', { name: 'norm', axis: -1, epsilon: 0.001 }],
  ['LSTM', { name: 'last', ...lstm, return_sequences: false }],
  ['Dense', { name: 'end', units: 2, activation: 'softmax' }],
];
const INPUT = noise([3, 7, 4], 9);
const INPUT1 = noise([3, 4], 8);

/** By layer, and there by the names that TensorFlow.js has behind the layer's. */
const WEIGHTS: Record<string, Record<string, Weight>> = {
  first: bare(lstmWeights('', 4, 5, 1)),
  both: { ...under('forward_inner', lstmWeights('', 5, 3, 4)), ...under('backward_inner', lstmWeights('', 5, 3, 7)) },
  each: { kernel: noise([6, 4], 10), bias: noise([4], 11) },
  norm: {
    gamma: noise([4], 12),
    beta: noise([4], 13),
    moving_mean: noise([4], 14),
    moving_variance: { data: noise([4], 15).data.map((x) => x * x + 0.1), dims: [4] },
  },
  last: bare(lstmWeights('', 4, 5, 16)),
  end: { kernel: noise([5, 2], 19), bias: noise([2], 20) },
};

function bare(weights: Record<string, Weight>) {
  return Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name.slice(1), weight]));
}

function under(scope: string, weights: Record<string, Weight>) {
  return Object.fromEntries(Object.entries(weights).map(([name, weight]) => [`${scope}${name}`, weight]));
}

/** All weights, by what `rename` makes of the layer's name and the weight's. */
function renamed(rename: (layer: string, name: string, index: number) => string) {
  return Object.fromEntries(
    Object.entries(WEIGHTS).flatMap(([layer, weights]) => {
      return Object.entries(weights).map(([name, weight], i) => [rename(layer, name, i), weight]);
    }),
  );
}

const MODEL = sequential(LAYERS, [null, 7, 4]);
const layerMap = (rename: (layer: string, name: string) => string) => {
  return new Map(
    Object.entries(WEIGHTS).map(([layer, weights]) => {
      return [
        layer,
        Object.fromEntries(Object.entries(weights).map(([name, weight]) => [rename(layer, name), weight])),
      ];
    }),
  );
};
const withCell = (name: string) => name.replace(/((?:^|_inner\/))(?=kernel|recurrent|bias)/, '$1lstm_cell/');

/** The model as Keras 3 writes it: an InputLayer, objects that say where they come from, policies in place of types. */
function keras3(layers: any[]) {
  const policy = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' }, registered_name: null };
  const rewrite = ({ class_name, config }: any): any => ({
    module: 'keras.layers',
    class_name,
    config: {
      ...config,
      dtype: policy,
      ...(config.layer ? { layer: rewrite(config.layer) } : {}),
      ...(class_name === 'Bidirectional'
        ? {
            layer: rewrite({ ...config.layer, config: { ...config.layer.config, name: 'forward_inner' } }),
            backward_layer: rewrite({
              ...config.layer,
              config: { ...config.layer.config, name: 'backward_inner', go_backwards: true },
            }),
          }
        : {}),
    },
    registered_name: null,
    build_config: { input_shape: [null, 7, 4] },
  });
  const first = {
    module: 'keras.layers',
    class_name: 'InputLayer',
    config: { batch_shape: [null, 7, 4], dtype: 'float32', name: 'in' },
  };
  const rest = layers.map(({ class_name, config: { batch_input_shape: _, ...config } }) =>
    rewrite({ class_name, config }),
  );
  return {
    module: 'keras',
    class_name: 'Sequential',
    config: { name: 's', layers: [first, ...rest] },
    registered_name: null,
  };
}

const list = (layer: string, prefix = '') => {
  return Object.entries(WEIGHTS[layer]!)
    .filter(([name]) => name.startsWith(prefix))
    .map(([, weight]) => weight);
};
const FILED: [string, Record<string, Weight[]>][] = [
  ['LSTM', { cell: list('first') }],
  ['Bidirectional', { 'forward_layer/cell': list('both', 'forward'), 'backward_layer/cell': list('both', 'backward') }],
  ['TimeDistributed', { layer: list('each') }],
  ['BatchNormalization', { '': list('norm') }],
  ['LSTM', { cell: list('last') }],
  ['Dense', { '': list('end') }],
];

const FORMS: Record<string, () => KerasModel> = {
  'model.json of TensorFlow.js': () =>
    loadKeras(
      tfjs(
        MODEL,
        renamed((layer, name) => `${layer}/${name}`),
        '2.15.0',
      ),
    ),
  'model.json as text, weights in shards': () => {
    const { modelJson, weights } = tfjs(
      MODEL,
      renamed((layer, name) => `${layer}/${name}`),
      '2.15.0',
    );
    const size = Math.ceil(weights.length / 3);
    const shards = [weights.slice(0, size), weights.slice(size, 2 * size), weights.slice(2 * size).buffer];
    modelJson.weightsManifest[0].paths = ['a.bin', 'b.bin', 'c.bin'];
    return loadKeras({ modelJson: JSON.stringify(modelJson, null, 2), weights: shards });
  },
  'model.json converted from Keras 2': () => {
    const { modelJson, weights } = tfjs(
      { model_config: MODEL },
      renamed((layer, name) => `${layer}/${withCell(name)}`),
      '2.15.0',
    );
    return loadKeras({ modelJson, weights });
  },
  'model.json converted from Keras 3, weights by number': () => {
    const number = (layer: string, name: string, i: number) => `${layer}/${name.replace(/[^/]+$/, String(i))}`;
    return loadKeras(tfjs({ model_config: keras3(MODEL.config.layers) }, renamed(number), '3.8.0'));
  },
  '.h5 of Keras 2': () => {
    return loadKeras({
      h5: kerasH5(
        MODEL,
        layerMap((layer, name) => `${layer}/${withCell(name)}:0`),
      ),
    });
  },
  '.h5 of Keras 3': () => {
    const path = (layer: string, name: string) => `sequential/${layer}/${withCell(name)}`;
    return loadKeras({ h5: kerasH5(keras3(MODEL.config.layers), layerMap(path), '3.8.0') });
  },
  '.keras': () => loadKeras({ keras: kerasArchive(keras3(MODEL.config.layers), FILED) }),
  '.keras, deflated': () => {
    const weights = hdf5((root) => {
      for (const [i, [name, folders]] of FILED.entries()) {
        const base = {
          LSTM: i > 0 ? 'lstm_1' : 'lstm',
          Bidirectional: 'bidirectional',
          TimeDistributed: 'time_distributed',
          BatchNormalization: 'batch_normalization',
          Dense: 'dense',
        }[name];
        for (const [folder, tensors] of Object.entries(folders)) {
          for (const [k, tensor] of tensors.entries())
            write(root, `layers/${base}/${folder ? `${folder}/` : ''}vars/${k}`, tensor);
        }
      }
    });
    return loadKeras({
      keras: archive(
        { 'config.json': keras3(MODEL.config.layers), 'metadata.json': { keras_version: '3.0.0' } },
        weights,
        6,
      ),
    });
  },
};

const wanted = (() => {
  const model = FORMS['model.json of TensorFlow.js']!();
  const { data } = model.predict(INPUT);
  model.dispose();
  return data;
})();

test.each(Object.entries(FORMS))('%s', (_, load) => {
  const model = load();
  const { data, dims } = model.predict(INPUT);
  expect(dims).toEqual([3, 2]);
  expect(data).toEqual(wanted);
  expect(model.inputs.map(({ dims }) => dims)).toEqual([[null, 7, 4]]);
  expect(model.outputs).toEqual([{ name: 'end', dims: [null, 2] }]);
  model.dispose();
});

test('a model whose name begins as that of a direction', () => {
  const path = (layer: string, name: string) => `backward_net/${layer}/${withCell(name)}`;
  const model = loadKeras({ h5: kerasH5(keras3(MODEL.config.layers), layerMap(path), '3.8.0') });
  expect(model.predict(INPUT).data).toEqual(wanted);
  model.dispose();
});

test('what an optimizer has is passed over, in model.json and in .keras', () => {
  const dense: LayerConfig[] = [['Dense', { name: 'd', units: 2 }]];
  const [kernel, bias] = [noise([4, 2], 1), noise([2], 2)];
  const wanted = loadKeras(tfjs(sequential(dense, [null, 4]), { 'd/kernel': kernel, 'd/bias': bias })).predict(INPUT1);
  const { modelJson, weights } = tfjs(sequential(dense, [null, 4]), { 'd/kernel': kernel, 'd/bias': bias });
  modelJson.weightsManifest[0].weights.push(
    { name: 'iter', shape: [], dtype: 'int32', group: 'optimizer' },
    { name: 'd/kernel/m', shape: [4, 2], dtype: 'float32', group: 'optimizer' },
  );
  const more = new Uint8Array(weights.length + 36);
  more.set(weights);
  expect(loadKeras({ modelJson, weights: more }).predict(INPUT1)).toEqual(wanted);
  expect(() => loadKeras({ modelJson, weights: more.slice(1) })).toThrow('"d/kernel/m" ends at byte 76');

  const file = hdf5((root) => {
    write(root, 'layers/dense/vars/0', kernel);
    write(root, 'layers/dense/vars/1', bias);
    write(root, 'optimizer/vars/0', { data: new BigInt64Array([3n]) as any, dims: [1] }, { dtype: '<q' });
    write(root, 'optimizer/vars/1', noise([4, 2], 3));
  });
  const model = sequential(dense, [null, 4]);
  const keras = archive({ 'config.json': model, 'metadata.json': { keras_version: '3.8.0' } }, file);
  expect(loadKeras({ keras }).predict(INPUT1)).toEqual(wanted);
  expect([...readKerasWeights(file).keys()]).toEqual(['layers/dense/vars/0', 'layers/dense/vars/1']);
});

test('the weights in a .keras file follow the order of its layers, whichever way they are linked', () => {
  const dense = (name: string, units: number, from: string, width: number) => ({
    module: 'keras.layers',
    class_name: 'Dense',
    config: { name, units },
    name,
    inbound_nodes: [
      {
        args: [
          {
            class_name: '__keras_tensor__',
            config: { shape: [null, width], dtype: 'float32', keras_history: [from, 0, 0] },
          },
        ],
        kwargs: {},
      },
    ],
  });
  const input = { class_name: 'InputLayer', config: { name: 'in', batch_shape: [null, 4] }, inbound_nodes: [] };
  const layers = [input, dense('end', 2, 'begin', 3), dense('begin', 3, 'in', 4)];
  const config = { name: 'f', layers, input_layers: ['in', 0, 0], output_layers: ['end', 0, 0] };
  const filed: [string, Record<string, Weight[]>][] = [
    ['Dense', { '': [noise([3, 2], 1), noise([2], 2)] }],
    ['Dense', { '': [noise([4, 3], 3), noise([3], 4)] }],
  ];
  const model = loadKeras({ keras: kerasArchive({ class_name: 'Functional', config }, filed) });
  expect(model.predict(INPUT1).dims).toEqual([3, 2]);
  model.dispose();
});

describe('what Keras 3.15 itself wrote and computed', () => {
  const read = (name: string) => readFileSync(new URL(`./fixtures/keras/keras3/${name}`, import.meta.url));
  const models: { name: string; inputs: KerasInput[]; outputs: { dims: number[]; data: number[] }[] }[] = JSON.parse(
    read('index.json').toString(),
  );

  test.each(models)('$name', ({ name, inputs, outputs }) => {
    for (const source of [{ keras: read(`${name}.keras`) }, { h5: read(`${name}.h5`) }]) {
      const model = loadKeras(source);
      const results = model.predict(inputs);
      model.dispose();
      expect(results.map(({ dims }) => dims)).toEqual(outputs.map(({ dims }) => dims));
      for (const [k, { data }] of outputs.entries()) {
        for (const [i, value] of data.entries()) expect(Math.abs(results[k]!.data[i]! - value)).toBeLessThan(1e-6);
      }
    }
  });

  test('weights of a trained model, without those of its optimizer', () => {
    const names = [...readKerasWeights(read('bidirectional.weights.h5')).keys()];
    const cells = ['bidirectional/backward_layer', 'bidirectional/forward_layer', 'lstm'].map(
      (layer) => `layers/${layer}/cell`,
    );
    expect(names.sort()).toEqual(cells.flatMap((cell) => [0, 1, 2].map((i) => `${cell}/vars/${i}`)));
  });
});

describe('readKerasWeights', () => {
  const bytes = hdf5((root) => {
    writeLayers(
      root,
      layerMap((layer, name) => `${layer}/${name}:0`),
    );
    write(root, 'more/double', nested([0.1, 2]), { dtype: '<d' });
    write(root, 'more/steps', { data: new Int32Array([7]) as any, dims: [1] }, { dtype: '<i' });
    write(root, 'chunks/plain', noise([10, 7], 5), { chunks: [4, 3] });
    write(root, 'chunks/deflated', noise([10, 7], 5), { chunks: [10, 2], compression: 6 });
    write(root, 'chunks/shuffled', noise([10, 7], 5), { chunks: [3, 7], compression: 'gzip', compression_opts: [4] });
  });

  test('gives every tensor by its path', () => {
    const weights = readKerasWeights(bytes);
    for (const [layer, all] of Object.entries(WEIGHTS)) {
      for (const [name, { data, dims }] of Object.entries(all)) {
        expect(weights.get(`${layer}/${layer}/${name}:0`), name).toEqual({ data, dims });
      }
    }
  });

  test('reads every kind of float, in a row and in chunks', () => {
    const weights = readKerasWeights(bytes);
    expect(weights.get('more/double')!.data).toEqual(new Float32Array([0.1, 2]));
    for (const name of ['plain', 'deflated', 'shuffled']) {
      expect(weights.get(`chunks/${name}`), name).toEqual(noise([10, 7], 5));
    }
    expect(weights.has('more/steps')).toBe(false);
  });

  test('reads big-endian floats', () => {
    const file = hdf5((root) => write(root, 'swapped', nested([0.5, -3])));
    const type = Buffer.from(file.buffer).indexOf(Buffer.from('11201f0004000000', 'hex'));
    file[type + 1]! |= 1;
    const swapped = new DataView(new ArrayBuffer(8));
    for (const [i, value] of [0.5, -3].entries()) swapped.setFloat32(4 * i, value, true);
    const values = [0, 4].map((at) => swapped.getFloat32(at, false));
    expect([...readKerasWeights(file).get('swapped')!.data]).toEqual(values);
  });

  test('of a whole model leaves out where in the file they are', () => {
    const whole = kerasH5(
      MODEL,
      layerMap((layer, name) => `${layer}/${name}:0`),
    );
    expect([...readKerasWeights(whole).keys()]).toContain('first/first/kernel:0');
  });

  test('undoes the filters of chunks that h5py wrote, in every order, with elements beyond the edge', () => {
    const file = new Uint8Array(readFileSync(new URL('./fixtures/keras/filters.h5', import.meta.url)));
    const data = Float32Array.from({ length: 90 }, (_, i) => (((i * i) % 251) - 125) / 8);
    const names = ['all', 'big', 'checksum', 'double', 'half', 'shuffle'];
    expect([...readKerasWeights(file)]).toEqual(names.map((name) => [`l/${name}`, { data, dims: [9, 5, 2] }]));
    // the numbers lie as they are only where a checksum is the one filter
    const wrong = file.slice();
    const at = Buffer.from(file).indexOf(Buffer.from(Float32Array.from(data.slice(0, 2)).buffer));
    expect(at).toBeGreaterThan(0);
    wrong[at]! ^= 1;
    expect(() => readKerasWeights(wrong)).toThrow(/the checksum of a chunk of "l\/checksum" expected/);
  });

  test('reads what h5py wrote', () => {
    const weights = readKerasWeights(readFileSync(new URL('./fixtures/keras/h5py.h5', import.meta.url)));
    const data = new Float32Array([3, 4, 5]);
    expect([...weights]).toEqual(['f2', 'f4', 'f8'].map((name) => [name, { data, dims: [3] }]));
  });
});

describe('parseKeras', () => {
  const keras3 = (name: string) => readFileSync(new URL(`fixtures/keras/keras3/${name}`, import.meta.url));

  test.each(['tfjs', 'keras', 'h5'])(
    'gives the layers of a %s file and their weights by the names of Keras',
    (form) => {
      const first = renamed((layer, name) => `${layer}/${name}`);
      const source = {
        tfjs: tfjs(MODEL, first),
        keras: { keras: keras3('bidirectional.keras') },
        h5: { h5: keras3('bidirectional.h5') },
      };
      const { layers } = parseKeras(source[form as 'h5']);
      const { weights } = layers.find(({ className }) => className === 'Bidirectional')!;
      const part = ['kernel', 'recurrent_kernel', 'bias'];
      expect([...weights.keys()]).toEqual(
        ['forward', 'backward'].flatMap((one) => part.map((name) => `${one}/${name}`)),
      );
      if (form !== 'tfjs') return;
      expect(layers.map(({ name, className }) => [className, name])).toEqual(
        LAYERS.map(([className, { name }]) => [className, name]),
      );
      expect(layers[0]!.config).toMatchObject({ units: 5, return_sequences: true });
      expect(Object.fromEntries(layers[0]!.weights)).toEqual(WEIGHTS.first);
      expect(weights.get('backward/kernel')).toEqual(lstmWeights('', 5, 3, 7)['/kernel']);
    },
  );

  test('gives layers that are not supported without weights, and refuses what is damaged', () => {
    const gru = sequential([['ConvLSTM2D', { name: 'g', units: 2 }]], [null, 3, 2]);
    const { layers } = parseKeras(tfjs(gru, {}));
    expect(layers).toEqual([expect.objectContaining({ name: 'g', className: 'ConvLSTM2D', weights: new Map() })]);
    expect(() => parseKeras({ modelJson: '{"modelTopology": 1}', weights: [] })).toThrow(/expected an object/);
  });
});
