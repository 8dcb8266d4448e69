import { describe, expect, test } from 'vitest';
import { loadGuitarML, loadNam, loadRTNeural } from '../../src/audio.ts';
import {
  bytesUsed,
  Conv1d,
  Embedding,
  LayerNorm,
  Linear,
  LSTM,
  LSTMCell,
  packPaddedSequence,
  relu,
  sigmoid,
  softmax,
  type TensorLike,
  tanh,
} from '../../src/index.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { guitarML, nam, rtneural } from '../support/audio-files.ts';
import { bytesPerCall } from '../support/garbage.ts';
import { tensor } from '../support/tensors.ts';

// The steady state makes no garbage: the JS heap is measured.

const memoryBytes = () => wasm().memory.buffer.byteLength;

describe('no garbage', () => {
  test('the measurement sees a single small object', () => {
    let last: unknown;
    expect(
      bytesPerCall(() => {
        last = [last === undefined];
      }),
    ).toBeGreaterThan(15);
    expect(bytesPerCall(() => {})).toBeLessThan(1);
  });

  const lstm = new LSTM(3, 8, { numLayers: 2, seed: 1 });
  const projected = new LSTM(3, 8, { projSize: 5, seed: 1 });
  const bidirectional = new LSTM(3, 8, { bidirectional: true, batchFirst: true, seed: 1 });
  const [stream, cellStream] = [lstm.stream(), new LSTMCell(3, 8, { seed: 1 }).stream()];
  const x = tensor(128, 3).data;
  const y = new Float32Array(128 * 8);

  const streams = lstm.streams();
  const ids = Int32Array.from({ length: 20 }, () => streams.open());
  const [someIds, someRows, someOutputs] = [ids.slice(3, 10), new Float32Array(21), new Float32Array(56)];
  const listed = [...someIds];
  let turn = 0;
  const batches = [1, 2, 5, 7].map(
    (n) => [new Int32Array(n), new Float32Array(3 * n), new Float32Array(8 * n)] as const,
  );
  const differentStreams = () => {
    const [chosen, x, y] = batches[turn++ % 4]!;
    for (let k = 0; k < chosen.length; k++) chosen[k] = ids[(turn + k) % 20]!;
    streams.step(chosen, x, y);
  };
  // 8 KiB of scratch a row
  const wide = new LSTM(2000, 1).streams();
  const wideIds = Int32Array.from({ length: 35 }, () => wide.open());
  const [wideRows, wideOutputs] = [new Float32Array(35 * 2000), new Float32Array(35)];

  // as much scratch as any of these calls needs
  wide.step(wideIds, wideRows, wideOutputs);

  /** forward() into its own first result. */
  function into(model: LSTM, input: any, withState: boolean): () => void {
    const out = model.forward(input);
    const state = withState ? { h0: out.hn, c0: out.cn } : undefined;
    const options = { out };
    return () => {
      model.forward(input, state, options);
    };
  }

  const unsorted = { enforceSorted: false };

  // wide enough for results that are copied as a whole, and few enough for those that are not
  const linear = new Linear(8, 3, { seed: 1 });
  const square = new Linear(80, 80, { seed: 1 });
  const narrow = new Linear(64, 3, { seed: 1 });
  const conv = new Conv1d(4, 6, 3, { groups: 2, padding: 'same', seed: 1 });
  const norm = new LayerNorm([20, 4]);
  const embedding = new Embedding(5, 30, { seed: 1 });
  const longInput = tensor(1024, 64);
  const longOut = { out: narrow.forward(longInput) };
  const [wideInput, steps, ids3] = [tensor(2, 80), tensor(2, 4, 20), { data: Int32Array.of(4, 0, 2), dims: [3] }];
  const wideOut = { out: square.forward(wideInput) };
  const convOut = { out: conv.forward(steps) };
  const normed = tensor(7, 20, 4);
  const normOut = { out: normed };
  const rowsOut = { out: embedding.forward(ids3) };
  const layers = () => {
    square.forward(wideInput, wideOut);
    square.forward(wideOut.out, wideOut);
    conv.forward(steps, convOut);
    narrow.forward(longInput, longOut);
    norm.forward(normed, normOut);
    embedding.forward(ids3, rowsOut);
    tanh(wideOut.out, wideOut);
    relu(convOut.out, convOut);
    softmax(rowsOut.out, -1, rowsOut);
  };
  const headStream = lstm.stream();
  const scores = { out: tensor(1, 3) };
  const hidden: TensorLike = {
    get data() {
      return headStream.output;
    },
    dims: [1, 8],
  };
  const head = () => {
    headStream.input[0] = 0.5;
    headStream.step();
    linear.forward(hidden, scores);
    sigmoid(scores.out, scores);
    if (scores.out.data[0]! > 2) throw new Error('never');
  };

  const amp = loadNam(nam({ H: 8, layers: 2 }));
  const dense = loadRTNeural(
    rtneural({
      dense: [
        [4, 'elu'],
        [4, 'softmax'],
        [1, 'tanh'],
      ],
    }),
  );
  const knobbed = loadGuitarML(guitarML({ I: 3 }));
  const knobs = [0.1, 0.2];
  const [samples, played] = [tensor(441).data, new Float32Array(441)];
  const block = samples.subarray(0, 128);
  const playedBlock = played.subarray(0, 128);

  test.each<[string, () => void]>([
    ['NAM, 128 samples', () => amp.process(block, playedBlock)],
    ['NAM, 441 samples', () => amp.process(samples, played)],
    ['RTNeural, activations', () => dense.process(samples, played)],
    ['GuitarML, knobs', () => knobbed.process(samples, played, knobs)],
    [
      'stream.step()',
      () => {
        stream.input[0] = 0.5;
        stream.step();
        if (stream.output[0]! > 2) throw new Error('never');
      },
    ],
    ['step() of a cell', () => cellStream.step()],
    ['stream.run() of 128 samples', () => void stream.run(x, y)],
    ['reset()', () => stream.reset()],
    ['streams.step() of ids in an Int32Array', () => streams.step(someIds, someRows, someOutputs)],
    ['streams.step() of ids in an array', () => streams.step(listed, someRows, someOutputs)],
    ['streams.step() of ever other streams', differentStreams],
    ['streams.step() of several chunks', () => wide.step(wideIds, wideRows, wideOutputs)],
    ['streams.reset()', () => streams.reset(3)],
    ['forward, out', into(lstm, tensor(5, 2, 3), false)],
    ['forward, out, with a state', into(lstm, tensor(5, 2, 3), true)],
    ['forward, out, unbatched', into(lstm, tensor(5, 3), true)],
    ['forward, out, projection', into(projected, tensor(5, 2, 3), true)],
    ['forward, out, bidirectional, batchFirst', into(bidirectional, tensor(2, 5, 3), true)],
    ['Linear, Conv1d, LayerNorm, Embedding, activations, out', layers],
    ['a head after a stream: step(), Linear, sigmoid', head],
    ['forward, out, packed', into(lstm, packPaddedSequence(tensor(5, 3, 3), [5, 2, 1]), true)],
    [
      'forward, out, packed in another order',
      into(lstm, packPaddedSequence(tensor(5, 3, 3), [2, 5, 1], unsorted), true),
    ],
  ])('%s', (_, call) => {
    const before = [memoryBytes(), bytesUsed()];
    expect(bytesPerCall(call)).toBeLessThan(1);
    expect([memoryBytes(), bytesUsed()]).toEqual(before);
  });
});
