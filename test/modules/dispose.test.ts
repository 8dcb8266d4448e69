import { beforeEach, describe, expect, test } from 'vitest';
import { loadNam } from '../../src/audio.ts';
import { bytesUsed, Embedding, Linear, LSTM, LSTMCell } from '../../src/index.ts';
import { loadKeras } from '../../src/keras.ts';
import { loadOnnx } from '../../src/onnx.ts';
import { nam } from '../support/audio-files.ts';
import { bits } from '../support/bits.ts';
import { noise, sequential, tfjs } from '../support/keras-files.ts';
import { need } from '../support/need.ts';
import { onnxFile, tensorProto } from '../support/onnx-files.ts';
import { type Any, tensor } from '../support/tensors.ts';

describe('dispose', () => {
  test.each<[string, () => LSTM | LSTMCell | Linear | Embedding, (module: Any) => unknown]>([
    ['LSTM', () => new LSTM(3, 4), (lstm) => lstm.forward(tensor(5, 3))],
    ['LSTMCell', () => new LSTMCell(3, 4), (cell) => cell.forward(tensor(3))],
    ['Linear', () => new Linear(3, 4), (linear) => linear.forward(tensor(3))],
    ['Embedding', () => new Embedding(3, 4), (embedding) => embedding.forward({ data: [1], dims: [1] })],
  ])('%s: any use afterwards is an error, a second dispose is not', (name, make, forward) => {
    const used = bytesUsed();
    const module = make() as Any;
    const dict = module.stateDict();
    expect(bytesUsed()).toBeGreaterThan(used);
    forward(module);
    module.dispose();
    module.dispose();
    expect(bytesUsed()).toBe(used);
    const other = make();
    const kept = [...other.stateDict().values()].map(bits);
    const uses: (() => unknown)[] = [
      () => forward(module),
      () => module.stateDict(),
      () => module.loadStateDict(dict),
      () => module.train(),
      () => module.eval(),
      ...('stream' in module ? [() => module.stream()] : []),
    ];
    for (const use of uses) expect(use).toThrow(new Error(`${name}: used after dispose()`));
    module.dispose();
    expect([...other.stateDict().values()].map(bits)).toEqual(kept);
    other.dispose();
  });
});

describe('[Symbol.dispose]', () => {
  beforeEach((context) => need(context, 'Symbol.dispose', typeof Symbol.dispose === 'symbol'));

  const lstm = new LSTM(3, 4);
  const dense = sequential([['Dense', { name: 'd', units: 2 }]], [null, 3]);
  const weights = { 'd/kernel': noise([3, 2]), 'd/bias': noise([2]) };
  const add = onnxFile({
    nodes: [{ op: 'LSTM', inputs: ['X', 'W', 'R'], attributes: { hidden_size: 1 } }],
    inputs: { X: [4, 1, 1] },
    initializers: [tensorProto('W', [1, 4, 1], new Float32Array(4)), tensorProto('R', [1, 4, 1], new Float32Array(4))],
  });

  test.each<[string, () => object]>([
    ['LSTM', () => new LSTM(3, 4)],
    ['LSTMCell', () => new LSTMCell(3, 4)],
    ['Linear', () => new Linear(3, 4)],
    ['Embedding', () => new Embedding(3, 4)],
    ['LSTMStream', () => lstm.stream()],
    ['LSTMStreams', () => lstm.streams()],
    ['a model of ONNX', () => loadOnnx(add)],
    ['a model of Keras', () => loadKeras(tfjs(dense, weights))],
    ['an amplifier', () => loadNam(nam())],
  ])('of %s gives its memory back', (_, make) => {
    const used = bytesUsed();
    const owner = make() as Any;
    expect(bytesUsed()).toBeGreaterThan(used);
    owner[Symbol.dispose]();
    expect(bytesUsed()).toBe(used);
  });
});
