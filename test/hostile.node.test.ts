import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { makeFormats } from '../scripts/formats.mjs';
import * as audio from '../src/audio.ts';
import * as core from '../src/index.ts';
import * as keras from '../src/keras.ts';
import * as onnx from '../src/onnx.ts';
import * as pytorch from '../src/pytorch.ts';
import * as safetensors from '../src/safetensors.ts';
import { guitarML, nam, rtneural, torchModules } from './support/audio-files.ts';
import { bytes, checkpoint, dict, pickle, tensor, text } from './support/checkpoint-files.ts';
import { hdf5, kerasArchive, kerasH5, write } from './support/hdf5-files.ts';
import { lstmWeights, noise, sequential, tfjs, type Weight } from './support/keras-files.ts';
import { message, onnxFile, tensorProto } from './support/onnx-files.ts';
import { refusal } from './support/refusals.ts';
import { entry, pack } from './support/safetensors-files.ts';

// Attacks that any format could be open to, each tried on all of them through their entry points. What one format alone has
// is in the tests of its reader.

const { LSTM } = core;
const { loadGuitarML, loadNam, loadRTNeural } = audio;
const { loadKeras, readKerasWeights } = keras;
const { loadOnnx } = onnx;
const { parseCheckpoint } = pytorch;
const { parseSafetensors, serializeSafetensors } = safetensors;

const ascii = (value: string) => new TextEncoder().encode(value);
const fixture = (path: string) => new Uint8Array(readFileSync(new URL(`./fixtures/${path}`, import.meta.url)));

const dense = sequential([['Dense', { name: 'd', units: 2 }]], [null, 3]);
const denseWeights = { 'd/kernel': noise([3, 2]), 'd/bias': noise([2]) };
const tfjsModel = tfjs(dense, denseWeights);
const lstm = new LSTM(2, 3, { seed: 1 });

const FORMATS: Record<string, Format> = makeFormats({ core, audio, keras, onnx, pytorch, safetensors });
const NAMES = Object.keys(FORMATS);

interface Format {
  readonly load: (file: any) => unknown;
  readonly small: () => Uint8Array;
  readonly fromBytes?: (bytes: Uint8Array) => unknown;
  readonly alsoReads?: readonly string[];
  readonly ignoresRest?: boolean;
}

/** Reads bytes as a file of a format, and frees what that gives. */
function readAs({ load, fromBytes = (bytes) => bytes }: Format, bytes: Uint8Array): void {
  (load(fromBytes(bytes)) as { dispose?(): void } | undefined)?.dispose?.();
}

describe.each(NAMES)('%s', (name) => {
  const format = FORMATS[name]!;
  const file = new Uint8Array(format.small());
  const load = (bytes: Uint8Array) => readAs(format, bytes);
  const others = NAMES.filter((other) => other !== name);
  const reads = (other: string) => other === name || format.alsoReads?.includes(other);

  test('every prefix is refused, and a byte more unless it means nothing', () => {
    load(file);
    for (let size = 0; size < file.length; size++) {
      // protobuf has no end: a prefix up to a field is a file, which lacks parts that its reader needs
      refusal(() => load(file.subarray(0, size)), `${size} bytes`);
    }
    const longer = new Uint8Array([...file, 0]);
    if (format.ignoresRest) load(longer);
    else refusal(() => load(longer));
  });

  test('every other format is refused', () => {
    for (const other of others) if (!reads(other)) refusal(() => load(FORMATS[other]!.small()), other);
    for (const wrong of ['', ' ', '\0', 'null', '<!DOCTYPE html>', 'version https://git-lfs.github.com/spec/v1\n'])
      refusal(() => load(ascii(wrong)), wrong);
    for (const file of ['dtln/austen-white-hum.wav', 'onnx-ort/index.json']) refusal(() => load(fixture(file)), file);
  });

  test('a file in front of another, or behind it, is refused', () => {
    for (const other of NAMES) {
      const small = FORMATS[other]!.small();
      const front = new Uint8Array([...small, ...file]);
      const behind = new Uint8Array([...file, ...small]);
      // a file that says how long it is ends there
      if (!(reads(other) && FORMATS[other]!.ignoresRest)) refusal(() => load(front), `${other} in front`);
      if (!format.ignoresRest) refusal(() => load(behind), `${other} behind`);
    }
  });
});

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

/** A zip of one stored entry, archive/data.pkl. */
function checkpointOf(data: Uint8Array): Uint8Array {
  return zipSync({ 'archive/data.pkl': data }, { level: 0 });
}

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
