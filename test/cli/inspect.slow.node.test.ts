import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { bytesUsed, LSTM } from '../../src/index.ts';
import { parseSafetensors, serializeSafetensors } from '../../src/safetensors.ts';
import { call, fixture, refuse, root, succeed, temporaryFolder } from '../support/cli.ts';

// What `inspect` says of files of every format, and that whatever is wrong is one line.

const folder = temporaryFolder();
const inspect = (path: string, ...more: string[]) => JSON.parse(succeed(['inspect', path, '--json', ...more]));

test('a checkpoint: tensors, LSTM and memory are those of the library', () => {
  const found = inspect(fixture('pytorch/lstm_linear.pt'));
  const tensors = parseSafetensors(readFileSync(fixture('pytorch/lstm_linear.safetensors')));
  expect(found.tensors.map(({ name, dims }: any) => [name, dims]).sort()).toEqual(
    [...tensors].map(([name, { dims }]) => [name, dims]).sort(),
  );
  expect(found.parameters).toBe([...tensors.values()].reduce((sum, { data }) => sum + data.length, 0));
  const options = { inputSize: 5, hiddenSize: 6, numLayers: 2, bias: true, bidirectional: true, projSize: 0 };
  expect(found).toMatchObject({
    format: 'PyTorch checkpoint',
    runs: true,
    lstms: [{ name: 'lstm', options, torch: true }],
  });
  const before = bytesUsed();
  const lstm = new LSTM(5, 6, { numLayers: 2, bidirectional: true });
  // and the head, a product of 12 by 3
  expect(found.memoryBytes - (bytesUsed() - before)).toBeGreaterThan(0);
  expect(found.memoryBytes - (bytesUsed() - before)).toBeLessThan(2000);
  lstm.dispose();
});

test.each<[string, string, object]>([
  ['torch/proj_bi_3l_bf.safetensors', 'safetensors', { numLayers: 3, bidirectional: true }],
  ['torch/opt_no_bias.safetensors', 'safetensors', { bias: false }],
  ['torch/cell_33x65.safetensors', 'safetensors', { cell: true, inputSize: 33, hiddenSize: 65 }],
  ['pytorch/legacy_format.pt', 'PyTorch checkpoint', {}],
  ['onnx-ort/input_forget.onnx', 'ONNX', { input_forget: 1 }],
  ['onnx-ort/clip.onnx', 'ONNX', { hidden_size: expect.any(Number), clip: expect.any(Number) }],
  ['onnx-ort/act_affine_leakyrelu.onnx', 'ONNX', { activations: expect.stringMatching(/Affine|LeakyRelu/) }],
  [
    'onnx-ort/peepholes_bidirectional.onnx',
    'ONNX',
    { direction: 'bidirectional', inputs: expect.stringMatching(/ P$/) },
  ],
  ['onnx-external/model.onnx', 'ONNX', { input_size: 3, hidden_size: 4 }],
  ['keras/model.keras', 'Keras (.keras)', { units: 3, return_sequences: true }],
  ['keras/model.h5', 'Keras (.h5)', { units: 3, recurrent_activation: 'sigmoid' }],
  ['audio/lstm_1d.json', 'RTNeural JSON', { inputSize: 1, hiddenSize: 8 }],
  ['../../examples/guitar-amp/data/nam/lstm.nam', 'Neural Amp Modeler', { inputSize: 1, hiddenSize: 3 }],
  ['../../examples/guitar-amp/data/rtneural/lstm_torch.json', 'RTNeural JSON', { hiddenSize: 8, numLayers: 1 }],
])('%s is %s', (file, format, options) => {
  const found = inspect(fixture(file));
  expect(found).toMatchObject({ format, runs: true });
  expect(found.lstms[0].options).toMatchObject(options);
  const text = succeed(['inspect', fixture(file)]);
  expect(text).toMatch(/^runs +yes$/m);
  expect(text).toContain(found.lstms[0].name);
});

test('content tells the format, not the name', () => {
  const path = join(folder, 'model.txt');
  copyFileSync(fixture('onnx-ort/forward.onnx'), path);
  expect(inspect(path).format).toBe('ONNX');
  const piped = call(['inspect', '-', '--json'], { input: readFileSync(path) });
  expect(JSON.parse(piped.stdout)).toMatchObject({ format: 'ONNX', operators: { LSTM: 1 } });
});

test('TensorFlow.js with shards, an architecture with --weights, and weights alone', () => {
  expect(inspect(fixture('keras/field/camel/model.json')).format).toBe('TensorFlow.js');
  const [architecture, weights] = ['model.json', 'weights.h5'].map((name) => fixture(`keras/field/pair/${name}`)) as [
    string,
    string,
  ];
  refuse(['inspect', architecture], 1, /architecture of Keras: give the file of its weights as --weights FILE\.h5/);
  expect(inspect(architecture, '--weights', weights)).toMatchObject({ format: 'Keras (JSON and .h5)', runs: true });
  const alone = inspect(weights);
  expect(alone).toMatchObject({ runs: false, why: expect.stringContaining('--weights') });
  expect(alone.tensors.length).toBeGreaterThan(0);
});

