import * as api from 'lstm-wasm';
import { loadGuitarML, loadNam, loadRTNeural } from 'lstm-wasm/audio';
import { GRU, GRUCell, RNN } from 'lstm-wasm/gru';
import { loadKeras } from 'lstm-wasm/keras';
import { loadOnnx, type OnnxFeed } from 'lstm-wasm/onnx';
import { InferenceSession, Tensor } from 'lstm-wasm/ort';
import { parseCheckpoint } from 'lstm-wasm/pytorch';
import { parseSafetensors, serializeSafetensors } from 'lstm-wasm/safetensors';
import { guitarML, nam, rtneural } from '../support/audio-files.ts';
import { Digest } from '../support/bits.ts';
import { digest } from '../support/digest.ts';
import { uniforms } from '../support/random.ts';

// What every engine computes. Neither this nor what it imports needs fetch, TextDecoder, atob or performance, which an AudioWorklet
// lacks. A case gives floats, whose bits are hashed; a NaN counts as 0x7FC00000 whatever its bits.

/** The bytes of a file of test/fixtures, or of a model in node_modules, by name. */
type Read = (name: string) => Uint8Array<ArrayBuffer>;
type Floats = Float32Array | { readonly data: Float32Array };
type Case = (read: Read) => Iterable<Floats> | AsyncIterable<Floats>;

function random(seed: number, ...dims: number[]) {
  const next = uniforms(seed);
  return { data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 2 * next() - 1), dims };
}

/** Answers of PyTorch's fixtures: modules of all options, long and wide, with NaN, infinity and subnormal numbers. */
const TORCH = [
  'doc_lstm_10_20_2',
  'doc_lstmcell_10_20',
  'bi_layers_3',
  'cell_33x65',
  'cell_nan_row',
  'cell_no_bias',
  'cell_sat_w10',
  'denormal_inputs',
  'denormal_no_bias',
  'edge_B33',
  'edge_H1',
  'edge_T1_bi',
  'inf_one',
  'inf_one_proj_bi',
  'layers_4',
];
/** How often the small calls of `repeated` run: compilers that replace code while it runs have done so by then. */
const OFTEN = 100_000;

