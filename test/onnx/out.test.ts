import { describe, expect, test } from 'vitest';
import { bytesUsed, LSTM } from '../../src/index.ts';
import { loadOnnx, type OnnxFeed, type OnnxSession } from '../../src/onnx.ts';
import { DATA_TYPES, onnxFile, tensorProto } from '../support/onnx-files.ts';

// run() with the options out and outputs: whatever tensors the caller has results written to.

const floats = (...values: number[]) => Float32Array.from(values);
const vector = (...values: number[]) => ({ data: floats(...values), dims: [values.length] });

/** sum = a + b, twice = 2 sum, and outputs that are an input, a constant, a view and the same value again. */
const load = () =>
  loadOnnx(
    onnxFile({
      nodes: [
        { op: 'Add', inputs: ['a', 'b'], outputs: ['sum'] },
        { op: 'Add', inputs: ['sum', 'sum'], outputs: ['twice'] },
        { op: 'Identity', inputs: ['sum'], outputs: ['same'] },
        { op: 'Identity', inputs: ['a'], outputs: ['fed'] },
        { op: 'Slice', inputs: ['a', 'one', 'end'], outputs: ['rest'] },
        { op: 'Identity', inputs: ['c'], outputs: ['fixed'] },
        { op: 'ReduceSum', inputs: ['a'], outputs: ['total'], attributes: { keepdims: 0 } },
      ],
      inputs: { a: ['n'], b: ['n'] },
      outputs: Object.fromEntries(
        ['sum', 'twice', 'same', 'fed', 'rest', 'fixed', 'total'].map((name) => [name, undefined]),
      ),
      initializers: [
        tensorProto('c', [2], floats(5, 6)),
        tensorProto('one', [1], BigInt64Array.of(1n)),
        tensorProto('end', [1], BigInt64Array.of(99n)),
      ],
    }),
  );

function withSession(check: (session: OnnxSession) => void): void {
  const before = bytesUsed();
  const session = load();
  check(session);
  session.dispose();
  expect(bytesUsed()).toBe(before);
}

