import { describe, expect, test } from 'vitest';
import { GRU, GRUCell, RNN, RNNCell } from '../../src/gru.ts';
import { bytesUsed, LSTM, LSTMCell, ModelError, packPaddedSequence } from '../../src/index.ts';
import { gruGates } from '../support/gru-oracle.ts';
import { type Any, randomTensor, zeros } from '../support/tensors.ts';

function refusal(call: () => unknown): Any {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error');
}
const message = (call: () => unknown): string => refusal(call).message;
const input = randomTensor([4, 3, 5], 1);

describe('state dicts', () => {
  const makers = { LSTM, LSTMCell, GRU, GRUCell, RNN, RNNCell } as const;
  const dicts = Object.fromEntries(
    Object.entries(makers).map(([name, Module]) => [name, new Module(5, 6).stateDict()]),
  );

  test.each(Object.entries(makers))('of others are refused by %s by name', (own, Module) => {
    for (const [other, dict] of Object.entries(dicts)) {
      if (other === own) continue;
      const where = other.startsWith('LSTM') ? '' : ' of lstm-wasm/gru';
      for (const call of [() => Module.fromStateDict(dict), () => new Module(5, 6).loadStateDict(dict)]) {
        expect(message(call), `${own} of ${other}`).toContain(`${own}: keys of ${other}: use ${other}${where}; `);
      }
    }
  });

  test('of an LSTM with a projection are told by their third matrix', () => {
    const projected = (prefix: string) => new LSTM(5, 6, { projSize: 2 }).stateDict(prefix);
    for (const Module of [GRU, RNN]) {
      const text = `${Module.name}: keys of LSTM: use LSTM; `;
      expect(message(() => Module.fromStateDict(projected('')))).toContain(text);
      expect(message(() => Module.fromStateDict(projected('a.'), { prefix: 'a.' }))).toContain(text);
      expect(message(() => new Module(5, 6).loadStateDict(projected('')))).toContain(text);
      for (const wrong of [7, { ...zeros(1), dims: [2n, 6n] }]) {
        const dict = { ...Object.fromEntries(projected('')), weight_hr_l0: wrong } as Any;
        expect(message(() => Module.fromStateDict(dict))).toMatch(/wrong shape "weight_[ih]h_l0" expected/);
      }
    }
  });

  test('give the sizes, under a prefix, with and without biases, and come back with the same bits', () => {
    for (const [bias, bidirectional, numLayers] of [
      [true, false, 1],
      [false, true, 3],
    ] as const) {
      for (const Module of [GRU, RNN]) {
        const model = new Module(5, 6, { bias, bidirectional, numLayers, seed: 3 });
        const dict = model.stateDict('a.b.');
        expect([...dict.keys()].every((key) => key.startsWith('a.b.weight_') || key.startsWith('a.b.bias_'))).toBe(
          true,
        );
        const again = (Module as typeof GRU).fromStateDict(dict, { prefix: 'a.b.', batchFirst: true });
        expect(again).toMatchObject({ inputSize: 5, hiddenSize: 6, bias, bidirectional, numLayers, batchFirst: true });
        expect(again.stateDict('a.b.')).toEqual(dict);
        const quantized = (Module as typeof GRU).fromStateDict(model.quantizedStateDict());
        expect(quantized.forward(input)).toEqual(model.quantize().forward(input));
      }
    }
    const cell = new GRUCell(3, 4, { bias: false });
    expect(GRUCell.fromStateDict(cell.stateDict('c.'), { prefix: 'c.' }).stateDict()).toEqual(cell.stateDict());
    const relu = new RNNCell(3, 4, { nonlinearity: 'relu' });
    const again = RNNCell.fromStateDict(relu.stateDict(), { nonlinearity: 'relu' }).quantize();
    expect([again.nonlinearity, again.stateDict()]).toEqual(['relu', relu.quantize().stateDict()]);
  });

  test('with what does not fit are refused, and change nothing', () => {
    const dict = Object.fromEntries(new GRU(5, 6).stateDict());
    const wrong: [Any, string][] = [
      [{ ...dict, weight_ih_l0: zeros(17, 5) }, '"weight_ih_l0" expected [3H, I], got [17, 5]'],
      [{ ...dict, weight_hr_l0: zeros(2, 6) }, 'unexpected key "weight_hr_l0"'],
      [
        { ...dict, weight_hh_l0: zeros(6, 18) },
        'matrices are transposed, as in Keras; transpose them to [3H, *]; wrong shape',
      ],
      [{ ...dict, bias_hh_l0: zeros(17) }, '"bias_hh_l0" expected [18], got [17]'],
      [{ ...dict, weight_hh_l1: zeros(18, 6) }, 'unexpected key "weight_hh_l1"'],
      [{ ...dict, weight_hh_l0: { ...zeros(1), dims: [18n, 6n] } }, '"weight_hh_l0" expected [18, 6]'],
      [{ ...dict, weight_hh_l0: { ...zeros(1), dims: 7 } }, 'not a-tensor'.replace('a-', 'a ')],
    ];
    for (const [given, text] of wrong) {
      expect(message(() => GRU.fromStateDict(given))).toContain(text);
      expect(refusal(() => GRU.fromStateDict(given))).toBeInstanceOf(ModelError);
    }
    expect(message(() => RNN.fromStateDict({ weight_ih_l0: zeros(0, 5) }))).toContain('expected [H, I], got [0, 5]');
  });
});

