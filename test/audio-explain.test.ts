import { describe, expect, test } from 'vitest';
import { loadGuitarML, loadNam, loadRTNeural } from '../src/audio.ts';
import { guitarML, nam, rtneural, torchModules } from './support/audio-files.ts';
import { refusal } from './support/effects.ts';

// What is said of files that are rightly refused: what the file is, and what to do.

const LOADERS = [loadNam, loadRTNeural, loadGuitarML] as const;
const zeros = (rows: number, columns: number) => Array.from({ length: rows }, () => Array(columns).fill(0));

/** The tensors of an nn.GRU (3 gates) or nn.RNN (1), by name. */
const recurrent = (prefix: string, gates: number, H: number) => ({
  [`${prefix}weight_ih_l0`]: zeros(gates * H, 1),
  [`${prefix}weight_hh_l0`]: zeros(gates * H, H),
  [`${prefix}bias_ih_l0`]: Array(gates * H).fill(0),
  [`${prefix}bias_hh_l0`]: Array(gates * H).fill(0),
});

describe('another recurrent module', () => {
  test.each([
    ['rnn.', 4],
    ['rec.', 3],
  ])('a state dict of a plain RNN, %s, %i units', (prefix, H) => {
    const file = { ...recurrent(prefix, 1, H), 'dense.weight': zeros(1, H), 'dense.bias': [0] };
    const error = refusal(() => loadRTNeural(JSON.stringify(file)));
    const path = `${prefix}weight_ih_l0`;
    expect(error.message).toBe(
      `RTNeural: "${path}" expected an LSTM or GRU, got a plain RNN: only LSTMs and GRUs are read`,
    );
    expect(error).toMatchObject({ code: 'unsupported', path });
  });

  test('a plain RNN in the JSON of GuitarML, by its name and by its tensors', () => {
    const file = guitarML({ H: 4 });
    const named = { ...file, model_data: { ...file.model_data, unit_type: 'RNN' } };
    expect(refusal(() => loadGuitarML(named)).message).toBe(
      'GuitarML: "model_data.unit_type" expected "LSTM" or "GRU", got "RNN": no other recurrent unit is read',
    );
    const dict = { ...recurrent('rec.', 1, 4), 'lin.weight': zeros(1, 4), 'lin.bias': [0] };
    expect(refusal(() => loadGuitarML({ ...file, state_dict: dict })).message).toBe(
      'GuitarML: "state_dict.rec.weight_ih_l0" expected an LSTM, which "unit_type" says it is, got a plain RNN: only LSTMs and GRUs are read',
    );
  });

  test.each([
    ['LSTM', 'GRU', 'an LSTM, which "unit_type" says it is, got a GRU'],
    ['GRU', 'LSTM', 'a GRU, which "unit_type" says it is, got an LSTM'],
  ] as const)('GuitarML that says %s of the tensors of a %s', (unit_type, unit, words) => {
    const file = guitarML({ H: 4, unit });
    const error = refusal(() => loadGuitarML({ ...file, model_data: { ...file.model_data, unit_type } }));
    expect(error.message).toBe(`GuitarML: "state_dict.rec.weight_ih_l0" expected ${words}`);
    expect(error.code).toBe('unsupported');
  });

  test("a GRU in Keras's form whose reset gate comes before the product", () => {
    const file = rtneural({ unit: 'GRU' });
    file.layers[0]!.weights[2] = Array(9).fill(0);
    const error = refusal(() => loadRTNeural(file));
    expect(error.message).toBe(
      'RTNeural: "layers[0].weights[2]" expected 2 rows of numbers, as reset_after: true has them, got 9 numbers: with reset_after: false the reset gate comes before the product, which is not read',
    );
    expect(error).toMatchObject({ code: 'unsupported', path: 'layers[0].weights[2]' });
  });

  test.each([
    ['WaveNet', 'a WaveNet has convolutions, and only LSTMs are read'],
    ['ConvNet', 'a ConvNet has convolutions, and only LSTMs are read'],
    ['Linear', 'a Linear has convolutions, and only LSTMs are read'],
    ['CatLSTM', 'this is another kind, and only LSTMs are read'],
  ])("NAM's %s", (architecture, note) => {
    const error = refusal(() => loadNam({ ...nam(), architecture }));
    expect(error.code).toBe('unsupported');
    expect(error.message).toContain(`got "${architecture}": ${note}`);
  });
});

