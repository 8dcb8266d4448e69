import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { type KerasSource, loadKeras, ModelError, readKerasWeights } from '../src/keras.ts';
import { hdf5, kerasArchive, write } from './support/hdf5-files.ts';
import { lstmWeights, noise, sequential, tfjs } from './support/keras-files.ts';
import { refusal as refusalOf } from './support/refusals.ts';
import { soon } from './support/work.ts';

// Files that must be refused: with a ModelError that says what and where, at once, whatever they ask for.

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`./fixtures/keras/${name}`, import.meta.url)));
const MODEL_H5 = fixture('model.h5');
const MODEL_KERAS = fixture('model.keras');
const CHUNKS_H5 = fixture('chunks.h5');

function refusal(load: () => unknown): ModelError {
  const error = refusalOf(load);
  expect(error.message).toMatch(/^keras: [^\n\0]{1,2000}$/);
  return error;
}

/** model.json of an LSTM and a Dense, changed. */
function changed(change: (json: any, layers: any[]) => void, weights?: Uint8Array): KerasSource {
  const model = sequential(
    [
      ['LSTM', { name: 'lstm', units: 3, recurrent_activation: 'sigmoid' }],
      ['Dense', { name: 'dense', units: 2 }],
    ],
    [null, 4, 2],
  );
  const all = { ...lstmWeights('lstm', 2, 3), 'dense/kernel': noise([3, 2]), 'dense/bias': noise([2]) };
  const source = tfjs(model, all);
  change(source.modelJson, source.modelJson.modelTopology.config.layers);
  return { modelJson: JSON.stringify(source.modelJson), weights: weights ?? source.weights };
}

const spec = (json: any, name: string) => json.weightsManifest[0].weights.find((weight: any) => weight.name === name);

