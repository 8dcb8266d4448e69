import { describe, expect, test } from 'vitest';
import { loadGuitarML, loadNam, loadRTNeural } from '../../src/audio.ts';
import { LSTM } from '../../src/index.ts';
import { loadKeras, readKerasWeights } from '../../src/keras.ts';
import { loadOnnx } from '../../src/onnx.ts';
import { parseCheckpoint } from '../../src/pytorch.ts';
import { parseSafetensors, serializeSafetensors } from '../../src/safetensors.ts';
import { guitarML, nam, rtneural } from '../support/audio-files.ts';
import { checkpoint, dict, pickle, tensor, text } from '../support/checkpoint-files.ts';
import { hdf5, kerasArchive, kerasH5, write } from '../support/hdf5-files.ts';
import { lstmWeights, noise, sequential, tfjs, type Weight } from '../support/keras-files.ts';
import { onnxFile, tensorProto } from '../support/onnx-files.ts';
import { refusal } from '../support/refusals.ts';
import { pack } from '../support/safetensors-files.ts';

const dense = sequential([['Dense', { name: 'd', units: 2 }]], [null, 3]);
const denseWeights = { 'd/kernel': noise([3, 2]), 'd/bias': noise([2]) };
const tfjsModel = tfjs(dense, denseWeights);

describe('sizes that are not those of the weights', () => {
  const wrong = (size: number) => [size - 1, size + 1, 2 * size, 0, -1];

  test('units of Keras, and gates that are 3 or 5', () => {
    const layers = (units: any, out: any) =>
      sequential(
        [
          ['LSTM', { name: 'lstm', units }],
          ['Dense', { name: 'dense', units: out }],
        ],
        [null, 4, 2],
      );
    const weights: Record<string, Weight> = {
      ...lstmWeights('lstm', 2, 3),
      'dense/kernel': noise([3, 2]),
      'dense/bias': noise([2]),
    };
    const cases = [...wrong(3).map((units) => layers(units, 2)), ...wrong(2).map((out) => layers(3, out))];
    const filed = [weights['lstm/kernel']!, weights['lstm/recurrent_kernel']!, weights['lstm/bias']!];
    const keras = (model: object) =>
      kerasArchive(model, [
        ['LSTM', { cell: filed }],
        ['Dense', { '': [weights['dense/kernel']!, weights['dense/bias']!] }],
      ]);
    const h5 = (model: object) =>
      kerasH5(
        model,
        new Map([
          ['lstm', Object.fromEntries(Object.entries(lstmWeights('lstm', 2, 3)).map(([k, v]) => [`${k}:0`, v]))],
          ['dense', { 'dense/kernel:0': weights['dense/kernel']!, 'dense/bias:0': weights['dense/bias']! }],
        ]),
      );
    for (const model of [layers(3, 2)]) {
      loadKeras(tfjs(model, weights)).dispose();
      loadKeras({ keras: keras(model) }).dispose();
      loadKeras({ h5: h5(model) }).dispose();
    }
    for (const model of cases) {
      const codes = [
        refusal(() => loadKeras(tfjs(model, weights))),
        refusal(() => loadKeras({ keras: keras(model) })),
        refusal(() => loadKeras({ h5: h5(model) })),
      ].map(({ code }) => code);
      expect(['wrong-shape', 'wrong-value']).toContain(codes[0]);
      expect(new Set(codes).size).toBe(1);
    }
    for (const gates of [3, 5, 8, 0]) {
      const changed = { ...weights, 'lstm/kernel': noise([2, 3 * gates]) };
      expect(refusal(() => loadKeras(tfjs(layers(3, 2), changed))).code).toBe('wrong-shape');
    }
  });

  test('shapes of a state dict, from safetensors and from a checkpoint', () => {
    const tensors = { weight_ih_l0: noise([12, 2]), weight_hh_l0: noise([12, 3]) };
    const load = (dict: Record<string, any>) =>
      LSTM.fromStateDict(parseSafetensors(serializeSafetensors(dict))).dispose();
    load(tensors);
    for (const [name, { dims }] of Object.entries(tensors)) {
      for (const [axis, size] of dims.entries()) {
        for (const other of [...wrong(size), 9, 15].filter((other) => other >= 0)) {
          // the input size is for this weight to say
          if (name === 'weight_ih_l0' && axis === 1) continue;
          const shape = dims.with(axis, other);
          refusal(() => load({ ...tensors, [name]: noise(shape) }), `${name} [${shape}]`);
        }
      }
    }
    for (const dims of [[9, 2], [15, 2], [2], [2, 2, 1]] as number[][]) {
      const elements = dims.reduce((product, size) => product * size, 1);
      const strides = dims.map((_, i) => dims.slice(i + 1).reduce((product, size) => product * size, 1));
      const data = { name: 'archive/data/0', data: new Uint8Array(4 * elements) };
      const weight = tensor({ elements, dims, strides });
      const file = checkpoint(pickle(dict([text('weight_ih_l0'), weight])), data);
      refusal(() => LSTM.fromStateDict(parseCheckpoint(file)), `[${dims}]`);
    }
  });

  test('sizes of an amplifier', () => {
    const sizes = { nam: nam({ H: 3, layers: 2 }), guitar: guitarML({ H: 3, layers: 2 }) };
    for (const key of ['input_size', 'hidden_size', 'num_layers'] as const) {
      for (const size of wrong(sizes.nam.config[key]).filter((size) => size !== sizes.nam.config[key])) {
        const config = { ...sizes.nam.config, [key]: size };
        refusal(() => loadNam({ ...sizes.nam, config }), `NAM ${key} ${size}`);
        const model_data = { ...sizes.guitar.model_data, [key]: size };
        refusal(() => loadGuitarML({ ...sizes.guitar, model_data }), `GuitarML ${key} ${size}`);
      }
    }
    const layers = rtneural({ H: 3 });
    for (const size of wrong(3)) {
      const changed = structuredClone(layers);
      changed.layers[0]!.shape[2] = size;
      refusal(() => loadRTNeural(changed), `RTNeural ${size}`);
    }
    for (const size of wrong(1).filter((size) => size !== 1)) {
      refusal(() => loadRTNeural({ ...layers, in_shape: [null, null, size] }), `RTNeural input ${size}`);
    }
  });

  test('hidden_size of an LSTM of ONNX', () => {
    const load = (hidden: number) =>
      loadOnnx(
        onnxFile({
          nodes: [{ op: 'LSTM', inputs: ['X', 'W', 'R', 'B'], attributes: { hidden_size: hidden } }],
          inputs: { X: [4, 1, 2] },
          initializers: [
            tensorProto('W', [1, 12, 2], noise([24]).data),
            tensorProto('R', [1, 12, 3], noise([36]).data),
            tensorProto('B', [1, 24], noise([24]).data),
          ],
        }),
      ).dispose();
    load(3);
    for (const size of [...wrong(3), 2 ** 31, 2 ** 32 + 3]) refusal(() => load(size), `${size}`);
  });
});