describe('out', () => {
  test('takes every output: inputs, constants, views, a scalar, and one value under two names', () => {
    withSession((session) => {
      const feeds = { a: vector(1, 2, 3), b: vector(10, 20, 30) };
      const out = session.run(feeds) as Record<string, OnnxFeed>;
      const expected = structuredClone(Object.entries(out));
      for (const { data } of Object.values(out)) (data as Float32Array).fill(9);
      expect(session.run(feeds, { out })).toBe(out);
      expect(Object.entries(out)).toEqual(expected);
      expect(out.total).toEqual({ type: 'float32', dims: [], data: floats(6) });
      expect(feeds).toEqual({ a: vector(1, 2, 3), b: vector(10, 20, 30) });
    });
  });

  test('may be the feeds, or parts of one array, which later outputs write over', () => {
    withSession((session) => {
      const [a, b] = [vector(1, 2), vector(10, 20)];
      for (const expected of [floats(11, 22), floats(21, 42), floats(31, 62)]) {
        session.run({ a, b }, { out: { sum: a } });
        expect(a.data).toEqual(expected);
      }
      session.run({ a, b }, { out: { sum: b, fed: a, rest: { data: b.data.subarray(0, 1), dims: [1] } } });
      expect([a.data, b.data]).toEqual([floats(31, 62), floats(62, 82)]);
      const same = vector(1, 2);
      session.run({ a: same, b: same }, { out: { twice: same } });
      expect(same.data).toEqual(floats(4, 8));
    });
  });

  test('a part of the outputs, and outputs without a tensor beside those with one', () => {
    withSession((session) => {
      const feeds = { a: vector(1, 2), b: vector(10, 20) };
      const twice = vector(0, 0);
      const all = session.run(feeds, { out: { twice }, outputs: ['fed', 'twice', 'fed'] });
      expect(Object.keys(all)).toEqual(['fed', 'twice']);
      expect(all.twice).toBe(twice);
      expect([all.fed!.data, twice.data]).toEqual([floats(1, 2), floats(22, 44)]);
      const kept = vector(7, 7);
      expect(Object.keys(session.run(feeds, { out: { sum: kept }, outputs: ['twice'] }))).toEqual(['twice']);
      expect(kept.data).toEqual(floats(7, 7));
    });
  });

  test('empty tensors', () => {
    withSession((session) => {
      const empty = vector();
      const out = { sum: vector(), rest: vector(), total: { data: floats(3), dims: [] } };
      expect(session.run({ a: empty, b: empty }, { out })).toBe(out);
      expect(out.total.data).toEqual(floats(0));
      expect(session.run({ a: empty, b: empty }).twice).toEqual({ type: 'float32', dims: [0], data: floats() });
    });
  });

  test('feeds and tensors to write to in linear memory, while memory grows', () => {
    const lstm = new LSTM(2, 2, { seed: 1 });
    const [stream, other] = [lstm.stream(), lstm.stream()];
    withSession((session) => {
      for (const size of [2, 2, 2]) {
        stream.input.set([1, 2]);
        other.input.set([10, 20]);
        const feeds = { a: { data: stream.input, dims: [size] }, b: { data: other.input, dims: [size] } };
        const out = { sum: { data: stream.input, dims: [size] }, twice: { data: other.input, dims: [size] } };
        session.run(feeds, { out });
        expect([[...stream.input], [...other.input]]).toEqual([
          [11, 22],
          [22, 44],
        ]);
      }
      // a new plan makes memory grow, which detaches the views that the caller has
      const count = 1 << 21;
      const large = { data: new Float32Array(count), dims: [count] };
      const view = stream.input;
      session.run({ a: large, b: large }, { out: { fixed: { data: view, dims: [2] } } });
      expect([...stream.input]).toEqual([5, 6]);
    });
    for (const one of [stream, other, lstm]) one.dispose();
  });

  const wrong: [string, unknown, RegExp][] = [
    ['other dims', { sum: vector(0, 0), twice: vector(0, 0, 0) }, /"out twice.dims" expected \[2\], got \[3\]/],
    ['another rank', { twice: { data: floats(0, 0), dims: [1, 2] } }, /"out twice.dims" expected \[2\]/],
    ['too few elements', { twice: { data: floats(0), dims: [2] } }, /"out twice.data" expected 2 elements/],
    ['another array', { twice: { data: new Int32Array(2), dims: [2] } }, /"out twice.data" expected a Float32Array/],
    ['another type', { twice: { ...vector(0, 0), type: 'int32' } }, /"out twice.type" expected float32/],
    ['another name', { sum: vector(0, 0), other: vector(0, 0) }, /"out" expected "sum", .*got "other"/],
    ['no tensor', { sum: vector(0, 0), twice: null }, /"out twice" expected a tensor/],
    ['a Map', new Map(), /"out" expected an object of tensors/],
    ['null', null, /"out" expected an object/],
  ];
  test.each(wrong)('refuses %s, and changes nothing', (_, out, message) => {
    withSession((session) => {
      const feeds = { a: vector(1, 2), b: vector(10, 20) };
      const before = structuredClone(out);
      for (let k = 0; k < 2; k++) expect(() => session.run(feeds, { out } as never)).toThrow(message);
      expect(out).toEqual(before);
      expect(session.run(feeds, { outputs: ['twice'] }).twice!.data).toEqual(floats(22, 44));
    });
  });

  test('refuses a tensor of the type that the file says, if the result is of another', () => {
    const session = loadOnnx(onnxFile({ nodes: [{ op: 'Shape', inputs: ['x'] }], inputs: { x: ['n'] } }));
    const y = vector(9);
    expect(() => session.run({ x: vector(1, 2) }, { out: { y } })).toThrow(/"out y.type" expected int64/);
    expect(y).toEqual(vector(9));
    session.dispose();
  });

  test('refuses outputs that are no list of names', () => {
    withSession((session) => {
      const run = (outputs: unknown) => () => session.run({ a: vector(1), b: vector(1) }, { outputs } as never);
      expect(run(['none'])).toThrow(/"outputs" expected "sum", .*got "none"/);
      for (const outputs of [[], 'sum', null]) expect(run(outputs)).toThrow(/"outputs" expected an array/);
      expect(run([1])).toThrow(/"outputs" expected names/);
    });
  });
});