describe('model.json', () => {
  test('unchanged is read', () => {
    expect(() => loadKeras(changed(() => {})).dispose()).not.toThrow();
  });

  const CASES: [string, (json: any, layers: any[]) => void, string][] = [
    ['a missing weight', (json) => json.weightsManifest[0].weights.splice(2, 1), 'size-mismatch'],
    ['two weights of one name', (json) => (spec(json, 'dense/bias').name = 'dense/kernel'), 'duplicate-weight'],
    ['a weight of no layer', (json) => (spec(json, 'dense/bias').name = 'other/bias'), 'unexpected-weight'],
    ['a weight that its layer has not', (json) => (spec(json, 'dense/bias').name = 'dense/gamma'), 'missing-weight'],
    ['a bias beyond use_bias', (_, layers) => (layers[1].config.use_bias = false), 'unexpected-weight'],
    ['a transposed kernel', (json) => spec(json, 'dense/kernel').shape.reverse(), 'wrong-shape'],
    ['more units than weights', (_, layers) => (layers[0].config.units = 4), 'wrong-shape'],
    ['as many units as 2^31', (_, layers) => (layers[1].config.units = 2 ** 31 - 1), 'too-large'],
    ['units of 0', (_, layers) => (layers[0].config.units = 0), 'wrong-value'],
    ['units of 1.5', (_, layers) => (layers[0].config.units = 1.5), 'wrong-value'],
    ['units of 2^53', (_, layers) => (layers[0].config.units = 2 ** 53), 'wrong-value'],
    ['units as a text', (_, layers) => (layers[0].config.units = '3'), 'wrong-value'],
    ['a dim of -1', (json) => (spec(json, 'dense/bias').shape = [-1]), 'wrong-value'],
    ['a dim of 2^31 - 1', (json) => (spec(json, 'dense/bias').shape = [2 ** 31 - 1, 2]), 'too-large'],
    ['dims whose product wraps', (json) => (spec(json, 'dense/bias').shape = [65536, 65536, 65536]), 'too-large'],
    ['a dtype that is no float', (json) => (spec(json, 'dense/bias').dtype = 'int32'), 'unsupported'],
    ['a string weight', (json) => (spec(json, 'dense/bias').dtype = 'string'), 'unsupported'],
    ['complex quantization', (json) => (spec(json, 'dense/bias').quantization = { dtype: 'int4' }), 'unsupported'],
    [
      'quantization without a scale',
      (json) => (spec(json, 'dense/bias').quantization = { dtype: 'uint8' }),
      'missing-field',
    ],
    ['a Lambda', (_, layers) => Object.assign(layers[1], { class_name: 'Lambda' }), 'unsupported'],
    [
      'a layer named as what objects inherit',
      (_, layers) => Object.assign(layers[1], { class_name: 'constructor' }),
      'unsupported',
    ],
    ['two layers of one name', (_, layers) => (layers[1].config.name = 'lstm'), 'duplicate-name'],
    ['no name', (_, layers) => delete layers[1].config.name, 'wrong-type'],
    ['no layers', (json) => (json.modelTopology.config.layers = []), 'wrong-value'],
    ['no input shape', (_, layers) => delete layers[0].config.batch_input_shape, 'unknown-shape'],
    ['an input of rank 2', (_, layers) => (layers[0].config.batch_input_shape = [null, 2]), 'wrong-shape'],
    ['unknown features', (_, layers) => (layers[0].config.batch_input_shape = [null, 4, null]), 'unknown-shape'],
    [
      'an input of 2^60 numbers',
      (_, layers) => (layers[0].config.batch_input_shape = [null, 2 ** 30, 2 ** 30]),
      'too-large',
    ],
    ['a model without layers', (_, layers) => Object.assign(layers[1], { class_name: 'Sequential' }), 'wrong-type'],
    [
      'a model of another class',
      (_, layers) => Object.assign(layers[1], { class_name: 'Net', config: { name: 'n', layers: [] } }),
      'unsupported',
    ],
    ['another kind of model', (json) => (json.modelTopology.class_name = 'MyModel'), 'unsupported'],
    ['no topology', (json) => delete json.modelTopology, 'missing-field'],
    ['a graph model', (json) => Object.assign(json, { format: 'graph-model' }), 'unsupported'],
    ['no manifest', (json) => delete json.weightsManifest, 'wrong-type'],
    [
      'a path in the manifest and no weights',
      (json) => (json.weightsManifest = [{ paths: ['../../etc/passwd'], weights: [] }]),
      'size-mismatch',
    ],
  ];
  test.each(CASES)('%s', (_, change, code) => {
    expect(refusal(() => loadKeras(changed(change))).code).toBe(code);
  });

  test('every truncation of the text, and of the weights, and a byte more', () => {
    const { modelJson, weights } = changed(() => {}) as { modelJson: string; weights: Uint8Array };
    for (let end = 0; end < modelJson.length; end += 7) {
      refusal(() => loadKeras({ modelJson: modelJson.slice(0, end), weights }));
    }
    for (let end = 0; end < weights.length; end += 5)
      refusal(() => loadKeras({ modelJson, weights: weights.subarray(0, end) }));
    expect(refusal(() => loadKeras({ modelJson, weights: [weights, new Uint8Array(1)] })).code).toBe('size-mismatch');
    expect(refusal(() => loadKeras({ modelJson: `${modelJson}x`, weights })).code).toBe('invalid-json');
    loadKeras({ modelJson: `${modelJson} \n`, weights }).dispose();
  });

  test('nesting, repeated keys, counts of layers and weights', () => {
    const text = (value: string) => () => loadKeras({ modelJson: value, weights: new Uint8Array(0) });
    expect(refusal(text('['.repeat(1e6))).code).toBe('too-deep');
    expect(refusal(text(`{"modelTopology":${'{"a":'.repeat(1e5)}`)).code).toBe('too-deep');
    expect(refusal(text('{"modelTopology":{},"modelTopology":{}}')).code).toBe('duplicate-key');
    const layers = Array.from({ length: 20_000 }, (_, i) => ({ class_name: 'Dropout', config: { name: `d${i}` } }));
    const many = { modelTopology: { class_name: 'Sequential', config: { layers } }, weightsManifest: [] };
    expect(refusal(() => loadKeras({ modelJson: many, weights: new Uint8Array(0) })).code).toBe('too-large');
    const deep: any = {};
    for (let at = deep, i = 0; i < 1e5; i++) at = at.layer = { class_name: 'TimeDistributed' };
    expect(
      refusal(() =>
        loadKeras(
          changed((_, list) =>
            Object.assign(list[1], {
              class_name: 'TimeDistributed',
              config: { name: 'x', layer: { class_name: 'TimeDistributed' } },
            }),
          ),
        ),
      ).message,
    ).toContain('a TimeDistributed without a layer');
    expect(refusal(() => loadKeras({ modelJson: { modelTopology: deep }, weights: new Uint8Array(0) })).code).toBe(
      'wrong-type',
    );
  });

  test('cycles, unknown layers and outputs, shared layers in functional models', () => {
    const functional = (nodes: [string, any][], output: any = ['b', 0, 0]) => {
      const layers = nodes.map(([name, inbound_nodes]) => ({
        name,
        class_name: 'Dropout',
        config: { name },
        inbound_nodes,
      }));
      const input = {
        name: 'in',
        class_name: 'InputLayer',
        config: { name: 'in', batch_input_shape: [null, 3] },
        inbound_nodes: [],
      };
      const config = { layers: [input, ...layers], input_layers: [['in', 0, 0]], output_layers: [output] };
      return () =>
        loadKeras({
          modelJson: { modelTopology: { class_name: 'Functional', config }, weightsManifest: [] },
          weights: [],
        });
    };
    const call = (name: string) => [[[name, 0, 0, {}]]];
    expect(
      refusal(
        functional([
          ['a', call('b')],
          ['b', call('a')],
        ]),
      ).code,
    ).toBe('cycle');
    expect(refusal(functional([['b', call('b')]])).code).toBe('cycle');
    expect(refusal(functional([['b', call('z')]])).code).toBe('unknown-layer');
    expect(refusal(functional([['b', call('in')]], ['b', 1, 0])).code).toBe('unknown-output');
    expect(refusal(functional([['b', [[['b', 1, 0, {}]], [['b', 0, 0, {}]]]]])).code).toBe('cycle');
    expect(refusal(functional([['b', [[['in', 1, 0, {}]]]]])).code).toBe('unknown-layer');
    expect(refusal(functional([['b', call('in')]], ['b', 0, 1])).code).toBe('unknown-output');
    expect(refusal(functional([['b', call('in')]], [])).code).toBe('wrong-value');
    expect(refusal(functional([['b', [[[]]]]])).code).toBe('wrong-value');
    const history = { class_name: '__keras_tensor__', config: { keras_history: [] } };
    expect(refusal(functional([['b', [{ args: [history], kwargs: {} }]]])).code).toBe('wrong-value');
    expect(refusal(functional([['b', [[['in', 0, 0, { mask: ['in', 0, 0] }]]]]])).code).toBe('wrong-shape');
    functional([
      ['b', call('a')],
      ['a', call('in')],
    ])().dispose();
    // called twice, the first time with its own second output
    functional([['b', [[['b', 1, 0, {}]], ...call('in')]]])().dispose();
  });

  test('NaN and infinite weights are read, as they are legal', () => {
    const { modelJson, weights } = changed(() => {}) as { modelJson: string; weights: Uint8Array };
    const floats = new Float32Array(weights.slice().buffer);
    floats.set([NaN, Infinity, -0, 1e-42], 0);
    const model = loadKeras({ modelJson, weights: new Uint8Array(floats.buffer) });
    expect(model.predict(noise([1, 4, 2])).dims).toEqual([1, 2]);
    model.dispose();
  });
});