describe('arguments', () => {
  test('options are those of PyTorch, without a projection', () => {
    for (const Module of [GRU, RNN, GRUCell, RNNCell] as Any[]) {
      const who = Module.name;
      expect(message(() => new Module(5, 6, { projSize: 2 }))).toMatch(
        new RegExp(`^${who}: unknown option "projSize"`),
      );
      expect(message(() => new Module(5, 0))).toMatch(new RegExp(`^${who}: "hiddenSize" expected an integer from 1`));
    }
    for (const Module of [RNN, RNNCell] as Any[]) {
      const text = `${Module.name}: "nonlinearity" expected "tanh" or "relu", got "sigmoid"`;
      expect(message(() => new Module(5, 6, { nonlinearity: 'sigmoid' }))).toBe(text);
      expect(message(() => Module.fromStateDict({}, { nonlinearity: 'sigmoid' }))).toBe(text);
    }
    expect(message(() => new GRU(5, 6, { nonlinearity: 'relu' } as Any))).toContain('unknown option "nonlinearity"');
  });

  test("the state is h0 alone: an LSTM's, a result and a tensor in its place are told", () => {
    const gru: Any = new GRU(5, 6);
    const { hn } = gru.forward(input);
    const wrong: [Any, string][] = [
      [{ h0: hn, c0: hn }, 'GRU: "state" expected an object { h0 }, got { "h0", "c0" }'],
      [{ c0: hn }, 'GRU: "state" expected an object { h0 }, got { "c0" }'],
      [hn, 'GRU: "state" expected an object { h0 }, got { "data", "dims" }'],
      [{ hn }, 'GRU: "state" expected an object { h0: hn }, got { "hn" }'],
      [{ h0: zeros(1, 3, 5) }, 'GRU: "h0" expected [1, 3, 6], got [1, 3, 5]'],
    ];
    for (const [state, text] of wrong) {
      expect(message(() => gru.forward(input, state))).toBe(text);
      expect(message(() => gru.trace(input, state))).toBe(text);
    }
    const stream = gru.stream();
    expect(message(() => stream.setState({ h0: zeros(1, 6), c0: zeros(1, 6) }))).toMatch(
      /^GRUStream: "state" expected an object { h0 }/,
    );
    expect(message(() => gru.forward(randomTensor([2, 1, 4], 1)))).toBe(
      'GRU: "input" expected [T, B, 5] or [T, 5], got [2, 1, 4]',
    );
    expect(message(() => new GRUCell(5, 6).forward(zeros(3, 4)))).toBe(
      'GRUCell: "input" expected [B, 5] or [5], got [3, 4]',
    );
    const packed = packPaddedSequence(input, [4, 2, 1]);
    expect(message(() => new GRUCell(5, 6).forward(packed as Any))).toMatch(/^GRUCell: "input" expected a tensor/);
    expect(message(() => new GRU(5, 6, { bidirectional: true }).stream())).toMatch(
      /^GRU: a bidirectional module cannot stream/,
    );
    expect(gru.forward(input).hn).toEqual(hn);
  });
});

test('a saved state is taken by modules of the same class and shape, and the error names both classes', () => {
  const streams = {
    LSTM: new LSTM(5, 6).stream(),
    LSTMCell: new LSTMCell(5, 6).stream(),
    GRU: new GRU(5, 6).stream(),
    GRUCell: new GRUCell(5, 6).stream(),
    RNN: new RNN(5, 6).stream(),
    RNNCell: new RNNCell(5, 6).stream(),
    'RNN with relu': new RNN(5, 6, { nonlinearity: 'relu' }).stream(),
    'RNNCell with relu': new RNNCell(5, 6, { nonlinearity: 'relu' }).stream(),
  };
  for (const [from, source] of Object.entries(streams)) {
    source.step();
    for (const [to, target] of Object.entries(streams)) {
      const before = target.save();
      if (from === to) target.load(before);
      else {
        const error = refusal(() => target.load(source.save()));
        expect(error).toMatchObject({ code: 'wrong-model', path: 'cell', expected: to, found: from });
        expect(error.message).toBe(
          `${to.match(/LSTM|GRU|RNN/)![0]}Stream: saved state: cell expected ${to}, got ${from}`,
        );
      }
      expect(target.save()).toEqual(before);
    }
  }
  expect(refusal(() => new GRU(5, 7).stream().load(streams.GRU.save()))).toMatchObject({
    path: 'hiddenSize',
    expected: 7,
  });
  const many = new GRU(5, 6).streams();
  expect(message(() => many.step([many.open(), 7], new Float32Array(10), new Float32Array(12)))).toMatch(
    /^GRUStreams: "ids\[1\]"/,
  );
});

