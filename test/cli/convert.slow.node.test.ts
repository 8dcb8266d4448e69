import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Linear, LSTM } from '../../src/index.ts';
import { loadOnnx } from '../../src/onnx.ts';
import { parseSafetensors } from '../../src/safetensors.ts';
import { fixture, refuse, succeed, temporaryFolder } from '../support/cli.ts';

// What `convert` writes is compared with weights and answers from elsewhere: the state dict that torch saved beside its ONNX file, the
// answers of other runtimes. That it compares too is not relied on.

const folder = temporaryFolder();
const out = join(folder, 'out.safetensors');

/** Converts, and gives the tensors and what is printed. */
function convert(file: string, ...options: string[]) {
  const text = succeed(['convert', fixture(file), out, ...options]);
  return { tensors: parseSafetensors(readFileSync(out)), text };
}

test('the nodes that torch writes for an nn.LSTM become its state dict again', () => {
  for (const name of ['torch_stream_3l', 'torch_tagger_2l_bi']) {
    const { tensors, text } = convert(`onnx-ort/${name}.onnx`);
    const wanted = parseSafetensors(readFileSync(fixture(`onnx-ort/${name}.state_dict.safetensors`)));
    expect([...tensors.keys()].sort()).toEqual([...wanted.keys()].sort());
    for (const [key, { data, dims }] of wanted) expect({ ...tensors.get(key), key }).toMatchObject({ data, dims, key });
    expect(text).toMatch(
      /^checked on a random sequence: equal within \S+ of the largest in (the output|all \d outputs)$/m,
    );
  }
});

test('a checkpoint keeps its keys and bits, other tensors too', () => {
  const { tensors, text } = convert('pytorch/lstm_linear.pt');
  const wanted = parseSafetensors(readFileSync(fixture('pytorch/lstm_linear.safetensors')));
  expect([...tensors.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [key, { data, dims }] of wanted) expect(tensors.get(key)).toMatchObject({ data, dims });
  expect(text).toContain('checked on a random sequence: each layer gives the same bits');
});

test('a model of Keras gives the answers that a float64 LSTM gave of it', () => {
  const expected = JSON.parse(readFileSync(fixture('keras/field/windows/expected.json'), 'utf8'));
  const { tensors, text } = convert('keras/field/windows/windows.keras');
  const lstm = LSTM.fromStateDict(tensors, { prefix: 'lstm_7.' });
  const head = Linear.fromStateDict(tensors, { prefix: 'dense_7.' });
  const { hn } = lstm.forward({ data: Float32Array.from(expected.x), dims: [4, 2] });
  const { data } = head.forward(hn);
  expect(text).not.toContain('note: ');
  expect(data).toHaveLength(2);
  for (const [i, value] of expected.y.entries()) expect(Math.abs(value - data[i]!)).toBeLessThan(1e-6);
});

describe('an amplifier', () => {
  const nam = '../../examples/guitar-amp/data/nam/lstm.nam';

  test('that starts with states of its own has them beside, and `run` starts with them', () => {
    const { tensors, text } = convert(nam);
    const own: number[] = JSON.parse(readFileSync(fixture(nam), 'utf8')).weights;
    // after a matrix [4 H][I + H] and a bias [4 H] of one layer
    const [H, at] = [3, 12 * 4 + 12];
    expect([...tensors.get('initial_state.h0')!.data]).toEqual([...Float32Array.from(own.slice(at, at + H))]);
    expect([...tensors.get('initial_state.c0')!.data]).toEqual([...Float32Array.from(own.slice(at + H, at + 2 * H))]);
    expect(text).toMatch(/^note: the first states are initial_state.h0 and initial_state.c0$/m);
    const expected = readFileSync(fixture(nam.replace('lstm.nam', 'lstm.expected.f32')));
    const samples = new Float32Array(new Uint8Array(expected).buffer);
    const wav = fixture(nam.replace('lstm.nam', 'guitar-48k.wav'));
    const csv = succeed(['run', out, '--input', wav, '--output', '-']).trim().split('\n').map(Number);
    expect(csv).toHaveLength(samples.length);
    expect(Math.max(...samples.map((value, i) => Math.abs(value - csv[i]!)))).toBeLessThan(1e-6);
  });

  test('with LSTMs one after the other', () => {
    const { tensors, text } = convert('../../examples/guitar-amp/data/rtneural/lstm_torch.json');
    expect(text).toContain('the same bits in the output');
    expect(tensors.get('lstm_1.weight_ih_l2')!.dims).toEqual([32, 8]);
  });
});

test('8-bit weights are those of quantize(), in a third of the size', () => {
  const { tensors } = convert('dtln/../onnx-ort/torch_tagger_2l_bi.onnx', '--int8');
  const wanted = parseSafetensors(readFileSync(fixture('onnx-ort/torch_tagger_2l_bi.state_dict.safetensors')));
  const small = LSTM.fromStateDict(wanted, { prefix: 'lstm.' }).quantize().quantizedStateDict('lstm.');
  for (const [key, { data }] of small) expect(tensors.get(key)!.data).toEqual(data);
  expect(tensors.get('head.weight')!.data).toBeInstanceOf(Int8Array);
  expect(statSync(out).size).toBeLessThan(0.4 * statSync(fixture('onnx-ort/torch_tagger_2l_bi.onnx')).size);
});

describe('what is more than LSTMs with heads is refused, and nothing is written', () => {
  const other = join(folder, 'other.safetensors');
  test.each([
    [
      'onnx-ort/act_hardsigmoid.onnx',
      /is no nn\.LSTM: nn\.LSTM has no peepholes, clip, input_forget or other activations/,
    ],
    ['onnx-ort/reverse_states.onnx', /nn\.LSTM has no layer that only runs in reverse/],
    ['dtln/model_1.onnx', /do not give its answers: the model does more than that, so nothing was written/],
    ['keras/model.keras', /"bi" is no nn\.LSTM: nn\.LSTM has sigmoid gates, this layer "hard_sigmoid"/],
    ['keras/keras3/embedding.keras', /the model has .*Embedding/],
  ])('%s', (file, message) => {
    refuse(['convert', fixture(file), other], 1, message);
    expect(existsSync(other)).toBe(false);
  });
});

test('standard output takes the file, standard error what is said', () => {
  const model = loadOnnx(readFileSync(fixture('onnx-ort/forward.onnx')));
  expect(model.lstms).toHaveLength(1);
  const { stdout } = { stdout: convert('onnx-ort/forward.onnx').tensors };
  expect([...stdout.keys()].sort()).toEqual(
    ['bias_hh_l0', 'bias_ih_l0', 'weight_hh_l0', 'weight_ih_l0'].map((key) => `lstm.${key}`),
  );
  for (const [key, { data }] of model.lstms[0]!.stateDict!) expect(stdout.get(`lstm.${key}`)!.data).toEqual(data);
});
