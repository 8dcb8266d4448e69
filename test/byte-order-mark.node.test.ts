import { zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { loadGuitarML, loadNam, loadRTNeural } from '../src/audio.ts';
import { loadKeras } from '../src/keras.ts';
import { parseSafetensorsShards, serializeSafetensors } from '../src/safetensors.ts';
import { guitarML, nam, rtneural } from './support/audio-files.ts';
import { archive, hdf5, write } from './support/hdf5-files.ts';
import { noise, sequential, tfjs } from './support/keras-files.ts';
import { refusal } from './support/refusals.ts';

// A byte order mark, with which editors and PowerShell begin a text, in each JSON that is read: the same model as without it.

const MARK = '\ufeff';
const INPUT = noise([2, 3]);
const MODEL = sequential([['Dense', { name: 'd', units: 2 }]], [null, 3]);
const WEIGHTS = { 'd/kernel': noise([3, 2], 1), 'd/bias': noise([2], 2) };

test.each([
  ['nam', loadNam, nam],
  ['rtneural', loadRTNeural, rtneural],
  ['guitarML', loadGuitarML, guitarML],
] as const)('%s', (_, load, file) => {
  const [marked, plain] = [MARK, ''].map((mark) => {
    const out = new Float32Array(4);
    load(mark + JSON.stringify(file())).process(Float32Array.of(1, -1, 0.5, 0), out);
    return out;
  });
  expect(marked).toEqual(plain);
});

test('model.json', () => {
  const { modelJson, weights } = tfjs(MODEL, WEIGHTS);
  const wanted = loadKeras({ modelJson, weights }).predict(INPUT);
  expect(loadKeras({ modelJson: MARK + JSON.stringify(modelJson), weights }).predict(INPUT)).toEqual(wanted);
});

test('the JSON files in a .keras file', () => {
  const weights = hdf5((root) => {
    write(root, 'layers/dense/vars/0', WEIGHTS['d/kernel']);
    write(root, 'layers/dense/vars/1', WEIGHTS['d/bias']);
  });
  const plain = { 'config.json': MODEL, 'metadata.json': { keras_version: '3.8.0' } };
  const wanted = loadKeras({ keras: archive(plain, weights) }).predict(INPUT);
  const texts = Object.entries(plain).map(([name, json]) => [
    name,
    new TextEncoder().encode(MARK + JSON.stringify(json)),
  ]);
  const keras = zipSync({ ...Object.fromEntries(texts), 'model.weights.h5': weights }, { level: 0 });
  expect(loadKeras({ keras }).predict(INPUT)).toEqual(wanted);
});

test('model_config of an .h5 file', () => {
  const marked = hdf5((root) => {
    root.create_attribute('keras_version', '2.15.0');
    root.create_attribute('model_config', MARK + JSON.stringify(MODEL));
    const group = root.create_group('model_weights')!;
    group.create_attribute('layer_names', ['d'] as any, null as any, 'S1');
    const layer = group.create_group('d')!;
    layer.create_attribute('weight_names', ['d/kernel', 'd/bias'] as any, null as any, 'S8');
    for (const [name, weight] of Object.entries(WEIGHTS)) write(layer, name, weight);
  });
  const plain = loadKeras(tfjs(MODEL, WEIGHTS, '2.15.0')).predict(INPUT);
  expect(loadKeras({ h5: marked }).predict(INPUT)).toEqual(plain);
});

test('the index of shards of safetensors', () => {
  const files = { 'a.safetensors': serializeSafetensors({ x: { data: Float32Array.of(1), dims: [1] } }) };
  const index = JSON.stringify({ weight_map: { x: 'a.safetensors' } });
  const wanted = parseSafetensorsShards(index, files);
  expect(wanted.get('x')!.data).toEqual(Float32Array.of(1));
  expect(parseSafetensorsShards(MARK + index, files)).toEqual(wanted);
});

test('two marks, or one behind white space, are not JSON', () => {
  for (const text of [`${MARK}${MARK}{}`, ` ${MARK}{}`]) expect(refusal(() => loadNam(text)).code).toBe('invalid-json');
});