describe('a model in several files', () => {
  const dict = [...new LSTM(3, 4, { seed: 1 }).stateDict('lstm.')];
  writeFileSync(join(folder, 'm-1.safetensors'), serializeSafetensors(new Map(dict.slice(0, 2))));
  writeFileSync(join(folder, 'm-2.safetensors'), serializeSafetensors(new Map(dict.slice(2))));
  const write = (name: string, map: object) => {
    writeFileSync(join(folder, name), JSON.stringify({ metadata: {}, weight_map: map }));
    return join(folder, name);
  };

  test('is read by its index', () => {
    const map = Object.fromEntries(dict.map(([key], i) => [key, `m-${i < 2 ? 1 : 2}.safetensors`]));
    const found = inspect(write('good.index.json', map));
    expect(found).toMatchObject({ format: 'safetensors, by their index', facts: { files: '2' }, parameters: 144 });
  });

  test('reaches no file outside of its folder', () => {
    mkdirSync(join(folder, 'inner'));
    symlinkSync(join(folder, 'm-1.safetensors'), join(folder, 'inner/link.safetensors'));
    for (const name of [
      '../m-1.safetensors',
      join(folder, 'm-1.safetensors'),
      'a/../../m-1.safetensors',
      '..\\m',
      '%2e%2e/m',
    ]) {
      refuse(
        ['inspect', write('inner/bad.index.json', { a: name })],
        1,
        /names the file .* not in its folder: not opened/,
      );
    }
    refuse(
      ['inspect', write('inner/link.index.json', { a: 'link.safetensors' })],
      1,
      /a link out of the model's folder/,
    );
    refuse(
      ['inspect', write('inner/none.index.json', { a: 'none' })],
      1,
      /needs the file "none", which is not beside it/,
    );
    refuse(['inspect', '-'], 1, /it needs the file .* beside it/, {
      input: readFileSync(join(folder, 'good.index.json')),
    });
  });
});

test('saved states', () => {
  const stream = new LSTM(3, 4, { numLayers: 2, seed: 1 }).stream();
  const bytes = stream.save();
  const path = join(folder, 'state');
  writeFileSync(path, bytes);
  const sizes = { cell: false, inputSize: 3, hiddenSize: 4, projSize: 0, numLayers: 2 };
  expect(inspect(path)).toMatchObject({ format: 'saved state of an LSTM', version: 1, ...sizes });
  bytes[40]! ^= 1;
  writeFileSync(path, bytes);
  refuse(['inspect', path], 1, /its checksum is wrong, so it is damaged/);
  writeFileSync(path, bytes.subarray(0, 13));
  refuse(['inspect', path], 1, /truncated/);
});

test('an amp with a GRU: its layers, and that it runs', () => {
  const path = fixture('audio/gru_1d.json');
  expect(inspect(path)).toMatchObject({
    format: 'RTNeural JSON',
    runs: true,
    parameters: 345,
    layers: [{ layer: 'GRU', weights: { weight_ih_l0: [24, 1] } }, { layer: 'Linear' }, { layer: 'Linear' }],
  });
  expect(succeed(['inspect', path])).toMatch(/^ {2}GRU +1 -> 8 +264$/m);
  const input = fixture('audio/lstm_1d_x_python.csv');
  expect(succeed(['run', path, '-i', input])).toMatch(/^output +\[100, 1\] +-0.604 +-0.161 +-0.352 -0.293 /m);
  refuse(['convert', path, join(folder, 'gru.safetensors')], 1, /only LSTM layers .* can be converted/);
});