describe('getters of the caller', () => {
  test('that run the model again, with other feeds and dims', () => {
    withSession((session) => {
      const inner = () => session.run({ a: vector(5, 5, 5), b: vector(1, 1, 1) }).sum!.data;
      const seen: unknown[] = [];
      const feeds = {
        a: vector(1, 2),
        get b() {
          seen.push(inner());
          return vector(10, 20);
        },
      };
      const out = {
        get sum() {
          seen.push(inner());
          return result;
        },
      };
      const result = vector(0, 0);
      session.run(feeds, { out });
      expect(result.data).toEqual(floats(11, 22));
      expect(seen).toEqual([floats(6, 6, 6), floats(6, 6, 6)]);
    });
  });

  test('that dispose of the session', () => {
    const session = load();
    const sum = vector(7, 7);
    const options = {
      get out() {
        session.dispose();
        return { sum };
      },
    };
    expect(() => session.run({ a: vector(1, 2), b: vector(1, 2) }, options)).toThrow('used after dispose()');
    expect(sum.data).toEqual(floats(7, 7));
  });

  test('that transfer the data of a feed, or of a tensor to write to', () => {
    withSession((session) => {
      const transfer = ({ buffer }: Float32Array) => void structuredClone(buffer, { transfer: [buffer] });
      const [a, b, sum] = [vector(1, 2), vector(10, 20), vector(7, 7)];
      session.run({ a, b });
      const options = {
        get out() {
          transfer(a.data);
          return { sum };
        },
      };
      expect(() => session.run({ a, b }, options)).toThrow(/"feed a.data" expected 2 elements/);
      expect(sum.data).toEqual(floats(7, 7));
      const twice = vector(0, 0);
      const again = {
        out: { twice },
        get outputs() {
          transfer(twice.data);
          return ['twice'];
        },
      };
      expect(() => session.run({ a: vector(1, 2), b }, again)).toThrow(/"out twice.data" expected 2 elements/);
    });
  });

  test('that throw leave the session as it was', () => {
    withSession((session) => {
      const out = {
        get sum(): never {
          throw new Error('mine');
        },
      };
      const feeds = { a: vector(1, 2), b: vector(10, 20) };
      expect(() => session.run(feeds, { out })).toThrow('mine');
      expect(session.run(feeds).sum!.data).toEqual(floats(11, 22));
    });
  });
});

test('integers and bools are written to tensors of theirs', () => {
  const session = loadOnnx(
    onnxFile({
      nodes: [
        { op: 'Neg', inputs: ['i'], outputs: ['n'] },
        { op: 'Greater', inputs: ['i', 'n'], outputs: ['b'] },
        { op: 'Shape', inputs: ['i'], outputs: ['dims'] },
      ],
      inputs: { i: ['n'] },
      outputs: { n: undefined, b: undefined, dims: undefined },
      types: { i: DATA_TYPES.int64, n: DATA_TYPES.int64, b: DATA_TYPES.bool, dims: DATA_TYPES.int64 },
    }),
  );
  for (const values of [
    [1n, -2n, 3n],
    [-1n, 0n, 2n ** 62n],
  ]) {
    const i = { data: BigInt64Array.from(values), dims: [3] };
    const b = { data: Uint8Array.of(9, 9, 9), dims: [3] };
    const dims = { data: BigInt64Array.of(9n), dims: [1] };
    session.run({ i }, { out: { n: i, b, dims } });
    expect([...i.data]).toEqual(values.map((value) => -value));
    expect([...b.data]).toEqual(values.map((value) => Number(value > 0n)));
    expect([...dims.data]).toEqual([3n]);
  }
  session.dispose();
});