/** The file with `bytes` at the n-th place of `letters`, `offset` bytes behind it. */
function patched(file: Uint8Array, letters: string, n: number, offset: number, bytes: number[]): Uint8Array {
  const copy = Buffer.from(file);
  let at = -1;
  for (let i = 0; i <= n; i++) at = copy.indexOf(letters, at + 1, 'latin1');
  expect(at).toBeGreaterThanOrEqual(0);
  copy.set(bytes, at + offset);
  return new Uint8Array(copy);
}

const u64 = (value: number) => [...new Uint8Array(new BigUint64Array([BigInt(value)]).buffer)];

describe('.h5', () => {
  test('every byte of the structure changed: refused or the same shapes', () => {
    for (const file of [MODEL_H5, CHUNKS_H5]) {
      for (let at = 0; at < file.length; at += 31) {
        const copy = file.slice();
        copy[at]! ^= 1 << (at % 8);
        try {
          soon(() => loadKeras({ h5: copy }), `byte ${at}`).dispose();
        } catch (error) {
          expect(error, `byte ${at}`).toBeInstanceOf(ModelError);
        }
      }
    }
  });

  test('every truncation; a byte more changes nothing', () => {
    for (let end = 0; end < MODEL_H5.length; end += 11) refusal(() => loadKeras({ h5: MODEL_H5.subarray(0, end) }));
    loadKeras({ h5: new Uint8Array([...MODEL_H5, 7]) }).dispose();
  });

  test('a B-tree whose nodes point to themselves', () => {
    const tree = Buffer.from(MODEL_H5).indexOf('TREE');
    // level 1, two entries that are the node itself
    let file = patched(MODEL_H5, 'TREE', 0, 5, [1, 2, 0]);
    file = patched(file, 'TREE', 0, 32, u64(tree));
    expect(refusal(() => readKerasWeights(file)).code).toBe('invalid-hdf5');
  });

  test('chunk sizes that ask for hours', () => {
    const file = Buffer.from(CHUNKS_H5);
    // layout version 3, chunked, rank 2 + 1; the chunk's dimensions lie 11 bytes behind
    const layout = file.indexOf(Buffer.from([3, 2, 3]));
    for (const [i, value] of [
      [0, 0xffffffff],
      [0, 0],
      [4, 1 << 30],
      [8, 1],
      [8, 0xffffffff],
    ] as const) {
      const copy = Buffer.from(file);
      copy.writeUInt32LE(value >>> 0, layout + 11 + i);
      expect(refusal(() => readKerasWeights(new Uint8Array(copy))).message).toContain('kernel');
    }
  });

  test('names that lead elsewhere: soft links, external links, __proto__', () => {
    const soft = hdf5((root) => {
      write(root, 'a/x', noise([2]));
      root.create_soft_link('/a/x', 'b');
    });
    expect(refusal(() => readKerasWeights(soft)).message).toMatch(/link to another name/);
    const external = hdf5((root) => root.create_external_link('/etc/passwd', 'x', 'b'));
    refusal(() => readKerasWeights(external));
    const proto = hdf5((root) => write(root, '__proto__', noise([2])));
    expect(refusal(() => readKerasWeights(proto)).code).toBe('invalid-name');
    const inherited = hdf5((root) => write(root, 'constructor/toString', noise([2])));
    expect(readKerasWeights(inherited).get('constructor/toString')).toEqual(noise([2]));
  });

  test('a deflated chunk that gives much more', () => {
    const bomb = hdf5((root) =>
      write(root, 'x', { data: new Float32Array(1e6), dims: [1e6] }, { chunks: [1e6], compression: 9 }),
    );
    expect(bomb.length).toBeLessThan(20_000);
    expect(['size-mismatch', 'too-large']).toContain(refusal(() => readKerasWeights(bomb)).code);
  });

  test('a weights-only file is no model, and says so', () => {
    const weights = hdf5((root) => write(root, 'lstm/kernel', noise([2])));
    expect(refusal(() => loadKeras({ h5: weights })).message).toContain('readKerasWeights');
    expect(refusal(() => loadKeras({ h5: MODEL_KERAS })).message).toContain('{ keras }');
    expect(refusal(() => readKerasWeights(new Uint8Array(0))).code).toBe('not-hdf5');
  });
});