export const CASES: Record<string, Case> = {
  *torch(read) {
    for (const name of TORCH) {
      const tensors = parseSafetensors(read(`torch/${name}.safetensors`)) as Map<string, any>;
      const weights = new Map([...tensors].filter(([key]) => /(weight|bias)_(ih|hh|hr)/.test(key)));
      const [input, h0, c0] = ['input', 'h0', 'c0'].map((key) => tensors.get(key));
      const state = h0 && { h0, c0 };
      const isCell = [...weights.keys()].every((key) => !/_l\d/.test(key));
      if (isCell) {
        const cell = api.LSTMCell.fromStateDict(weights);
        for (const module of [cell, cell.quantize()]) yield* steps(module, input, state);
        continue;
      }
      const lstm = api.LSTM.fromStateDict(weights);
      for (const module of [lstm, lstm.quantize()]) {
        const { output, hn, cn } = module.forward(input, state);
        yield* [output, hn, cn];
      }
    }
  },
  *streams() {
    const model = new api.LSTM(3, 21, { numLayers: 2, seed: 1 });
    const input = random(2, 40, 3).data;
    for (const module of [model, model.quantize()]) {
      const stream = module.stream();
      for (let t = 0; t < 20; t++) {
        stream.input.set(input.subarray(3 * t, 3 * t + 3));
        stream.step();
        yield stream.output.slice();
      }
      const outputs = new Float32Array(20 * 21);
      stream.run(input.subarray(60), outputs);
      yield outputs;
      const streams = module.streams({ capacity: 9 });
      const ids = Int32Array.from({ length: 7 }, () => streams.open());
      const rows = new Float32Array(7 * 21);
      for (let t = 0; t < 5; t++) streams.step(ids, input.slice(0, 21), rows);
      yield rows;
    }
  },
  *packed() {
    const model = new api.LSTM(3, 9, { bidirectional: true, numLayers: 2, seed: 2 });
    const packed = api.packPaddedSequence(random(3, 6, 5, 3), [2, 6, 1, 6, 3], { enforceSorted: false });
    const { output, hn, cn } = model.forward(packed);
    yield* [output.data, hn, cn];
    for (const { forward, reverse } of model.trace(packed).layers) {
      for (const one of [forward, reverse!]) yield* Object.values(one).map(({ data }) => data);
    }
  },
  *gru() {
    const input = random(14, 6, 5, 3);
    const packed = api.packPaddedSequence(input, [2, 6, 1, 6, 3], { enforceSorted: false });
    const options = { numLayers: 2, bidirectional: true, seed: 15 };
    const gru = new GRU(3, 21, options);
    const rnns = (['tanh', 'relu'] as const).map((nonlinearity) => new RNN(3, 9, { ...options, nonlinearity }));
    for (const model of [gru, gru.quantize(), ...rnns, ...rnns.map((rnn) => rnn.quantize())]) {
      for (const sequence of [input, { ...input, data: input.data.map((x) => 1e3 * x) }]) {
        const { output, hn } = model.forward(sequence);
        yield* [output, hn];
      }
      yield model.forward(packed).output.data;
    }
    for (const { forward, reverse } of gru.trace(packed).layers) {
      for (const one of [forward, reverse!]) yield* [one.r, one.z, one.n, one.h].map(({ data }) => data);
    }
    const cell = new GRUCell(1, 8, { seed: 16 });
    const stream = cell.stream();
    for (let i = 0; i < OFTEN; i++) {
      stream.input[0] = Math.fround((i % 201) / 100 - 1);
      stream.step();
    }
    yield stream.output.slice();
    yield cell.forward({ data: Float32Array.of(NaN, 1e30), dims: [2, 1] }).h1;
  },
  *layers() {
    const ids = { data: Int32Array.from({ length: 12 }, (_, i) => (i * 5) % 7), dims: [3, 4] };
    const embedded = new api.Embedding(7, 10, { seed: 3 }).forward(ids);
    yield embedded;
    yield new api.LayerNorm([10]).forward(embedded);
    yield new api.Conv1d(4, 6, 3, { padding: 1, seed: 4 }).forward({ data: embedded.data, dims: [3, 4, 10] });
    yield new api.Linear(10, 33, { seed: 5 }).quantize().forward(embedded);
  },
  *safetensors() {
    const state = new api.LSTM(5, 7, { seed: 6 }).quantizedStateDict();
    const bytes = serializeSafetensors(state);
    yield Float32Array.from(bytes);
    yield* [...parseSafetensors(bytes).values()].map(({ data }) => Float32Array.from(data as ArrayLike<number>));
  },
  *pytorch(read) {
    for (const name of ['lstm_linear', 'half', 'bfloat16', 'legacy_format']) {
      const weights = parseCheckpoint(read(`pytorch/${name}.pt`));
      for (const { data } of weights.values()) yield Float32Array.from(data as ArrayLike<number>);
    }
    const weights = parseCheckpoint(read('pytorch/lstm_linear.pt'));
    const prefix = [...weights.keys()].find((key) => key.endsWith('weight_ih_l0'))!.slice(0, -'weight_ih_l0'.length);
    const lstm = api.LSTM.fromStateDict(weights, { prefix });
    yield lstm.forward(random(7, 9, 2, lstm.inputSize)).output;
  },
  *onnx(read) {
    for (const name of ONNX) {
      const tensors = parseSafetensors(read(`onnx-ort/${name}.safetensors`)) as Map<string, OnnxFeed>;
      for (const options of [{}, { quantize: 8 } as const]) {
        const session = loadOnnx(read(`onnx-ort/${name}.onnx`), options);
        const feeds = Object.fromEntries(session.inputs.map(({ name }) => [name, tensors.get(name)!]));
        for (const { data } of Object.values(session.run(feeds))) yield Float32Array.from(data as ArrayLike<number>);
        session.dispose();
      }
    }
  },
  /** Silero VAD 5 over one recording, its state bound: Conv, STFT, LSTM, If. */
  *voice(read) {
    const wav = read('vad/mixed.wav');
    const samples = Float32Array.from(
      new Int16Array(wav.buffer, 44, (wav.length - 44) >> 1),
      (sample) => sample / 32768,
    );
    const session = loadOnnx(read('silero_vad_v5.onnx'));
    const stream = session.stream({ state: 'stateN' }, { dims: { state: [2, 1, 128] } });
    const input = new Float32Array(64 + 512);
    const sr = { data: BigInt64Array.of(16000n), dims: [] };
    for (let at = 0; at + 512 <= samples.length; at += 512) {
      input.copyWithin(0, 512);
      input.set(samples.subarray(at, at + 512), 64);
      yield stream.run({ input: { data: input, dims: [1, 576] }, sr }).output!.data.slice() as Float32Array;
    }
  },
  *keras(read) {
    for (const name of ['default_hardsigmoid', 'bidirectional_concat_nobias', 'mask_go_backwards', 'all_layers']) {
      const modelJson = String.fromCharCode(...read(`keras/${name}.model.json`));
      yield* predict(loadKeras({ modelJson, weights: read(`keras/${name}.weights.bin`) }));
    }
    yield* predict(loadKeras({ h5: read('keras/model.h5') }));
    yield* predict(loadKeras({ keras: read('keras/model.keras') }));
  },
  *audio(read) {
    const signal = random(8, 1000).data;
    const json = String.fromCharCode(...read('audio/lstm_1d.json'));
    for (const amp of [
      loadRTNeural(json),
      loadRTNeural(
        JSON.stringify(
          rtneural({
            H: 8,
            dense: [
              [4, 'relu'],
              [1, ''],
            ],
          }),
        ),
      ),
      loadGuitarML(JSON.stringify(guitarML({ H: 20 }))),
      loadNam(JSON.stringify({ ...nam({ H: 12, layers: 2 }), metadata: {} })),
    ]) {
      const output = new Float32Array(signal.length);
      for (let at = 0; at < signal.length; at += 125) {
        amp.process(signal.subarray(at, at + 125), output.subarray(at, at + 125));
      }
      yield output;
    }
  },
  /** The first call and the last of many must be the same. */
  *repeated() {
    const lstm = new api.LSTM(2, 5, { seed: 9, bidirectional: true });
    const input = random(10, 2, 2);
    const int8 = lstm.quantize();
    const cell = new api.LSTMCell(3, 4, { seed: 11 });
    const x = random(12, 3);
    for (const call of [() => lstm.forward(input).output, () => int8.forward(input).output, () => cell.forward(x).c1]) {
      const first = call().data.slice();
      let last: Float32Array = first;
      for (let i = 1; i < OFTEN; i++) last = call().data;
      if (first.some((value, i) => !Object.is(value, last[i]))) throw new Error(`call ${OFTEN} gave other bits`);
      yield first;
    }
    const stream = new api.LSTM(1, 8, { seed: 13 }).stream();
    for (let i = 0; i < OFTEN; i++) {
      stream.input[0] = Math.fround((i % 201) / 100 - 1);
      stream.step();
    }
    yield stream.output.slice();
  },
  async *ort(read) {
    const tensors = parseSafetensors(read('onnx-ort/forward.safetensors')) as Map<string, any>;
    const session = await InferenceSession.create(read('onnx-ort/forward.onnx'));
    const feeds = session.inputNames.map((name) => {
      const { data, dims } = tensors.get(name);
      return [name, new Tensor('float32', data, dims)];
    });
    const results = await session.run(Object.fromEntries(feeds));
    for (const tensor of Object.values(results)) yield Float32Array.from(tensor.data as Float32Array);
  },
};