describe('sizes that no file can have', () => {
  const HUGE = [
    '0',
    '-1',
    '1.5',
    '4294967296',
    '2147483648',
    '9007199254740992',
    '18446744073709551616',
    '1e308',
    '1e999',
  ];

  test.each(HUGE)('%s in JSON', (size) => {
    const json = JSON.stringify(tfjsModel.modelJson);
    const { weights } = tfjsModel;
    for (const [from, to] of [
      ['"shape":[3,2]', `"shape":[3,${size}]`],
      ['"shape":[3,2]', `"shape":[${size},2]`],
      ['"units":2', `"units":${size}`],
      ['[null,3]', `[null,${size}]`],
    ] as const) {
      expect(json).toContain(from);
      refusal(() => loadKeras({ modelJson: json.replace(from, to), weights }), `${from} ${to}`);
    }
    for (const field of ['"shape":[', '"data_offsets":[0,']) {
      const header = '{"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'.replace(`${field}4`, field + size);
      refusal(() => parseSafetensors(pack(header, [1, 2, 3, 4])), field);
    }
  });

  test('in a dataspace of HDF5', () => {
    const file = Buffer.from(hdf5((root) => write(root, 'x', noise([7, 3]))));
    // version 1, two dimensions, whose sizes lie 8 bytes behind
    const space = file.indexOf(Buffer.from([1, 2, 1, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]));
    expect(space).toBeGreaterThan(0);
    for (const size of [
      0n,
      1n,
      6n,
      8n,
      14n,
      2n ** 31n,
      2n ** 32n,
      2n ** 32n + 7n,
      2n ** 53n,
      2n ** 63n,
      2n ** 64n - 1n,
    ]) {
      const changed = Buffer.from(file);
      changed.writeBigUInt64LE(size, space + 8);
      // an empty one needs no bytes
      if (size === 0n) expect(readKerasWeights(new Uint8Array(changed)).get('x')!.dims).toEqual([0, 3]);
      else refusal(() => readKerasWeights(new Uint8Array(changed)), `${size}`);
    }
  });

  test('data of HDF5 in another file', () => {
    const file = Buffer.from(hdf5((root) => write(root, 'x', noise([2]))));
    // the message of the fill value, 8 bytes, becomes that of external files
    const fill = file.indexOf(Buffer.from([5, 0, 8, 0]));
    expect(fill).toBeGreaterThan(0);
    file[fill] = 7;
    expect(refusal(() => readKerasWeights(new Uint8Array(file))).message).toContain('another file');
  });
});
