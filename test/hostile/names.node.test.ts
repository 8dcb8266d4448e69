import { describe, expect, test } from 'vitest';
import { loadGuitarML, loadNam, loadRTNeural } from '../../src/audio.ts';
import { loadKeras, readKerasWeights } from '../../src/keras.ts';
import { loadOnnx } from '../../src/onnx.ts';
import { parseCheckpoint } from '../../src/pytorch.ts';
import { parseSafetensors } from '../../src/safetensors.ts';
import { torchModules } from '../support/audio-files.ts';
import { bytes, checkpoint } from '../support/checkpoint-files.ts';
import { hdf5, kerasH5, write } from '../support/hdf5-files.ts';
import { noise, sequential, tfjs } from '../support/keras-files.ts';
import { message } from '../support/onnx-files.ts';
import { refusal } from '../support/refusals.ts';
import { pack } from '../support/safetensors-files.ts';

const dense = sequential([['Dense', { name: 'd', units: 2 }]], [null, 3]);
const ODD = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'é😀', '\u0000', ' '];

describe('odd names are names', () => {
  test.each([...ODD, '', 'k'.repeat(1 << 20)].map((name) => [JSON.stringify(name).slice(0, 20), name]))(
    '%s',
    (_, name) => {
      const header = pack(`{${JSON.stringify(name)}:{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, [7]);
      expect([...parseSafetensors(header)]).toEqual([[name, { data: Uint8Array.of(7), dims: [1], dtype: 'U8' }]]);
      const metadata = pack(`{"__metadata__":{${JSON.stringify(name)}:"","other":""}}`);
      expect(parseSafetensors(metadata).size).toBe(0);

      const layer = name === '' ? 'd' : name;
      const model = sequential([['Dense', { name: layer, units: 2 }]], [null, 3]);
      const { modelJson, weights } = tfjs(model, {});
      modelJson.weightsManifest[0].weights = ['kernel', 'bias'].map((weight) => {
        return { name: `${layer}/${weight}`, shape: weight === 'bias' ? [2] : [3, 2], dtype: 'float32' };
      });
      expect(weights.length).toBe(0);
      const keras = loadKeras({ modelJson: JSON.stringify(modelJson), weights: new Uint8Array(32) });
      expect(keras.predict(noise([1, 3])).dims).toEqual([1, 2]);
      keras.dispose();

      // only the names of modules mean something
      const modules = JSON.stringify(torchModules()).replaceAll('"dense.', `${JSON.stringify(name).slice(0, -1)}.`);
      loadRTNeural(modules).dispose();
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    },
  );

  test('an HDF5 file has them too, but for three', () => {
    for (const name of [...ODD, 'k'.repeat(10_000)].filter((name) => name !== '__proto__' && name !== '\u0000'))
      expect([...readKerasWeights(hdf5((root) => write(root, name, noise([2]))))]).toEqual([[name, noise([2])]]);
    const group = kerasH5(dense, new Map([['__proto__', { 'd/kernel:0': noise([3, 2]) }]]));
    expect(refusal(() => loadKeras({ h5: group })).code).toBe('invalid-name');
  });

  test('half a surrogate pair is none', () => {
    const half = '\\ud800';
    expect(refusal(() => parseSafetensors(pack(`{"${half}":{}}`))).code).toBe('invalid-json');
    for (const load of [loadNam, loadRTNeural, loadGuitarML])
      expect(refusal(() => load(`{"${half}":1}`)).code).toBe('invalid-json');
    expect(refusal(() => loadKeras({ modelJson: `{"${half}":1}`, weights: [] })).code).toBe('invalid-json');
    const name = [0xed, 0xa0, 0x80];
    const node = message((w) => w.tag(1, 2).bytes(message((n) => n.tag(4, 2).bytes(new Uint8Array(name)))));
    expect(refusal(() => loadOnnx(message((w) => w.tag(7, 2).bytes(node)))).code).toBe('not-utf8');
    expect(refusal(() => parseCheckpoint(checkpoint(bytes('X', 3, 0, 0, 0, name, '.')))).code).toBe('invalid-utf8');
  });
});
