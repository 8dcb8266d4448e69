import { describe, expect, test } from 'vitest';
import { loadGuitarML, loadNam, loadRTNeural, ModelError } from '../src/audio.ts';
import { bytesUsed } from '../src/index.ts';
import { guitarML, nam, rtneural, torchModules } from './support/audio-files.ts';

type Load = (json: object | string) => unknown;

function refusal(load: Load, json: object | string): ModelError {
  const before = bytesUsed();
  try {
    load(json);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    expect(error.message).toMatch(/^(NAM|RTNeural|GuitarML): [^\n\0]{1,500}$/);
    expect(bytesUsed()).toBe(before);
    return error;
  }
  throw new Error('accepted');
}

/** The file with the value at `path` changed, or removed where it is undefined. */
function changed(file: object, path: string, value: unknown): object {
  const copy = structuredClone(file);
  const keys = path.split('/');
  const last = keys.pop()!;
  const parent = keys.reduce<any>((object, key) => object[key], copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

const keras = rtneural({
  dense: [
    [2, 'tanh'],
    [1, ''],
  ],
});
const modules = torchModules({
  lstms: [
    ['lstm', 1],
    ['lstm2', 2],
  ],
});
const knobs = guitarML({ I: 2, layers: 2 });
const weights = nam().weights;

test('what the tables below are changes of is loaded', () => {
  for (const load of [
    () => loadNam(nam()),
    () => loadRTNeural(keras),
    () => loadRTNeural(modules),
    () => loadGuitarML(knobs),
  ])
    expect(load).not.toThrow();
});

const NUMBERS: [unknown, string][] = [
  [0, 'wrong-type'],
  [-1, 'wrong-type'],
  [1.5, 'wrong-type'],
  [2 ** 53, 'wrong-type'],
  [1e308, 'wrong-type'],
  ['3', 'wrong-type'],
  [null, 'wrong-type'],
  [undefined, 'missing-field'],
];

describe('NAM', () => {
  test.each<[path: string, value: unknown, code: string, at?: string]>([
    ['architecture', 'WaveNet', 'unsupported'],
    ['architecture', undefined, 'missing-field'],
    ['architecture', ['LSTM'], 'unsupported'],
    ['version', '0.4.9', 'unsupported'],
    ['version', '1.0.0', 'unsupported'],
    ['version', 0.5, 'wrong-type'],
    ['version', undefined, 'missing-field'],
    ['config', undefined, 'missing-field'],
    ['config', null, 'wrong-type'],
    ['config', [], 'wrong-type'],
    ...['config/input_size', 'config/hidden_size', 'config/num_layers'].flatMap((path) =>
      NUMBERS.map(([value, code]): [string, unknown, string] => [path, value, code]),
    ),
    ['config/input_size', 2, 'wrong-length', 'weights'],
    ['config/hidden_size', 4, 'wrong-length', 'weights'],
    ['config/num_layers', 2, 'wrong-length', 'weights'],
    ['config/hidden_size', 2 ** 31, 'wrong-length', 'weights'],
    ['config/num_layers', 2 ** 52, 'wrong-length', 'weights'],
    ['config/out_channels', 2, 'unsupported'],
    ['weights', undefined, 'missing-field'],
    ['weights', {}, 'wrong-type'],
    ['weights', 'AAAA', 'wrong-type'],
    ['weights', weights.slice(1), 'wrong-length'],
    ['weights', [...weights, 0], 'wrong-length'],
    ['weights', [weights], 'wrong-length'],
    ['weights/5', '1', 'not-a-number'],
    ['weights/5', null, 'not-a-number'],
    ['weights/5', [1], 'not-a-number'],
    ['weights/5', Number.NaN, 'not-a-number'],
    ['weights/5', Number.NEGATIVE_INFINITY, 'not-a-number'],
    ['weights/5', 1e39, 'not-a-number'],
    ['sample_rate', 0, 'wrong-type'],
    ['sample_rate', -48_000, 'wrong-type'],
    ['sample_rate', '48000', 'wrong-type'],
    ['sample_rate', Number.POSITIVE_INFINITY, 'wrong-type'],
  ])('%s: %j', (path, value, code, at) => {
    const error = refusal(loadNam, changed(nam(), path, value));
    expect(error.code).toBe(code);
    expect(error.path).toBe(at ?? path.replace(/\/(\d+)/g, '[$1]').replaceAll('/', '.'));
  });

  test('the message names the place, what was expected and found', () => {
    const error = refusal(loadNam, changed(nam(), 'weights', weights.slice(1)));
    expect(error.message).toBe('NAM: "weights" expected 70 elements, got 69');
    expect(error).toMatchObject({ code: 'wrong-length', path: 'weights', expected: '70 elements', found: 69 });
    expect(refusal(loadNam, changed(nam(), 'architecture', 'WaveNet')).message).toBe(
      'NAM: "architecture" expected "LSTM" or "Sequential" or "sequential" or "SlimmableContainer", got "WaveNet": a WaveNet has convolutions, and only LSTMs are read',
    );
  });

  test('without a sample rate', () => {
    for (const rate of [undefined, null]) {
      expect(loadNam(changed(nam(), 'sample_rate', rate)).sampleRate).toBeUndefined();
    }
    expect(loadNam(nam()).sampleRate).toBe(48_000);
  });
});

describe('RTNeural, layers', () => {
  const kernel = keras.layers[0]!.weights[0] as number[][];
  test.each<[path: string, value: unknown, code: string, at?: string]>([
    ['in_shape', undefined, 'missing-field'],
    ['in_shape', [], 'wrong-length'],
    ['in_shape', [null, null, null], 'wrong-type', 'in_shape[2]'],
    ['in_shape', [null, null, 2], 'wrong-length', 'layers[0].weights[0]'],
    ['layers', undefined, 'missing-field'],
    ['layers', [], 'wrong-length'],
    ['layers', {}, 'wrong-type'],
    ['layers/0', null, 'wrong-type'],
    ...['simplernn', 'conv1d', 'conv2d', 'batchnorm', 'prelu', 'activation', 'toString', '__proto__'].map(
      (type): [string, unknown, string] => ['layers/0/type', type, 'unsupported'],
    ),
    ['layers/0/type', undefined, 'missing-field'],
    ['layers/0/activation', 'relu', 'unsupported'],
    ['layers/1/activation', 'gelu', 'unsupported'],
    ['layers/1/activation', 'constructor', 'unsupported'],
    ['layers/0/shape', [null, null, 4], 'size-mismatch'],
    ['layers/1/shape', [null, null, 3], 'size-mismatch'],
    ['layers/2/shape', undefined, 'missing-field'],
    ['layers/0/weights', undefined, 'missing-field'],
    ['layers/0/weights', [], 'wrong-length'],
    ['layers/0/weights/3', [1], 'wrong-length', 'layers[0].weights'],
    ['layers/0/weights/0', kernel.concat(kernel), 'wrong-length'],
    ['layers/0/weights/0', [kernel[0]!.slice(1)], 'wrong-length', 'layers[0].weights[0][0]'],
    ['layers/0/weights/0/0/11', '1', 'not-a-number'],
    ['layers/0/weights/1', kernel, 'wrong-length'],
    ['layers/0/weights/2', Array(9).fill(0), 'wrong-length', 'layers[0].weights[2]'],
    ['layers/0/weights/2', Array(15).fill(0), 'wrong-length', 'layers[0].weights[2]'],
    ['layers/0/weights/2', [], 'wrong-length'],
    ['layers/1/weights/1', [], 'wrong-length'],
    ['layers/1/weights/0', [[1, 2]], 'wrong-length'],
    ['layers/2', undefined, 'wrong-type'],
    ['in_skip', 2, 'unsupported'],
    ['samplerate', 'fast', 'wrong-type'],
  ])('%s: %j', (path, value, code, at) => {
    const error = refusal(loadRTNeural, changed(keras, path, value));
    expect(error.code).toBe(code);
    expect(error.path).toBe(at ?? path.replace(/\/(\d+)/g, '[$1]').replaceAll('/', '.'));
  });

  test('a size that is not that of the weights is named with both', () => {
    const error = refusal(loadRTNeural, changed(keras, 'layers/0/shape', [null, null, 20]));
    expect(error.message).toBe('RTNeural: "layers[0].shape" expected 3, the size of the weights, got 20');
  });

  test('two outputs', () => {
    const two = rtneural({ dense: [[2, '']] });
    expect(refusal(loadRTNeural, two).message).toContain('expected 1 output, since it is the last, got 2');
  });
});

describe('RTNeural, a state dict', () => {
  test.each<[path: string, value: unknown, code: string, at?: string]>([
    ['dense.weight', undefined, 'unexpected-key', 'dense.bias'],
    ['dense.bias', [1, 2], 'wrong-length'],
    ['dense.weight', [[1, 2]], 'size-mismatch'],
    ['dense.weight', [[]], 'wrong-shape'],
    ['dense.weight', [1, 2, 3], 'wrong-type', 'dense.weight[0]'],
    ['dense.weight', {}, 'wrong-type'],
    ['dense2.weight', [[1], [2]], 'size-mismatch', 'dense2.weight'],
    ['lstm.weight_ih_l0', undefined, 'unexpected-key', 'lstm.weight_hh_l0'],
    ['lstm.weight_ih_l0', [], 'wrong-shape'],
    ['lstm.weight_ih_l0', Array(13).fill([1]), 'wrong-shape'],
    ['lstm.weight_hh_l0', undefined, 'missing-field'],
    ['lstm.weight_hh_l0', Array(12).fill([1, 2]), 'wrong-length', 'lstm.weight_hh_l0[0]'],
    ['lstm.bias_hh_l0', undefined, 'missing-field'],
    ['lstm2.weight_ih_l1', undefined, 'unexpected-key', 'lstm2.weight_hh_l1'],
    ['lstm2.weight_ih_l3', [[1]], 'unexpected-key'],
    ['lstm2.weight_ih_l0_reverse', [[1]], 'unexpected-key'],
    ['lstm2.weight_hr_l0', [[1]], 'unexpected-key'],
    ['epoch', 3, 'unexpected-key'],
    ['__proto__.weight_ih_l0', [[1]], 'wrong-shape'],
  ])('%s: %j', (path, value, code, at) => {
    const error = refusal(loadRTNeural, changed(modules, path, value));
    expect({ code: error.code, path: error.path }).toEqual({ code, path: at ?? path });
  });

  test('nothing that is known', () => {
    expect(refusal(loadRTNeural, {}).code).toBe('missing-field');
    expect(refusal(loadRTNeural, nam()).code).toBe('missing-field');
    expect(refusal(loadRTNeural, guitarML()).code).toBe('missing-field');
  });
});

describe('GuitarML', () => {
  test.each<[path: string, value: unknown, code: string, at?: string]>([
    ['model_data', undefined, 'missing-field'],
    ['state_dict', undefined, 'missing-field'],
    ['state_dict', [], 'wrong-type', 'state_dict'],
    ['model_data/model', 'GatedConvNet', 'unsupported'],
    ['model_data/unit_type', 'RNN', 'unsupported'],
    ['model_data/unit_type', 'GRU', 'unsupported', 'state_dict.rec.weight_ih_l0'],
    ['model_data/skip', 2, 'unsupported'],
    ['model_data/skip', undefined, 'missing-field'],
    ['model_data/output_size', 2, 'unsupported'],
    ['model_data/input_size', 1, 'size-mismatch'],
    ['model_data/hidden_size', 4, 'size-mismatch'],
    ['model_data/num_layers', 1, 'size-mismatch'],
    ['model_data/bias_fl', false, 'unsupported'],
    ['model_data/hidden_size', 1e308, 'wrong-type'],
    ['model_data/sample_rate', 'x', 'wrong-type'],
    ['state_dict/lin.weight', undefined, 'missing-field'],
    ['state_dict/lin.bias', undefined, 'unsupported', 'model_data.bias_fl'],
    ['state_dict/lin.weight', [[1, 2]], 'size-mismatch'],
    ['state_dict/rec.bias_ih_l1', undefined, 'missing-field'],
    ['state_dict/rec.weight_ih_l5', [[1]], 'unexpected-key'],
    ['state_dict/lin2.weight', [[1]], 'unexpected-key'],
  ])('%s: %j', (path, value, code, at) => {
    const error = refusal(loadGuitarML, changed(knobs, path, value));
    expect({ code: error.code, path: error.path }).toEqual({ code, path: at ?? path.replaceAll('/', '.') });
  });
});

describe('the text', () => {
  const text = JSON.stringify(nam());

  test('every prefix', () => {
    for (let size = 0; size < text.length; size++)
      expect(refusal(loadNam, text.slice(0, size)).code).toBe('invalid-json');
    expect(refusal(loadNam, `${text}x`).code).toBe('invalid-json');
    loadNam(` ${text}\n\t `);
  });

  test.each<[string, string, string]>([
    ['a number', '7', 'wrong-type'],
    ['null', 'null', 'wrong-type'],
    ['an array', '[]', 'wrong-type'],
    ['NaN', text.replace(`[${weights[0]}`, '[NaN'), 'invalid-json'],
    ['1e999', text.replace(`[${weights[0]}`, '[1e999'), 'not-a-number'],
    ['a key twice', text.replace('{', '{"version":"0.5.4",'), 'duplicate-key'],
    ['a key twice, escaped', text.replace('{', '{"\\u0076ersion":"0.5.4",'), 'duplicate-key'],
    ['__proto__ twice', text.replace('{', '{"__proto__":1,"__proto__":2,'), 'duplicate-key'],
    ['__proto__ for what is missing', text.replace('"config"', '"__proto__"'), 'missing-field'],
    ['a lone surrogate, escaped', text.replace('{', '{"\\ud800":1,'), 'invalid-json'],
    ['200,000 arrays in arrays', text.replace('{', `{"x":${'['.repeat(200_000)}`), 'too-deep'],
    ['100,000 objects in objects', '{"x":'.repeat(100_000), 'too-deep'],
  ])('%s', (_, json, code) => expect(refusal(loadNam, json).code).toBe(code));

  test('a number of any length', () => {
    const digits = '1'.repeat(1_000_000);
    loadNam(text.replace('{', `{"x":0.${digits},`));
    expect(refusal(loadNam, text.replace(`[${weights[0]}`, `[${digits}`)).code).toBe('not-a-number');
  });

  test('names that objects have are names like others', () => {
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'k'.repeat(1 << 20), '\ud800']) {
      loadNam(`{${JSON.stringify(key).replace('\\ud800', '\ud800')}:{"polluted":1},${text.slice(1)}`);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    }
  });

  test('what is inherited is not there', () => {
    expect(refusal(loadNam, Object.create(nam())).code).toBe('missing-field');
  });

  test('an object that contains itself', () => {
    const file = nam() as Record<string, unknown>;
    file.self = file;
    loadNam(file);
    file.weights = [file];
    expect(refusal(loadNam, file).code).toBe('wrong-length');
  });
});
