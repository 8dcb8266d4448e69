// Vue's ref() and data(), Alpine and other stores put every object that they are given behind a Proxy. What they call there has
// the bits of the object itself, for every method; a `#` field would throw.
import { reactive } from '@vue/reactivity';
import { describe, expect, test } from 'vitest';
import { loadGuitarML } from '../src/audio.ts';
import * as lstmWasm from '../src/index.ts';
import { loadKeras } from '../src/keras.ts';
import { loadOnnx } from '../src/onnx.ts';
import * as ort from '../src/ort.ts';
import { openSafetensors, serializeSafetensors } from '../src/safetensors.ts';
import { guitarML } from './support/audio-files.ts';
import { readFixture } from './support/fixtures.ts';
import { uniforms } from './support/random.ts';

const { Conv1d, Embedding, LayerNorm, Linear, LSTM, LSTMCell, packSequence } = lstmWasm;

function tensor(...dims: number[]) {
  const next = uniforms(dims.length);
  return { data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, next), dims };
}

/** A class: an object of it, and every public method and property, called once. `wrap` makes what a store would. */
interface Subject {
  make(): object | Promise<object>;
  use(object: any, wrap: <T extends object>(object: T) => T): unknown;
  /** What frees memory; afterwards `again` throws. */
  free?: string;
  again?(object: any): unknown;
  /** Methods for other classes of ours. */
  inside?: readonly string[];
}

/** What every layer has. */
const shared = (layer: any) => [
  layer.training,
  layer.train({ seed: 5 }).training,
  layer.eval().training,
  layer.loadStateDict(layer.stateDict('a.'), 'a.'),
  layer.stateDict(),
  layer.quantizedStateDict(),
];
const INSIDE = [
  'checkAlive',
  'free',
  'allocate',
  'allocateForViews',
  'orFree',
  'initializeParameters',
  'parametersChanged',
  'multiply',
  'quantizedValues',
  'startFrom',
  'scratchBytes',
  'runSequence',
  'traceSequence',
];

