import { describe, expect, test } from 'vitest';
import { bytesUsed } from '../../src/index.ts';
import { loadOnnx, ModelError, type OnnxFeed, type OnnxSession } from '../../src/onnx.ts';
import { DATA_TYPES, onnxFile, tensorProto } from '../support/onnx-files.ts';
import { tensor } from '../support/tensors.ts';

// Streams of a session: outputs that become inputs of the next run.

const H = 5;

/** An LSTM whose states h and c are fed and returned; the batch is open. */
const file = (names = { h: 'h', c: 'c' }) =>
  onnxFile({
    nodes: [
      {
        op: 'LSTM',
        inputs: ['x', 'W', 'R', '', '', names.h, names.c],
        outputs: ['', 'hn', 'cn'],
        attributes: { hidden_size: H },
      },
      { op: 'ReduceSum', inputs: ['hn'], outputs: ['y'], attributes: { keepdims: 0 } },
      { op: 'Shape', inputs: ['x'], outputs: ['dims'] },
      { op: 'Concat', inputs: ['hn', 'hn'], outputs: ['wide'], attributes: { axis: 0 } },
    ],
    inputs: { x: ['T', 'B', 3], [names.h]: [1, 'B', H], [names.c]: [1, 'B', H], k: ['K'] },
    outputs: { y: undefined, hn: undefined, cn: undefined, dims: undefined, wide: undefined },
    types: { dims: DATA_TYPES.int64 },
    initializers: [
      tensorProto('W', [1, 4 * H, 3], tensor(4 * H, 3).data as Float32Array),
      tensorProto('R', [1, 4 * H, H], tensor(4 * H, H).data as Float32Array),
    ],
  });

const k = { data: new Float32Array(0), dims: [0] };
const zeros = (batch: number): OnnxFeed => ({ data: new Float32Array(batch * H), dims: [1, batch, H] });
const chunk = (step: number, T = 2, batch = 1) => {
  const data = Float32Array.from({ length: T * batch * 3 }, (_, i) => Math.sin(7 * step + i));
  return { x: { data, dims: [T, batch, 3] }, k };
};
const BINDINGS = { h: 'hn', c: 'cn' };

/** The loop that a stream saves its callers. */
function loop(session: OnnxSession, batch = 1) {
  let states = { h: zeros(batch), c: zeros(batch) };
  return (feeds: ReturnType<typeof chunk>) => {
    const { y, hn, cn } = session.run({ ...feeds, ...states });
    states = { h: hn!, c: cn! };
    return y;
  };
}