describe('.keras', () => {
  const entries = () => ({
    'config.json': new TextEncoder().encode('{"class_name":"Sequential","config":{"layers":[]}}'),
    'metadata.json': new TextEncoder().encode('{"keras_version":"3.8.0"}'),
    'model.weights.h5': new Uint8Array(MODEL_H5),
  });

  test('every truncation, and a byte more', () => {
    for (let end = 0; end < MODEL_KERAS.length; end += 13)
      refusal(() => loadKeras({ keras: MODEL_KERAS.subarray(0, end) }));
    refusal(() => loadKeras({ keras: new Uint8Array([...MODEL_KERAS, 0]) }));
  });

  test.each(['config.json', 'metadata.json', 'model.weights.h5'])('no %s', (name) => {
    const { [name as 'config.json']: _, ...rest } = entries();
    const error = refusal(() => loadKeras({ keras: zipSync(rest) }));
    expect([error.code, error.path]).toEqual(['missing-entry', name]);
  });

  test('a bomb, a path out, an .h5 in place of it', () => {
    const bomb = zipSync({ ...entries(), 'model.weights.h5': new Uint8Array(5e7) });
    expect(refusal(() => loadKeras({ keras: bomb })).code).toBe('size-mismatch');
    expect(refusal(() => loadKeras({ keras: zipSync({ ...entries(), '../../x': new Uint8Array(1) }) })).code).toBe(
      'unsafe-path',
    );
    expect(refusal(() => loadKeras({ keras: MODEL_H5 })).message).toContain('{ h5 }');
  });

  test('a weight that no layer has, one that is missing', () => {
    const model = (units: number, useBias: boolean) => {
      return sequential([['Dense', { name: 'd', units, use_bias: useBias }]], [null, 3]);
    };
    const weights: [string, Record<string, any[]>][] = [['Dense', { '': [noise([3, 2]), noise([2])] }]];
    loadKeras({ keras: kerasArchive(model(2, true), weights) }).dispose();
    const extra = refusal(() => loadKeras({ keras: kerasArchive(model(2, false), weights) }));
    expect([extra.code, extra.path]).toEqual(['unexpected-weight', 'layers/dense/vars/1']);
    const missing = refusal(() =>
      loadKeras({ keras: kerasArchive(model(2, true), [['Dense', { '': [noise([3, 2])] }]]) }),
    );
    expect([missing.code, missing.path]).toEqual(['missing-weight', 'layers/dense/vars/1']);
    expect(refusal(() => loadKeras({ keras: kerasArchive(model(4, true), weights) })).code).toBe('wrong-shape');
  });
});

test('what is no source at all', () => {
  for (const source of [undefined, null, 'x', [], new Uint8Array(3)])
    expect(() => loadKeras(source as any)).toThrow(TypeError);
  for (const source of [
    {},
    { h5: 'x' },
    { keras: 3 },
    { modelJson: '{}' },
    { h5: new Uint8Array(1), keras: new Uint8Array(1) },
  ]) {
    expect(() => loadKeras(source as any)).toThrow(TypeError);
  }
  expect(() => readKerasWeights({} as any)).toThrow(TypeError);
});