describe('models that do not run are described, with the reason', () => {
  test('a layer that is not supported', () => {
    const layers = [
      { class_name: 'ConvLSTM2D', config: { name: 'g\u001b[2J\u202e', units: 2, batch_input_shape: [null, 3, 2] } },
    ];
    const model = { class_name: 'Sequential', config: { name: 's', layers } };
    const path = join(folder, 'gru.json');
    writeFileSync(
      path,
      JSON.stringify({ modelTopology: { model_config: model, keras_version: '2.15.0' }, weightsManifest: [] }),
    );
    const text = succeed(['inspect', path]);
    expect(text).toMatch(/^runs +no: keras: not supported in this model: ConvLSTM2D/m);
    expect(text).toMatch(/^ {2}g\\u\{1b\}\[2J\\u\{202e\} +ConvLSTM2D /m);
    refuse(['run', path, '-i', fixture('audio/lstm_1d_x_python.csv')], 1, /not supported in this model: ConvLSTM2D/);
  });

  test('a WaveNet', () => {
    const path = join(folder, 'wavenet.nam');
    writeFileSync(
      path,
      JSON.stringify({ version: '0.5.4', architecture: 'WaveNet', config: {}, weights: [], sample_rate: 48_000 }),
    );
    expect(inspect(path)).toMatchObject({ format: 'Neural Amp Modeler', runs: false, sampleRate: 48_000 });
    refuse(['bench', path], 1, /got "WaveNet": a WaveNet has convolutions, and only LSTMs are read/);
  });
});

test('names from files and of files are escaped', () => {
  const path = join(folder, 'evil\u001b[31m\n\u202eabc\u200b.safetensors');
  const prefix = 'a\u001b]0;title\u0007\u202e\u2066\u009b1m.';
  writeFileSync(path, serializeSafetensors(new LSTM(3, 4, { seed: 1 }).stateDict(prefix)));
  for (const options of [[], ['--json']]) {
    const { stdout, stderr, status } = call(['inspect', path, ...options]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^[\n\x20-\x7e]*$/);
    if (options.length > 0) expect(JSON.parse(stdout).lstms[0].name).toBe(prefix.slice(0, -1));
  }
  refuse(['run', path, '-i', path], 1, /evil\\u\{1b\}\[31m \\u\{202e\}abc\\u\{200b\}\.safetensors: expected \.npy/);
});

test('wide characters are shown whole, in the width that they take', () => {
  const path = join(folder, 'wide.safetensors');
  const prefix = '長短期記憶の層の名前がとても長い場合.🧠.';
  writeFileSync(path, serializeSafetensors(new LSTM(3, 4, { seed: 1 }).stateDict(prefix)));
  const text = succeed(['inspect', path]);
  expect(text).not.toContain('…');
  for (const key of ['weight_ih_l0', 'bias_hh_l0']) expect(text).toContain(`  ${prefix}${key} `);
  const narrow = succeed(['inspect', path], { env: { COLUMNS: '40' } });
  expect(narrow.replace(/\s/g, '').match(/[\p{Lo}🧠]/gu)!.length).toBe(text.match(/[\p{Lo}🧠]/gu)!.length);
  for (const line of narrow.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(40);
});

describe('every malformed fixture', () => {
  const list = ['malformed', 'pytorch/malformed', 'fuzz'].flatMap((name) => {
    return readdirSync(fixture(name)).map((file) => join(name, file));
  });
  const input = fixture('audio/lstm_1d_x_python.csv');

  const others = [
    (path: string) => ['convert', path, join(folder, 'out.safetensors')],
    (path: string) => ['run', path, '--input', input, '--output', join(folder, 'out.csv')],
    (path: string) => ['bench', path],
  ];

  test.each(list.map((file, i) => [file, others[i % 9]] as const))('%s is one line and status 1', (file, other) => {
    // read without an LSTM, it may be shown before
    refuse(['inspect', fixture(file)], 1, /./);
    if (other) refuse(other(fixture(file)), 1, /./);
    expect(readdirSync(folder).filter((name) => name.startsWith('out.'))).toEqual([]);
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ['an empty file', '', /this is an empty file/],
    ['a page', '<!doctype html><title>\u001b[2J', /this is an HTML page/],
    ['a pointer', 'version https://git-lfs.github.com/spec/v1\n', /this is a Git LFS pointer: fetch the file itself/],
    ['lists in lists', '['.repeat(200_000), /this looks like JSON, but is not/],
    ['objects in objects', '{"layers":'.repeat(100_000), /this looks like JSON, but is not/],
    ['JSON of something else', '{"name": "x"}', /this is JSON, but neither a model of/],
    ['a list', '[[1]]', /this is JSON, but no object/],
    ['no UTF-8', Buffer.from('{"layers": "\xff"}', 'latin1'), /not UTF-8|no model is in it|tell no format/],
    ['noise', Uint8Array.from({ length: 5000 }, (_, i) => (i * i * 31 + 7) >> 3), /tell no format that is read/],
    ['another format', 'GGUF\x03\0\0\0', /this is a GGUF file: convert the model first/],
  ])('%s', (_, content, message) => {
    const path = join(folder, 'bad');
    writeFileSync(path, content);
    refuse(['inspect', path], 1, message);
  });

  test('a folder of TensorFlow is told', () => {
    mkdirSync(join(folder, 'saved'));
    writeFileSync(join(folder, 'saved/saved_model.pb'), '\x08\x01\x12\x02');
    refuse(
      ['inspect', join(folder, 'saved')],
      1,
      /is a SavedModel of TensorFlow, which is not read: write model\.save/,
    );
  });
});

test('the key of a checkpoint', () => {
  const path = join(root, 'test/fixtures/pytorch/nested_model.pt');
  const { status, stderr } = call(['inspect', path]);
  expect(status).toBe(1);
  const key = stderr.match(/--key (\S+)/)?.[1];
  expect(key).toBeDefined();
  expect(inspect(path, '--key', key!)).toMatchObject({ runs: true });
});