const SUBJECTS: Record<string, Subject> = {
  LSTM: {
    make: () => new LSTM(3, 4, { numLayers: 2, dropout: 0.5, seed: 1 }),
    use(lstm, wrap) {
      const first = lstm.forward(wrap(tensor(2, 3)));
      const state = wrap({ h0: first.hn, c0: first.cn });
      const packed = lstm.forward(wrap(packSequence([tensor(3, 3), tensor(2, 3)])));
      const trained = lstm.train({ seed: 2 }).forward(tensor(5, 3));
      const stream = wrap(lstm.stream());
      stream.step();
      const streams = wrap(lstm.streams({ capacity: 2 }));
      const results = [first, lstm.forward(tensor(2, 3), state, { out: first }), packed, trained, [...stream.output]];
      return [
        ...results,
        streams.open(),
        lstm.trace(wrap(tensor(2, 3)), state),
        lstm.quantize().forward(tensor(2, 3)),
        shared(lstm),
      ];
    },
    again: (lstm) => lstm.forward(tensor(2, 3)),
  },
  LSTMCell: {
    make: () => new LSTMCell(3, 4, { seed: 1 }),
    use(cell, wrap) {
      const { h1: h0, c1: c0 } = cell.forward(wrap(tensor(2, 3)));
      const stream = wrap(cell.stream());
      stream.step();
      const results = [h0, c0, cell.forward(tensor(2, 3), wrap({ h0, c0 })), [...stream.output], cell.streams().open()];
      return [...results, cell.quantize().forward(tensor(3)), shared(cell)];
    },
    again: (cell) => cell.forward(tensor(2, 3)),
  },
  Linear: {
    make: () => new Linear(3, 4, { seed: 1 }),
    use: (linear, wrap) => [
      linear.forward(wrap(tensor(2, 3))),
      linear.quantize().forward(tensor(2, 3)),
      shared(linear),
    ],
    again: (linear) => linear.forward(tensor(2, 3)),
  },
  Conv1d: {
    make: () => new Conv1d(2, 4, 3, { groups: 2, padding: 'same', seed: 1 }),
    use: (conv, wrap) => [conv.forward(wrap(tensor(2, 5))), conv.quantize().forward(tensor(2, 5)), shared(conv)],
    again: (conv) => conv.forward(tensor(2, 5)),
  },
  Embedding: {
    make: () => new Embedding(5, 3, { seed: 1 }),
    use: (embedding, wrap) => [embedding.forward(wrap({ data: [1, 4, 0], dims: [3] })), shared(embedding)],
    again: (embedding) => embedding.forward({ data: [1], dims: [1] }),
  },
  LayerNorm: {
    make: () => new LayerNorm([3]),
    use: (norm, wrap) => [norm.forward(wrap(tensor(2, 3))), shared(norm)],
    again: (norm) => norm.forward(tensor(2, 3)),
  },
  'a stream': {
    make: () => new LSTM(3, 4, { numLayers: 2, seed: 1 }).stream(),
    use(stream, wrap) {
      stream.input.fill(0.5);
      stream.step();
      const stepped = [...stream.output];
      const ran = new Float32Array(8);
      const results = [stepped, stream.run(tensor(2, 3).data, ran), ran, stream.getState()];
      const saved = stream.save();
      const copy = wrap(stream.clone());
      copy.step();
      stream.reset();
      stream.load(saved);
      stream.setState(wrap(stream.getState()));
      stream.step();
      return [...results, saved, [...copy.output], [...stream.output]];
    },
    again: (stream) => stream.step(),
  },
  'many streams': {
    make: () => new LSTM(3, 4, { seed: 1 }).streams({ capacity: 2 }),
    use(streams, wrap) {
      const ids = wrap([streams.open(), streams.open(), streams.open()]);
      const outputs = new Float32Array(12);
      streams.step(ids, tensor(3, 3).data, outputs);
      streams.load(ids[1], streams.save(ids[0]));
      streams.reset(ids[2]);
      const saved = ids.map((id: number) => streams.save(id));
      streams.close(ids[0]);
      return [outputs, saved, streams.size, streams.capacity];
    },
    again: (streams) => streams.open(),
  },
  OnnxSession: {
    make: async () => loadOnnx(await readFixture('dtln/model_1.onnx')),
    use(session, wrap) {
      const feeds = { input_2: tensor(1, 1, 257), input_3: tensor(1, 2, 128, 2) };
      const out = { activation_2: tensor(1, 1, 257) };
      session.run(feeds, wrap({ out: wrap(out) }));
      const stream = session.stream(wrap({ input_3: 'tf_op_layer_stack_2' }));
      const streamed = stream.run({ input_2: tensor(1, 1, 257) });
      stream.dispose();
      const { outputs, nodes } = session.trace(wrap(feeds));
      return [
        session.run(wrap(feeds)),
        out,
        streamed,
        outputs,
        { ...nodes },
        session.inputs,
        session.outputs,
        session.lstms.length,
      ];
    },
    again: (session) => session.run({ input_2: tensor(1, 1, 257), input_3: tensor(1, 2, 128, 2) }),
    inside: ['runAs', 'runStream'],
  },
  OnnxStream: {
    make: async () => {
      const session = loadOnnx(await readFixture('dtln/model_1.onnx'));
      return session.stream({ input_3: 'tf_op_layer_stack_2' });
    },
    use(stream, wrap) {
      const results = [stream.run(wrap({ input_2: tensor(1, 1, 257) }))];
      const saved = stream.save();
      const state = stream.getState();
      stream.reset();
      stream.load(saved);
      stream.setState(wrap(state));
      return [...results, saved, state, stream.run({ input_2: tensor(1, 1, 257) })];
    },
    again: (stream) => stream.run({ input_2: tensor(1, 1, 257) }),
    inside: ['fill', 'check', 'take'],
  },
  KerasModel: {
    make: async () => loadKeras({ h5: await readFixture('keras/model.h5') }),
    use(model, wrap) {
      const results = [model.predict(wrap(tensor(1, 4, 2))), model.predict(wrap([tensor(1, 4, 2)]))];
      model.resetStates();
      const { outputs, nodes } = model.trace(wrap(tensor(1, 4, 2)));
      return [...results, outputs, { ...nodes }, model.inputs, model.outputs];
    },
    again: (model) => model.predict(tensor(1, 4, 2)),
  },
  AudioModel: {
    make: () => loadGuitarML(guitarML({ H: 4, I: 2 })),
    use(model, wrap) {
      const outputs = [new Float32Array(6), new Float32Array(6), new Float32Array(6)];
      model.process(tensor(6).data, outputs[0], wrap([0.25]));
      model.process(tensor(6).data, outputs[1], [0.25]);
      model.reset();
      model.process(tensor(6).data, outputs[2], [0.25]);
      return [outputs, model.sampleRate];
    },
    again: (model) => model.process(tensor(6).data, new Float32Array(6), [0]),
  },
  "ort's Tensor": {
    make: () => new ort.Tensor('float32', [1, 2, 3, 4], [2, 2]),
    use: async (tensor, wrap) => [
      ...[tensor.type, tensor.dims, tensor.size, tensor.location, tensor.data, await tensor.getData()],
      wrap(tensor.reshape([4])).dims,
    ],
    again: (tensor) => tensor.data,
    inside: ['toDataURL', 'toImageData'],
  },
  "ort's InferenceSession": {
    make: async () => ort.InferenceSession.create(await readFixture('onnx-ort/forward.onnx')),
    async use(session, wrap) {
      const { data, dims } = tensor(7, 3, 6);
      const feeds = wrap({ X: wrap(new ort.Tensor(data, dims)) });
      const fetches = wrap({ Y_h: wrap(new ort.Tensor(new Float32Array(24), [1, 3, 8])) });
      session.startProfiling();
      const results = [await session.run(feeds), await session.run(feeds, fetches), await session.run(feeds, ['Y'])];
      session.endProfiling();
      const tensors = results.map((each) =>
        Object.entries<ort.Tensor>(each).map(([name, y]) => [name, y.dims, y.data]),
      );
      return [tensors, session.inputNames, session.outputNames, session.inputMetadata, session.outputMetadata];
    },
    free: 'release',
    again: (session) => session.run({ X: tensor(7, 3, 6) }),
  },
  "safetensors' opened file": {
    make: () => openSafetensors(new Blob([serializeSafetensors({ a: tensor(2, 3) }) as Uint8Array<ArrayBuffer>])),
    use: async (file) => [[...file.tensors], await file.read('a')],
  },
};