describe('not the text of a model', () => {
  test.each([
    'amp.nam',
    'models/My Amp (clean).json',
    './amp.json',
    '../amp',
    '/home/me/amp.aidax',
    'C:\\amps\\amp.nam',
    '~/amp',
    'https://example.com/amps/1?download=true',
    'file:///amp.nam',
  ])('a path or an address: %s', (path) => {
    for (const load of LOADERS) {
      const error = refusal(() => load(path));
      expect(error.code).toBe('invalid-json');
      expect(error.message).toContain(
        `${JSON.stringify(path)} is a path or an address, which is not opened: read the file first`,
      );
    }
  });

  test.each<[string, string, RegExp]>([
    [
      'a page',
      '<!DOCTYPE html>\n<html><head></head><body>404</body></html>',
      /this is an HTML page: the server answered/,
    ],
    ['a page behind a byte order mark', '\ufeff<html></html>', /this is an HTML page/],
    [
      'an LFS pointer',
      `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 9\n`,
      /this is a Git LFS pointer: fetch/,
    ],
    ['nothing', '', /this is an empty file: check/],
    ['a message', 'Not Found on this server', /this is a text that begins with "Not Found on this server"/],
    ['XML', '<?xml version="1.0"?><Error/>', /this is an XML document/],
    ['a zip', 'PK\x03\x04\x14\0\0\0rest', /this is a zip file/],
    ['HDF5, read as text', '\ufffdHDF\r\n\x1a\n\0\0', /this is a binary file, read as text/],
    ['an index of shards', '{"metadata":{},"weight_map":{"a":"b.safetensors"}}', /this is JSON, an index of shards/],
    [
      'a model of TensorFlow.js',
      '{"format":"layers-model","modelTopology":{}}',
      /this is JSON, a model of TensorFlow.js/,
    ],
    ['JSON with a trailing comma', '{"version":"0.5.4",}', /^\w+: the JSON expected a string, got }/],
    [
      'an object of JavaScript',
      "{version: '0.5.4', architecture: 'LSTM'}",
      /^\w+: the JSON expected a string, got version/,
    ],
    ['a comment', '// amp\n{}', /this is a text that begins with/],
  ])('%s', (_, text, message) => {
    for (const load of LOADERS) expect(refusal(() => load(text)).message).toMatch(message);
  });

  test('bytes are to be decoded first', () => {
    for (const load of LOADERS) {
      for (const bytes of [new Uint8Array(3), new ArrayBuffer(3)]) {
        expect(() => load(bytes)).toThrow(TypeError);
        expect(() => load(bytes)).toThrow('expected an object or its text; decode bytes as UTF-8 first');
      }
      expect(() => load(Promise.resolve('{}'))).toThrow('expected an object or its text, got');
    }
  });
});

test('a model of another reader is told by its fields', () => {
  const files = [
    [nam(), 'loadNam', 'a model of Neural Amp Modeler'],
    [rtneural(), 'loadRTNeural', 'a model in the JSON of RTNeural'],
    [torchModules(), 'loadRTNeural', 'a PyTorch state dict'],
    [guitarML(), 'loadGuitarML', 'a model of GuitarML'],
  ] as const;
  for (const [file, own, what] of files) {
    for (const load of LOADERS.filter(({ name }) => name !== own)) {
      for (const json of [file, JSON.stringify(file)]) {
        const error = refusal(() => load(json));
        expect(error.message).toBe(`${error.message.split(':')[0]}: this is ${what}: read it with ${own}`);
        expect(error.code).toBe('missing-field');
      }
    }
  }
});
