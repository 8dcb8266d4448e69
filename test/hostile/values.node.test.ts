import { expect, test } from 'vitest';
import { loadGuitarML, loadNam, loadRTNeural } from '../../src/audio.ts';
import { LSTM } from '../../src/index.ts';
import { loadKeras, readKerasWeights } from '../../src/keras.ts';
import { parseSafetensors } from '../../src/safetensors.ts';
import { guitarML, nam, rtneural, torchModules } from '../support/audio-files.ts';
import { hdf5, kerasArchive, kerasH5, write } from '../support/hdf5-files.ts';
import { sequential, tfjs } from '../support/keras-files.ts';
import { refusal } from '../support/refusals.ts';
import { entry, pack } from '../support/safetensors-files.ts';

const lstm = new LSTM(2, 3, { seed: 1 });

test('1e999 and NaN in place of any number of a JSON file', () => {
  const files: [string, (json: string) => { dispose(): void }][] = [
    [JSON.stringify(nam({ H: 1 })), loadNam],
    [JSON.stringify(rtneural({ H: 1 })), loadRTNeural],
    [JSON.stringify(torchModules({ H: 1 })), loadRTNeural],
    [JSON.stringify(guitarML({ H: 1 })), loadGuitarML],
  ];
  for (const [json, load] of files) {
    load(json).dispose();
    for (const { 0: number, index } of json.matchAll(/(?<=[[,:])-?\d[\d.e-]*(?=[\],}])/g)) {
      for (const wrong of ['1e999', '-1e999', 'NaN', 'Infinity', '0x10', '1_0', '01', '.5', '+1']) {
        refusal(() => load(json.slice(0, index) + wrong + json.slice(index + number.length)), `${wrong} at ${index}`);
      }
    }
  }
});

test('NaN, infinities, subnormals and -0 are kept bit for bit', () => {
  const bits = Uint32Array.of(0x7fc00001, 0x7f800000, 0xff800000, 1, 0x80000000, 0x7f7fffff);
  const data = new Float32Array(bits.buffer);
  const same = (found: ArrayBufferView) => {
    expect(new Uint32Array(found.buffer, found.byteOffset, found.byteLength / 4)).toEqual(bits);
  };
  same(parseSafetensors(pack({ x: entry('F32', [6], 0, 24) }, new Uint8Array(bits.buffer))).get('x')!.data);
  same(readKerasWeights(hdf5((root) => write(root, 'x', { data, dims: [6] }))).get('x')!.data as Float32Array);
  const [from, to] = [lstm.stream(), lstm.stream()];
  from.setState({ h0: { data: data.slice(0, 3), dims: [1, 3] }, c0: { data: data.slice(3), dims: [1, 3] } });
  to.load(from.save());
  expect(to.save()).toEqual(from.save());
  for (let step = 0; step < 3; step++) to.step();
});

test('a Lambda is refused in every form of Keras', () => {
  const model = sequential([['Lambda', { name: 'l', function: ['4wEAAAAAAAAAAQAAAA==', null, null] }]], [null, 3]);
  for (const load of [
    () => loadKeras(tfjs(model, {})),
    () => loadKeras({ h5: kerasH5(model, new Map()) }),
    () => loadKeras({ keras: kerasArchive(model, []) }),
  ]) {
    const { code, message } = refusal(load);
    expect(code).toBe('unsupported');
    expect(message).toContain('Lambda');
  }
});
