import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { loadGuitarML, loadNam, loadRTNeural } from '../../src/audio.ts';
import { loadKeras, readKerasWeights } from '../../src/keras.ts';
import { parseCheckpoint } from '../../src/pytorch.ts';
import { parseSafetensors } from '../../src/safetensors.ts';
import { guitarML, nam, rtneural } from '../support/audio-files.ts';
import { bytes } from '../support/checkpoint-files.ts';
import { hdf5, write } from '../support/hdf5-files.ts';
import { noise, sequential, tfjs } from '../support/keras-files.ts';
import { refusal } from '../support/refusals.ts';
import { pack } from '../support/safetensors-files.ts';

const ascii = (value: string) => new TextEncoder().encode(value);

const dense = sequential([['Dense', { name: 'd', units: 2 }]], [null, 3]);

const denseWeights = { 'd/kernel': noise([3, 2]), 'd/bias': noise([2]) };

const tfjsModel = tfjs(dense, denseWeights);

/** A zip of one stored entry, archive/data.pkl. */
function checkpointOf(data: Uint8Array): Uint8Array {
  return zipSync({ 'archive/data.pkl': data }, { level: 0 });
}

describe('a million levels', () => {
  const depth = 1e6;
  const arrays = '['.repeat(depth);
  const objects = '{"a":'.repeat(depth);

  test.each([
    ['arrays', arrays, ']'],
    ['objects', objects, '}'],
  ])('of JSON: %s', (_, levels, end) => {
    const closed = levels + (end === '}' ? '1' : '') + end.repeat(depth);
    for (const json of [levels, `{"x":${levels}`, `{"x":${closed}}`]) {
      expect(refusal(() => parseSafetensors(pack(`{"x":{"y":${json}`))).code).toBe('too-deep');
      for (const load of [loadNam, loadRTNeural, loadGuitarML]) expect(refusal(() => load(json)).code).toBe('too-deep');
      expect(refusal(() => loadKeras({ modelJson: json, weights: [] })).code).toBe('too-deep');
      const entries = { 'config.json': ascii(json), 'metadata.json': ascii('{"keras_version":"3.8.0"}') };
      const keras = zipSync(
        { ...entries, 'model.weights.h5': hdf5((root) => write(root, 'x', noise([2]))) },
        { level: 0 },
      );
      expect(refusal(() => loadKeras({ keras })).code).toBe('too-deep');
    }
  });

  test('of a JSON value that its caller has parsed', () => {
    const deep = [JSON.parse(arrays + ']'.repeat(depth)), JSON.parse(`${objects}1${'}'.repeat(depth)}`)];
    for (const value of deep) {
      for (const key of ['version', 'config', 'weights']) refusal(() => loadNam({ ...nam(), [key]: value }), key);
      for (const key of ['in_shape', 'layers']) refusal(() => loadRTNeural({ ...rtneural(), [key]: value }), key);
      for (const key of ['model_data', 'state_dict']) refusal(() => loadGuitarML({ ...guitarML(), [key]: value }), key);
      const { modelJson, weights } = tfjsModel;
      for (const key of ['modelTopology', 'weightsManifest'])
        refusal(() => loadKeras({ modelJson: { ...modelJson, [key]: value }, weights }), key);
    }
  });

  test('of a pickle: tuples, lists, dicts, marks', () => {
    const levels = (...code: string[]) => {
      const [begin, part, end] = code.map((one) => bytes(one)) as [Uint8Array, Uint8Array, Uint8Array];
      const data = new Uint8Array(begin.length + part.length * depth + end.length);
      data.set(begin);
      for (let i = 0; i < depth; i++) data.set(part, begin.length + i * part.length);
      data.set(end, begin.length + depth * part.length);
      return checkpointOf(data);
    };
    for (const [begin, part, end] of [
      [')', '\x85', '.'],
      ['', ']', `${'a'.repeat(1000)}.`],
      ['', '}', '.'],
      ['', '(', '.'],
      ['N', '\x8c\x01a', '.'],
    ] as const)
      refusal(() => parseCheckpoint(levels(begin, part, end)), part);
  });

  test('of groups of HDF5, and a group that is in itself', () => {
    const deep = hdf5((root) => write(root, Array(40).fill('g').join('/'), noise([2])));
    expect(refusal(() => readKerasWeights(deep)).code).toBe('too-deep');
    const cycle = hdf5((root) => {
      const group = root.create_group('g')!;
      (group as any).create_hard_link('/g', 'self');
    });
    expect(refusal(() => readKerasWeights(cycle)).code).toBe('overlap');
  });
});