const wrappers = {
  'new Proxy(object, {})': <T extends object>(object: T) => new Proxy(object, {}),
  'reactive(object)': <T extends object>(object: T) => reactive(object) as T,
};

describe.each(Object.entries(SUBJECTS))('%s', (_, { make, use, free = 'dispose', again, inside = [] }) => {
  test.each(Object.entries(wrappers))('%s', async (_, wrap) => {
    const expected = await use(await make(), (object) => object);
    const wrapped = wrap(await make());
    expect(await use(wrapped, wrap)).toEqual(expected);
    if (!again) return;
    await (wrapped as any)[free]();
    await (wrapped as any)[free]();
    await expect((async () => again(wrapped))()).rejects.toThrow(`used after ${free}()`);
    if (!(Symbol.dispose in wrapped)) return;
    const other = wrap(await make()) as any;
    other[Symbol.dispose]();
    await expect((async () => again(other))()).rejects.toThrow('used after dispose()');
  });

  test('has no method that is not called here', async () => {
    const object = await make();
    const called = new Set<PropertyKey>([...inside, ...INSIDE, 'constructor', free, Symbol.dispose]);
    const get = (target: object, key: PropertyKey) => {
      called.add(key);
      return Reflect.get(target, key, target);
    };
    await use(new Proxy(object, { get }), (each) => each);
    const missed: PropertyKey[] = [];
    for (let from = Object.getPrototypeOf(object); from !== Object.prototype; from = Object.getPrototypeOf(from)) {
      missed.push(...Reflect.ownKeys(from).filter((key) => !called.has(key) && !String(key).startsWith('_')));
    }
    expect(missed).toEqual([]);
  });
});