test('dropout between layers is repeatable in training, and off otherwise', () => {
  const gru = new GRU(5, 6, { numLayers: 3, dropout: 0.5, seed: 2 });
  const plain = gru.forward(input);
  const first = gru.train({ seed: 7 }).forward(input);
  expect(first.output).not.toEqual(plain.output);
  expect(gru.train({ seed: 7 }).forward(input)).toEqual(first);
  expect(gru.eval().forward(input)).toEqual(plain);
  const all = new GRU(5, 6, { numLayers: 2, dropout: 1, bias: false }).train().forward(input);
  expect(all.output.data.every((h) => h === 0)).toBe(true);
});

describe('traces', () => {
  test.each([false, true])('have the bits of forward(), and gates near float64 (8 bits: %s)', (isInt8) => {
    const plain = new GRU(5, 9, { numLayers: 2, bidirectional: true, seed: 4 });
    const gru = isInt8 ? plain.quantize() : plain;
    const h0 = randomTensor([4, 3, 9], 5);
    const trace = gru.trace(input, { h0 });
    expect({ output: trace.output, hn: trace.hn }).toEqual(gru.forward(input, { h0 }));
    if (isInt8) return;
    const weights = gru.stateDict();
    for (const [direction, own] of [trace.layers[0]!.forward, trace.layers[0]!.reverse!].entries()) {
      expect(Object.keys(own)).toEqual(['r', 'z', 'n', 'h']);
      for (let t = 0; t < 4; t++) {
        for (let b = 0; b < 3; b++) {
          const at = (data: Float32Array, step: number, rows = 9) =>
            data.subarray((step * 3 + b) * rows, (step * 3 + b + 1) * rows);
          const before = direction ? t + 1 : t - 1;
          const isFirst = before < 0 || before > 3;
          const h = [...(isFirst ? at(h0.data, direction) : at(own.h.data, before))];
          const exact = gruGates(weights, direction ? '_l0_reverse' : '_l0', at(input.data, t, 5), h);
          for (const name of ['r', 'z', 'n'] as const) {
            for (const [unit, value] of at(own[name].data, t).entries()) {
              expect(Math.abs(value - exact[name][unit]!)).toBeLessThanOrEqual(1e-6);
            }
          }
        }
      }
    }
  });

  test('of an RNN have h, and of packed sequences the packing', () => {
    const rnn = new RNN(5, 6, { numLayers: 2, seed: 6 });
    const packed = packPaddedSequence(input, [2, 4, 1], { enforceSorted: false });
    const trace = rnn.trace(packed);
    const { output, hn } = rnn.forward(packed);
    expect([trace.output, trace.hn]).toEqual([output, hn]);
    expect(trace.layers.map((layer) => Object.keys(layer.forward))).toEqual([['h'], ['h']]);
    expect(trace.layers[1]!.forward.h).toEqual(output);
    const gates = new GRU(5, 6).trace(packed).layers[0]!.forward;
    expect(gates.r.batchSizes).toEqual(packed.batchSizes);
    expect(gates.n.data.dims).toEqual([7, 6]);
  });
});

test('dispose() gives all memory back, and what is used afterwards says so', () => {
  new GRU(1, 1).dispose();
  const before = bytesUsed();
  for (const Module of [GRU, RNN, GRUCell, RNNCell] as Any[]) {
    const model = new Module(5, 6);
    const [stream, streams, quantized] = [model.stream(), model.streams(), model.quantize()];
    expect(bytesUsed()).toBeGreaterThan(before);
    for (const one of [stream, streams, quantized, model]) one.dispose();
    expect(message(() => model.forward(zeros(5, 5)))).toBe(`${Module.name}: used after dispose()`);
    expect(message(() => stream.step())).toMatch(/Stream: used after dispose\(\)$/);
  }
  // views of disposed streams keep their slabs for other streams
  expect(bytesUsed() - before).toBeLessThan(65_536);
});