const ONNX = [
  'act_bidirectional_six',
  'act_hardsigmoid',
  'bidirectional_states',
  'clip',
  'input_forget',
  'layout1',
  'peepholes_bidirectional',
  'sequence_lens_bidirectional',
  'torch_stream_3l',
  'torch_tagger_2l_bi',
];

/** The states of a cell after each step of (T, B, I), or of (T, I). */
function* steps(cell: api.LSTMCell, { data, dims }: api.TensorLike, first?: api.LSTMState): Iterable<Floats> {
  const size = data.length / dims[0]!;
  let state = first;
  for (let at = 0; at < data.length; at += size) {
    const { h1, c1 } = cell.forward({ data: data.subarray(at, at + size), dims: dims.slice(1) }, state);
    yield* [h1, c1];
    state = { h0: h1, c0: c1 };
  }
}

function predict(model: ReturnType<typeof loadKeras>): Floats[] {
  const inputs = model.inputs.map(({ dims }, i) => {
    const tensor = random(i + 20, ...dims.map((size, axis) => size ?? (axis === 0 ? 3 : 6)));
    // as ids for an Embedding too
    for (const [at, value] of tensor.data.entries()) tensor.data[at] = Math.abs(Math.round(value));
    return tensor;
  });
  return model.predict(inputs);
}

/** Runs cases, all but `ort` before anything is awaited. @returns a hash or an error for each */
export async function run(read: Read, names: readonly string[] = Object.keys(CASES)): Promise<Record<string, string>> {
  const results: Record<string, string> = { digest: digest(api as never) };
  for (const name of names) {
    const all = new Digest();
    try {
      const values = CASES[name]!(read);
      if (Symbol.iterator in values) for (const floats of values) all.add(floats);
      else for await (const floats of values) all.add(floats);
      results[name] = all.toString();
    } catch (error) {
      results[name] = String(error);
    }
  }
  return results;
}
