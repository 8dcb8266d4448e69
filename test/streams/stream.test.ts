import { describe, expect, test } from 'vitest';
import { bytesUsed, LSTM, type LSTMStream, type TensorLike } from '../../src/index.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { bits, words } from '../support/bits.ts';
import { fillMemory } from '../support/memory.ts';
import { expectUnchanged, growMemory, models, someState, steps } from '../support/streams.ts';
import { type Any, count, values } from '../support/tensors.ts';

// Sessions: what they own, when they see new weights, what they refuse. That they give the bits of forward() is for laws/.

describe.each(models)('%s', (_, make, { I, Ho, h0, c0 }) => {
  test('starts with zeros, of the documented shapes, and reset() goes back to them', () => {
    const model = make();
    const stream = model.stream();
    const zeros = {
      h0: { data: new Float32Array(count(h0)), dims: h0 },
      c0: { data: new Float32Array(count(c0)), dims: c0 },
    };
    expect(stream.getState()).toEqual(zeros);
    expect([...stream.input, ...stream.output]).toEqual(new Array(I + Ho).fill(0));
    for (let k = 0; k < 3; k++) stream.step();
    expect(stream.getState()).not.toEqual(zeros);
    stream.reset();
    expect(stream.getState()).toEqual(zeros);
    model.dispose();
  });

  test('input and output are valid after memory has grown, and keep what they hold', () => {
    const stream = make().stream();
    const other = make().stream();
    const input = values(7 * I);
    const wanted = steps(other, input, 7);
    for (let t = 0; t < 7; t++) {
      const x = input.subarray(t * I, (t + 1) * I);
      stream.input.set(x);
      growMemory();
      expect(stream.input).toEqual(x);
      stream.step();
      growMemory();
      expect([...stream.output]).toEqual(wanted.slice(t * Ho, (t + 1) * Ho));
    }
    growMemory();
    expect([stream.input.length, stream.output.length]).toEqual([I, Ho]);
    expect(stream.input).toBe(stream.input);
    expect(stream.input.buffer).toBe(wasm().memory.buffer);
  });

  test('all of it goes on after memory has grown', () => {
    const [grown, same] = [make().stream(), make().stream()];
    for (const stream of [grown, same]) {
      stream.setState(someState(h0, c0));
      stream.input.set(values(I));
      stream.step();
    }
    const free = fillMemory();
    // the clone's own memory does not fit any more
    const { buffer } = wasm().memory;
    const clone = grown.clone();
    expect(wasm().memory.buffer).not.toBe(buffer);
    free();
    growMemory();
    const later = grown.clone();
    for (const stream of [clone, later, grown]) {
      expect(stream.getState()).toEqual(same.getState());
      expect([...stream.input, ...stream.output]).toEqual([...same.input, ...same.output]);
      growMemory();
      expect(stream.save()).toEqual(same.save());
      growMemory();
      stream.load(same.save());
      const output = new Float32Array(4 * Ho);
      growMemory();
      expect(stream.run(values(4 * I), output)).toBe(4);
      const wanted = new Float32Array(4 * Ho);
      const fresh = same.clone();
      fresh.run(values(4 * I), wanted);
      expect(bits(output)).toEqual(bits(wanted));
      growMemory();
      stream.reset();
      expect(stream.getState().h0.data.every((value) => value === 0)).toBe(true);
    }
  });

  test('loadStateDict takes effect at the next step', () => {
    const model = make();
    const other = make();
    const dict = new Map(
      [...other.stateDict()].map(([key, { data, dims }]) => [key, { data: values(data.length, 5), dims }]),
    );
    other.loadStateDict(dict);
    const [a, b] = [model.stream(), other.stream()];
    a.setState(someState(h0, c0));
    b.setState(someState(h0, c0));
    a.step();
    b.step();
    expect([...a.output]).not.toEqual([...b.output]);
    b.load(a.save());
    model.loadStateDict(dict);
    a.step();
    b.step();
    expect(bits(a.output)).toEqual(bits(b.output));
    expect(a.save()).toEqual(b.save());
  });

  test('run checks lengths and takes no steps as well as many', () => {
    const stream = make().stream();
    stream.setState(someState(h0, c0));
    const call = (input: Any, output: Any) => () => stream.run(input, output);
    const zeros = (n: number) => new Float32Array(n);
    const { h0: h } = stream.getState();
    expect(stream.run(zeros(0), zeros(0))).toBe(0);
    expect(stream.getState().h0).toEqual(h);
    if (I) {
      expectUnchanged(stream, call(zeros(I + 1), zeros(Ho)), RangeError, /^LSTMStream: "input" .*, got 4\b/);
      expectUnchanged(stream, call(zeros(0), zeros(Ho)), RangeError, /^LSTMStream: "output" .*, got \d+$/);
    } else {
      expectUnchanged(stream, call(zeros(1), zeros(Ho)), RangeError, /^LSTMStream: "input"/);
    }
    expectUnchanged(
      stream,
      call(zeros(2 * I), zeros(2 * Ho - 1)),
      RangeError,
      /^LSTMStream: "(out|in)put" .*, got \d+$/,
    );
    const good = [zeros(2 * I), zeros(2 * Ho)] as const;
    const wrong: [Any, RegExp][] = [
      [undefined, /expected a Float32Array, got undefined$/],
      [null, /expected a Float32Array, got null$/],
      [[1, 2, 3], /expected a Float32Array, got /],
      [new Float64Array(6), /expected a Float32Array, got a Float64Array$/],
      [{ data: zeros(6), dims: [2, 3] }, /expected a Float32Array, got { "data", "dims" }$/],
      [
        new Float32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer, 0, 6),
        /SharedArrayBuffer$/,
      ],
    ];
    for (const [value, message] of wrong) {
      expectUnchanged(stream, call(value, good[1]), TypeError, message);
      expectUnchanged(stream, call(value, good[1]), TypeError, /^LSTMStream: "input"/);
      expectUnchanged(stream, call(good[0], value), TypeError, message);
      expectUnchanged(stream, call(good[0], value), TypeError, /^LSTMStream: "output"/);
    }
    const gone = zeros(2 * Ho);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    if (I) expectUnchanged(stream, call(good[0], gone), RangeError, /^LSTMStream: "(out|in)put"/);
    expect(stream.run(...good)).toBe(2);
  });

  test('step takes no input, which belongs into the view', () => {
    const stream = make().stream();
    const given = stream as unknown as { step(input: unknown): void };
    for (const input of [values(I), { data: values(I), dims: [I] }, 0.5]) {
      expectUnchanged(stream, () => given.step(input), TypeError, /step\(\) takes no input: write it to stream\.input/);
    }
  });

  test('run over overlapping views and over its own input and output', () => {
    const n = 50;
    const input = values(n * I);
    const wanted = new Float32Array(n * Ho);
    const fresh = make();
    const expectWanted = (x: Float32Array, y: Float32Array) => {
      const stream = fresh.stream();
      x.set(input);
      expect(stream.run(x, y)).toBe(n);
      expect(bits(y)).toEqual(bits(wanted));
      stream.dispose();
    };
    fresh.stream().run(input, wanted);
    for (const shift of [0, 1, I, Ho, 40]) {
      const buffer = new Float32Array(n * (I + Ho) + 64);
      expectWanted(buffer.subarray(shift, shift + n * I), buffer.subarray(7, 7 + n * Ho));
      expectWanted(buffer.subarray(7, 7 + n * I), buffer.subarray(shift, shift + n * Ho));
    }
    const stream = fresh.stream();
    stream.input.set(input.subarray(0, I));
    stream.run(stream.input, stream.output);
    expect(bits(stream.output)).toEqual(bits(wanted.subarray(0, Ho)));
  });

  test('a disposed stream or model: errors, and a second dispose is harmless', () => {
    const used = bytesUsed();
    const model = make();
    const alone = bytesUsed();
    const [stream, orphan] = [model.stream(), model.stream()];
    expect(bytesUsed()).toBeGreaterThan(alone);
    const state = stream.getState();
    const saved = stream.save();
    stream.dispose();
    stream.dispose();
    const uses: ((s: LSTMStream) => unknown)[] = [
      (s) => s.step(),
      (s) => s.run(values(I), new Float32Array(Ho)),
      (s) => s.clone(),
      (s) => s.input,
      (s) => s.output,
      (s) => s.reset(),
      (s) => s.getState(),
      (s) => s.setState(state),
      (s) => s.save(),
      (s) => s.load(saved),
    ];
    for (const use of uses) expect(() => use(stream)).toThrow(new Error('LSTMStream: used after dispose()'));
    orphan.step();
    model.dispose();
    for (const use of uses.slice(0, 3)) expect(() => use(orphan)).toThrow(/^LSTM(Cell)?: used after dispose\(\)$/);
    expect(() => model.stream()).toThrow(/^LSTM(Cell)?: used after dispose\(\)$/);
    orphan.dispose();
    expect(bytesUsed()).toBe(used);
  });

  test('memory is reused without a trace of who had it before', () => {
    const model = make();
    const input = values(5 * I);
    const wanted = model.stream();
    const expected = steps(wanted, input, 5);
    for (let k = 0; k < 20; k++) {
      const stream = model.stream();
      expect(steps(stream, input, 5)).toEqual(expected);
      const filled = new Float32Array(count(h0)).fill(NaN);
      stream.setState({
        h0: { data: filled, dims: h0 },
        c0: { data: new Float32Array(count(c0)).fill(NaN), dims: c0 },
      });
      stream.input.fill(NaN);
      stream.step();
      stream.dispose();
    }
  });

  test('states are copies, bit for bit, and wrong ones are refused', () => {
    const stream = make().stream();
    const odd = [0x7fc00000, 0xffc00001, 0x7f800001, 0xff812345, 0x80000000, 1, 0x807fffff, 0x7f800000];
    const state = {
      h0: { data: words(Array.from({ length: count(h0) }, (_, i) => odd[i % odd.length]!)), dims: [...h0] },
      c0: { data: words(Array.from({ length: count(c0) }, (_, i) => odd[(i + 3) % odd.length]!)), dims: [...c0] },
    };
    stream.setState(state);
    const wanted = [bits(state.h0.data), bits(state.c0.data)];
    const got = () => [bits(stream.getState().h0.data), bits(stream.getState().c0.data)];
    expect(got()).toEqual(wanted);
    const mine = stream.getState() as Any;
    for (const { data, dims } of [mine.h0, mine.c0, state.h0, state.c0]) {
      data.fill(3);
      dims.fill(0);
    }
    expect(got()).toEqual(wanted);
    expect(stream.getState().h0.dims).toEqual(h0);
    const other = make().stream();
    other.load(stream.save());
    expect([bits(other.getState().h0.data), bits(other.getState().c0.data)]).toEqual(wanted);
    const { h0: h, c0: c } = someState(h0, c0);
    const tensor = (n: number, dims = [n]): TensorLike => ({ data: new Float32Array(n), dims });
    const wrong: [Any, Any, RegExp][] = [
      [undefined, TypeError, /^LSTMStream: "state" expected an object { h0, c0 }, got undefined$/],
      [null, TypeError, /^LSTMStream: "state" .*, got null$/],
      [7, TypeError, /^LSTMStream: "state" .*, got 7$/],
      [{}, TypeError, /^LSTMStream: "state" expected an object { h0, c0 }, got a Object$/],
      [{ h0: h }, TypeError, /^LSTMStream: "c0" .*, got undefined$/],
      [{ h0: tensor(count(h0) + 1), c0: c }, RangeError, /^LSTMStream: "h0" expected \[/],
      [{ h0: h, c0: tensor(count(c0), [1, ...c0, 1]) }, RangeError, /^LSTMStream: "c0" expected \[/],
      [{ h0: h, c0: { ...c, data: new Float64Array(count(c0)) } }, TypeError, /^LSTMStream: "c0.data" /],
      [{ h0: h, c0: { ...c, data: new Float32Array(1) } }, RangeError, /^LSTMStream: "c0" .*, got 1$/],
    ];
    for (const [value, error, message] of wrong) expectUnchanged(stream, () => stream.setState(value), error, message);
    expect(got()).toEqual(wanted);
  });
});

test('a bidirectional module has no streams, and the error says why', () => {
  const lstm = new LSTM(3, 5, { bidirectional: true });
  expect(() => lstm.stream()).toThrow(TypeError);
  expect(() => lstm.stream()).toThrow(/^LSTM: .*bidirectional.*end/);
});

test('what one stream is fed reaches no other', () => {
  const model = new LSTM(3, 5, { numLayers: 2, seed: 1 });
  const [calm, alone, wild] = [model.stream(), model.stream(), model.stream()];
  const input = values(60);
  const wanted = steps(alone, input, 20);
  const got: number[] = [];
  for (let t = 0; t < 20; t++) {
    wild.input.fill([NaN, Infinity, -Infinity, 3e38][t % 4]!);
    wild.step();
    got.push(...steps(calm, input.subarray(3 * t, 3 * t + 3), 1));
  }
  expect(got).toEqual(wanted);
  expect(wild.output.some(Number.isNaN)).toBe(true);
  wild.reset();
  expect(steps(wild, input, 20)).toEqual(wanted);
});

test('10,000 streams of one model keep their states apart', () => {
  const used = bytesUsed();
  const model = new LSTM(1, 2, { seed: 1 });
  const streams = Array.from({ length: 10_000 }, () => model.stream());
  const reference = streams[0]!.clone();
  const wanted = [1, 2, 3].map((x) => {
    reference.input[0] = x;
    reference.step();
    return [...reference.output];
  });
  for (let t = 0; t < 3; t++) {
    for (const stream of streams) {
      stream.input[0] = t + 1;
      stream.step();
    }
    for (const stream of streams) {
      const [a, b] = stream.output;
      if (a !== wanted[t]![0] || b !== wanted[t]![1]) expect([a, b]).toEqual(wanted[t]);
    }
  }
  for (const stream of [...streams, reference]) stream.dispose();
  model.dispose();
  expect(bytesUsed()).toBe(used);
});

test('a long run whose output lies over input that is still to be read', () => {
  const lstm = new LSTM(4, 4, { seed: 3 });
  const count = 4 * 20_000;
  const input = Float32Array.from({ length: count }, (_, i) => Math.sin(i));
  const apart = new Float32Array(count);
  lstm.stream().run(input, apart);
  for (const shift of [0, 4, 40]) {
    const shared = new Float32Array(count + shift);
    shared.set(input);
    lstm.stream().run(shared.subarray(0, count), shared.subarray(shift));
    expect(shared.subarray(shift)).toEqual(apart);
  }
  const shared = new Float32Array(count + 4);
  shared.set(input);
  const state = () => ({ data: new Float32Array(4), dims: [1, 4] });
  const out = { output: { data: shared.subarray(4), dims: [20_000, 4] }, hn: state(), cn: state() };
  lstm.forward({ data: shared.subarray(0, count), dims: [20_000, 4] }, undefined, { out });
  expect(out.output.data).toEqual(apart);
});

test('a cell state that decays in silence becomes zero before it is subnormal', () => {
  const lstm = new LSTM(2, 9, { bias: false });
  lstm.loadStateDict(new Map([...lstm.stateDict()].map(([key, t]) => [key, { ...t, data: t.data.fill(0) }])));
  const stream = lstm.stream();
  const c0 = { data: new Float32Array(9).fill(2 ** -100), dims: [1, 9] };
  stream.setState({ h0: { data: new Float32Array(9), dims: [1, 9] }, c0 });
  // without weights and biases the forget gate is 1/2
  for (let exponent = -101; exponent >= -115; exponent--) {
    stream.step();
    expect(stream.getState().c0.data).toEqual(new Float32Array(9).fill(exponent < -110 ? 0 : 2 ** exponent));
  }
  lstm.dispose();
  stream.dispose();
});
