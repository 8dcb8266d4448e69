import { describe, expect, test } from 'vitest';
import { loadKeras, ModelError, readKerasWeights } from '../src/keras.ts';
import { type Group, hdf5, write, writeLayers } from './support/hdf5-files.ts';
import { noise, sequential } from './support/keras-files.ts';

// HDF5 in the formats of 1.8 and later: h5py's libver='latest', and what h5wasm writes by itself. Up to 8 links or attributes are
// messages of an object; more are in a heap with a B-tree, which has one level for 46 and three for some thousands.

const FORMATS: [string, any][] = [
  ['earliest', ['earliest', 'latest']],
  ['of itself', undefined],
  ['1.8', ['v108', 'latest']],
  ['1.10', ['v110', 'latest']],
  ['latest', 'latest'],
];

const fill = (count: number) => (root: Group) => {
  const group = root.create_group('layers') as Group;
  for (let i = 0; i < count; i++) write(group, `a_rather_long_name_${i}`, noise([2, 3], i));
};

describe.each(FORMATS)('%s', (_, libver) => {
  test.each([1, 8, 9, 46, 60, 3000])('%i weights in a group', (count) => {
    const weights = readKerasWeights(hdf5(fill(count), libver));
    expect(weights.size).toBe(count);
    for (let i = 0; i < count; i++) {
      expect(weights.get(`layers/a_rather_long_name_${i}`)).toEqual(noise([2, 3], i));
    }
  });

  test.each([0, 1, 8, 30, 300])('a model with %i attributes more, and texts of all lengths', (more) => {
    const dense = sequential([['Dense', { name: 'dense', units: 2, note: 'é'.repeat(20_000) }]], [null, 4]);
    const file = hdf5((root) => {
      for (let i = 0; i < more; i++) root.create_attribute(`more${i}`, i % 2 ? 'text' : new Float64Array([i]));
      root.create_attribute('keras_version', '2.15.0');
      root.create_attribute('model_config', JSON.stringify(dense));
      const weights = { 'dense/kernel:0': noise([4, 2], 1), 'dense/bias:0': noise([2], 2) };
      writeLayers(root.create_group('model_weights') as Group, new Map([['dense', weights]]));
    }, libver);
    const model = loadKeras({ h5: file });
    const [kernel, bias] = [noise([4, 2], 1).data, noise([2], 2).data];
    const x = noise([1, 4], 3);
    const { data } = model.predict(x);
    for (const k of [0, 1]) {
      const wanted = x.data.reduce((sum, value, i) => sum + value * kernel[2 * i + k]!, bias[k]!);
      expect(data[k]).toBeCloseTo(wanted, 6);
    }
    model.dispose();
  });
});

test('chunks are refused with what to do', () => {
  const newer = hdf5((root) => write(root, 'x', noise([10, 7], 5), { chunks: [4, 3] }), ['v108', 'latest']);
  expect(() => readKerasWeights(newer)).toThrow(ModelError);
  expect(() => readKerasWeights(newer)).toThrow('libver="earliest"');
});

describe('what is damaged', () => {
  const files = [hdf5(fill(3), 'latest'), hdf5(fill(50), ['v108', 'latest'])];
  const isRefused = (bytes: Uint8Array) => {
    try {
      readKerasWeights(bytes);
      return false;
    } catch (error) {
      expect(error).toBeInstanceOf(ModelError);
      expect((error as ModelError).message).toMatch(/^keras: /);
      return true;
    }
  };

  test('every truncation of a small one', () => {
    for (let size = 0; size < files[0]!.length; size++) {
      expect(() => readKerasWeights(files[0]!.slice(0, size)), `${size}`).toThrow(ModelError);
    }
  });

  test.each([0x00, 0x01, 0x7f, 0xff])('any byte is %i', (value) => {
    for (const file of files) {
      let refused = 0;
      const step = file.length > 10_000 ? 7 : 1;
      for (let at = 0; at < file.length; at += step) {
        const bytes = file.slice();
        bytes[at] = bytes[at] === value ? value ^ 1 : value;
        if (isRefused(bytes)) refused++;
      }
      expect(refused / (file.length / step)).toBeGreaterThan(0.1);
    }
  });
});