describe('streams', () => {
  test('two streams in turn give the bits of two loops, whatever plans come and go', () => {
    const before = bytesUsed();
    const session = loadOnnx(file());
    const streams = [session.stream(BINDINGS), session.stream(BINDINGS)];
    const own = loadOnnx(file());
    const loops = [loop(own), loop(own)];
    for (let step = 0; step < 60; step++) {
      const which = step % 3 ? 0 : 1;
      // more lengths than plans are kept
      const feeds = chunk(step, 1 + ((step * 5) % 11));
      const { y } = streams[which]!.run(feeds, { outputs: ['y'] });
      expect(y).toEqual(loops[which]!(feeds));
      if (step % 7 === 0) session.run({ ...chunk(99), h: zeros(1), c: zeros(1) });
    }
    for (const one of [...streams, session, own]) one.dispose();
    expect(bytesUsed()).toBe(before);
  });

  test('returns states only if they are asked for', () => {
    const session = loadOnnx(file());
    const stream = session.stream(BINDINGS);
    expect(Object.keys(stream.run(chunk(0)))).toEqual(['y', 'dims', 'wide']);
    const { cn } = stream.run(chunk(1), { outputs: ['cn'] });
    expect(cn).toMatchObject(stream.getState().c!);
    const out = { hn: zeros(1) };
    expect(stream.run(chunk(2), { out })).toBe(out);
    expect(out.hn.data).toEqual(stream.getState().h!.data);
    session.dispose();
    stream.dispose();
  });

  test('an output that is constant, an input, or another state becomes a state', () => {
    const session = loadOnnx(
      onnxFile({
        nodes: [
          { op: 'Identity', inputs: ['a'], outputs: ['b2'] },
          { op: 'Identity', inputs: ['b'], outputs: ['a2'] },
          { op: 'Identity', inputs: ['x'], outputs: ['c2'] },
          { op: 'Identity', inputs: ['one'], outputs: ['d2'] },
        ],
        inputs: { x: [2], a: [2], b: [2], c: [2], d: [2] },
        outputs: { a2: undefined, b2: undefined, c2: undefined, d2: undefined },
        initializers: [tensorProto('one', [2], Float32Array.of(1, 2))],
      }),
    );
    const stream = session.stream({ a: 'a2', b: 'b2', c: 'c2', d: 'd2' });
    const pair = (p: number, q: number) => ({ data: Float32Array.of(p, q), dims: [2] });
    stream.setState({ a: pair(1, 2), b: pair(3, 4) });
    stream.run({ x: pair(5, 6) });
    expect({ ...stream.getState() }).toEqual({ a: pair(3, 4), b: pair(1, 2), c: pair(5, 6), d: pair(1, 2) });
    stream.dispose();
    session.dispose();
  });

  test('reset, getState, setState, save and load', () => {
    const session = loadOnnx(file());
    const [one, two] = [session.stream(BINDINGS), session.stream(BINDINGS)];
    const first = one.run(chunk(0));
    const state = one.getState();
    const saved = one.save();
    const second = one.run(chunk(1));
    two.setState(state);
    expect(two.run(chunk(1))).toEqual(second);
    two.load(saved);
    expect({ ...two.getState() }).toEqual({ ...state });
    expect(two.run(chunk(1))).toEqual(second);
    one.reset();
    expect(one.run(chunk(0))).toEqual(first);
    one.setState({ h: state.h! });
    expect(one.getState().h).toEqual(state.h);
    expect(() => one.setState({ h: zeros(1) as never, c: zeros(2) as never })).toThrow(
      /"c" expected \[1, 1, 5\], got \[1, 2, 5\]/,
    );
    expect(() => one.setState({ h: zeros(1) as never, y: zeros(1) as never })).toThrow(
      /"states" expected "h", "c", got "y"/,
    );
    expect(one.getState().h).toEqual(state.h);
    for (const stream of [one, two, session]) stream.dispose();
  });

  test('refuses saved states that are damaged or of other names and dims, and keeps its own', () => {
    const session = loadOnnx(file());
    const other = loadOnnx(file({ h: 'h0', c: 'c0' }));
    const stream = session.stream(BINDINGS);
    stream.run(chunk(0));
    const saved = stream.save();
    const before = { ...stream.getState() };
    const named = other.stream({ h0: 'hn', c0: 'cn' });
    const wide = session.stream(BINDINGS, { dims: { h: [1, 2, H], c: [1, 2, H] } });
    for (const bytes of [
      named.save(),
      wide.save(),
      saved.subarray(0, -1),
      saved.with(20, saved[20]! ^ 1),
      new Uint8Array(0),
    ]) {
      expect(() => stream.load(bytes)).toThrow(ModelError);
    }
    expect(() => stream.load(saved.buffer as never)).toThrow(TypeError);
    expect({ ...stream.getState() }).toEqual(before);
    for (const one of [stream, named, wide, session, other]) one.dispose();
  });

  test('a run that fails leaves the states as they were', () => {
    const session = loadOnnx(file());
    const stream = session.stream(BINDINGS);
    stream.run(chunk(0));
    const before = { ...stream.getState() };
    expect(() => stream.run(chunk(0, 2, 2))).toThrow(ModelError);
    expect(() => stream.run({ ...chunk(0), h: zeros(1) })).toThrow(/feed "h" is a state of the stream/);
    expect(() => stream.run({ x: chunk(0).x } as never)).toThrow('missing feed "k"');
    const out = { y: { data: new Float32Array(2), dims: [2] } };
    expect(() => stream.run(chunk(0), { out })).toThrow(/"out y.dims" expected \[\]/);
    expect({ ...stream.getState() }).toEqual(before);
    stream.dispose();
    session.dispose();
  });

  test('dims of states that the file leaves open may be given', () => {
    const session = loadOnnx(file());
    const stream = session.stream(BINDINGS, { dims: { h: [1, 3, H], c: [1, 3, H] } });
    const own = loop(session, 3);
    for (let step = 0; step < 4; step++) {
      expect(stream.run(chunk(step, 2, 3), { outputs: ['y'] }).y).toEqual(own(chunk(step, 2, 3)));
    }
    stream.dispose();
    session.dispose();
  });

  test.each<[string, unknown, unknown, RegExp]>([
    ['no bindings', {}, undefined, /"states" expected at least one/],
    ['null', null, undefined, /"states" expected an object/],
    ['an unknown input', { z: 'hn' }, undefined, /"input" expected .*got "z"/],
    ['an unknown output', { h: 'z' }, undefined, /"output" expected .*got "z"/],
    ['an output twice', { h: 'hn', c: 'hn' }, undefined, /each output once/],
    ['an output of integers', { h: 'dims' }, undefined, /expected float32/],
    ['dims of another rank', BINDINGS, { dims: { h: [1, H] } }, /"dims.h" expected \[1, B, 5\]/],
    ['dims of no state', BINDINGS, { dims: { x: [1] } }, /"dims" expected names of states, got "x"/],
    ['an unknown option', BINDINGS, { dim: {} }, /unknown option "dim"/],
  ])('refuses %s', (_, bindings, options, message) => {
    const before = bytesUsed();
    const session = loadOnnx(file());
    const used = bytesUsed();
    expect(() => session.stream(bindings as never, options as never)).toThrow(message);
    expect(bytesUsed()).toBe(used);
    session.dispose();
    expect(bytesUsed()).toBe(before);
  });

  test('refuses an output whose dims are not those of its state, before anything changes', () => {
    const session = loadOnnx(file());
    const stream = session.stream({ h: 'wide', c: 'cn' });
    expect(() => stream.run(chunk(0))).toThrow(/the next \\?"h\\?"" expected \[1, 1, 5\], got \[2, 1, 5\]/);
    expect(stream.getState().c!.data).toEqual(new Float32Array(H));
    stream.dispose();
    session.dispose();
  });

  test('outlives its session only to give its states', () => {
    const before = bytesUsed();
    const session = loadOnnx(file());
    const stream = session.stream(BINDINGS);
    stream.run(chunk(0));
    const state = { ...stream.getState() };
    session.dispose();
    expect(() => stream.run(chunk(1))).toThrow('used after dispose()');
    expect({ ...stream.getState() }).toEqual(state);
    stream.load(stream.save());
    stream.dispose();
    for (const call of [
      () => stream.run(chunk(1)),
      () => stream.reset(),
      () => stream.save(),
      () => stream.getState(),
    ]) {
      expect(call).toThrow('OnnxStream: used after dispose()');
    }
    expect(() => session.stream(BINDINGS)).toThrow('used after dispose()');
    expect(bytesUsed()).toBe(before);
  });

  test('getters that run or dispose of the stream', () => {
    const session = loadOnnx(file());
    const [stream, own] = [session.stream(BINDINGS), loop(session)];
    const nested = {
      ...chunk(1),
      get x() {
        stream.run(chunk(0));
        return chunk(1).x;
      },
    };
    own(chunk(0));
    expect(stream.run(nested, { outputs: ['y'] }).y).toEqual(own(chunk(1)));
    const last = {
      get x() {
        stream.dispose();
        return chunk(1).x;
      },
      k,
    };
    expect(() => stream.run(last)).toThrow('OnnxStream: used after dispose()');
    session.dispose();
  });
});
