import { afterEach, expect, it } from 'vitest';
import { bytesUsed, LSTM } from '../../src/index.ts';
import { loadOnnx } from '../../src/onnx.ts';
import { type GraphSpec, onnxFile, tensorProto } from '../support/onnx-files.ts';

// What a loaded model holds in linear memory: each constant packed once, and at most three times the file and 4 MiB.

const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => (((i * 37) % 101) - 50) / 500);
const tensor = (name: string, ...dims: number[]) => tensorProto(name, dims, numbers(dims.reduce((a, b) => a * b, 1)));
const outputs = (names: string[]) => Object.fromEntries(names.map((name) => [name, undefined]));
const list = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

const before = bytesUsed();
afterEach(() => expect(bytesUsed(), 'bytes after dispose()').toBe(before));

function load(graph: GraphSpec) {
  const file = onnxFile(graph);
  const session = loadOnnx(file);
  return { session, bytes: bytesUsed() - before, allowed: 3 * file.length + 2 ** 22 };
}

it('weights that LSTM nodes share are packed once', () => {
  const [H, I] = [32, 16];
  const lstm = (i: number) => ({
    op: 'LSTM',
    inputs: ['x', 'w', 'r'],
    outputs: ['', `h${i}`],
    attributes: { hidden_size: H },
  });
  const graph = (count: number): GraphSpec => ({
    nodes: list(count, lstm),
    inputs: { x: [1, 1, I] },
    outputs: outputs(list(count, (i) => `h${i}`)),
    initializers: [tensor('w', 1, 4 * H, I), tensor('r', 1, 4 * H, H)],
  });
  const one = load(graph(1));
  one.session.dispose();
  const many = load(graph(300));
  expect(many.bytes).toBe(one.bytes);
  const { h0, h299 } = many.session.run({ x: { data: numbers(I), dims: [1, 1, I] } });
  expect(h299!.data).toEqual(h0!.data);
  expect(many.session.lstms).toHaveLength(300);
  many.session.dispose();
});

it.each([
  ['MatMul', {}],
  ['Gemm', { transB: 1 }],
])('a matrix that %s nodes share is packed once for each layout', (op, attributes) => {
  const other = op === 'MatMul' ? 'Gemm' : 'MatMul';
  const graph = (count: number): GraphSpec => ({
    nodes: [
      ...list(count, (i) => ({ op, inputs: ['x', 'm'], outputs: [`y${i}`], attributes })),
      { op: other, inputs: ['x', 'm'], outputs: ['z'] },
    ],
    inputs: { x: [1, 16] },
    outputs: outputs([...list(count, (i) => `y${i}`), 'z']),
    initializers: [tensor('m', 16, 16)],
  });
  const one = load(graph(1));
  one.session.dispose();
  const many = load(graph(1000));
  // MatMul and Gemm have one layout, unless Gemm transposes
  expect(many.bytes).toBe(one.bytes);
  const { y0, z } = many.session.run({ x: { data: numbers(16), dims: [1, 16] } });
  expect(y0!.data.every((y, i) => y === z!.data[i])).toBe(op === 'MatMul');
  many.session.dispose();
});

it('narrow matrices are packed while there is room, and give the same bits without', () => {
  const count = 2500;
  const names = list(count, (i) => `y${i}`);
  const { session, bytes, allowed } = load({
    nodes: names.map((name, i) => ({ op: 'MatMul', inputs: ['x', `m${i}`], outputs: [name] })),
    inputs: { x: [1, 256] },
    outputs: outputs(names),
    initializers: names.map((_, i) => tensor(`m${i}`, 256, 1)),
  });
  expect(bytes).toBeLessThanOrEqual(allowed);
  // packed, all would take 16 times their 1 KB
  expect(count * 2 ** 14).toBeGreaterThan(2 * allowed);
  const results = session.run({ x: { data: numbers(256), dims: [1, 256] } });
  for (const name of names) expect(results[name]!.data).toEqual(results.y0!.data);
  session.dispose();
});

it('LSTMs of one unit are packed while there is room, and give the same bits and state dicts without', () => {
  const [count, I] = [900, 256];
  const names = list(count, (i) => `h${i}`);
  const { session, bytes, allowed } = load({
    nodes: names.map((name, i) => {
      return { op: 'LSTM', inputs: ['x', `w${i}`, 'r'], outputs: ['', name], attributes: { hidden_size: 1 } };
    }),
    inputs: { x: [2, 1, I] },
    outputs: outputs(names),
    initializers: [tensor('r', 1, 4, 1), ...names.map((_, i) => tensor(`w${i}`, 1, 4, I))],
  });
  expect(bytes).toBeLessThanOrEqual(allowed);
  const results = session.run({ x: { data: numbers(2 * I), dims: [2, 1, I] } });
  for (const name of names) expect(results[name]!.data).toEqual(results.h0!.data);
  const [first, last] = [session.lstms[0]!.stateDict!, session.lstms[count - 1]!.stateDict!];
  expect([...last]).toEqual([...first]);
  session.dispose();
});

it('what is computed at load leaves nothing packed', () => {
  const { session, bytes } = load({
    nodes: [
      { op: 'MatMul', inputs: ['a', 'm'], outputs: ['b'] },
      { op: 'Add', inputs: ['x', 'b'] },
    ],
    inputs: { x: [1] },
    initializers: [tensor('a', 1, 16), tensor('m', 16, 16)],
  });
  expect(bytes).toBeLessThan(1024);
  session.dispose();
});

it('a model that fails at load leaves nothing', () => {
  const graph: GraphSpec = {
    nodes: [
      { op: 'MatMul', inputs: ['x', 'm'], outputs: ['y'] },
      { op: 'MatMul', inputs: ['x', 'nothing'], outputs: ['z'] },
    ],
    inputs: { x: [1, 16] },
    outputs: outputs(['y', 'z']),
    initializers: [tensor('m', 16, 16)],
  };
  expect(() => load(graph)).toThrow('computed before');
});

it('constant initial states are in the report of an LSTM, which a stream begins with', () => {
  // sigmoid(0) = 0.5 and tanh(0) = 0: c = 0.5 · 2, h = 0.5 tanh(1)
  const zeros = (name: string, ...dims: number[]) => tensorProto(name, dims, new Float32Array(4));
  const scalar = (name: string, x: number) => tensorProto(name, [1, 1, 1], Float32Array.of(x));
  const graph = (inputs: string[]): GraphSpec => ({
    nodes: [{ op: 'LSTM', inputs: ['x', 'w', 'r', '', ...inputs], attributes: { hidden_size: 1 } }],
    inputs: { x: ['t', 1, 1] },
    initializers: [
      zeros('w', 1, 4, 1),
      zeros('r', 1, 4, 1),
      scalar('h0', 0.5),
      scalar('c0', 2),
      scalar('none', 0),
      tensorProto('lengths', [1], Int32Array.of(1)),
    ],
  });
  const report = (inputs: string[]) => {
    const { session } = load(graph(inputs));
    const [{ stateDict, initialState, why }] = session.lstms as [(typeof session.lstms)[0]];
    const { y } = session.run({ x: { data: Float32Array.of(1), dims: [1, 1, 1] } });
    session.dispose();
    return { stateDict, initialState, why, y: y!.data[0] };
  };
  const learned = report(['', 'h0', 'c0']);
  expect(learned.y).toBe(Math.fround(0.5 * Math.tanh(1)));
  expect(learned.initialState).toEqual({
    h0: { data: Float32Array.of(0.5), dims: [1, 1, 1] },
    c0: { data: Float32Array.of(2), dims: [1, 1, 1] },
  });
  const lstm = LSTM.fromStateDict(learned.stateDict!);
  const { output } = lstm.forward({ data: Float32Array.of(1), dims: [1, 1, 1] }, learned.initialState);
  expect(output.data[0]).toBe(learned.y);
  lstm.dispose();
  expect(report(['', '', 'c0']).initialState?.h0).toEqual({ data: Float32Array.of(0), dims: [1, 1, 1] });
  expect(report(['', 'none', 'none'])).toMatchObject({ initialState: undefined, why: undefined });
  expect(report([])).toMatchObject({ initialState: undefined, why: undefined });
  expect(report(['lengths'])).toMatchObject({ stateDict: undefined, initialState: undefined, why: /constant lengths/ });
});

it('a recurrence unrolled to 8,000 small nodes loads and runs', () => {
  const steps = list(2000, (t) => {
    const at = (op: string) => `/rnn/${op}_${t}_output_0`;
    const last = t ? `/rnn/Tanh_${t - 1}_output_0` : 'h0';
    return [
      { op: 'MatMul', name: `/rnn/MatMul_${t}`, inputs: [last, 'r'], outputs: [at('MatMul')] },
      { op: 'Add', name: `/rnn/Add_${t}`, inputs: [at('MatMul'), 'x'], outputs: [at('Add')] },
      { op: 'Mul', name: `/rnn/Mul_${t}`, inputs: [at('Add'), 's'], outputs: [at('Mul')] },
      { op: 'Tanh', name: `/rnn/Tanh_${t}`, inputs: [at('Mul')], outputs: [t === 1999 ? 'y' : at('Tanh')] },
    ];
  });
  const { session } = load({
    nodes: steps.flat(),
    inputs: { h0: [1, 1], x: [1, 1] },
    initializers: [tensorProto('r', [1, 1], Float32Array.of(0.5)), tensorProto('s', [1], Float32Array.of(1))],
  });
  const one = (value: number) => ({ data: Float32Array.of(value), dims: [1, 1] });
  const { y } = session.run({ h0: one(0), x: one(0.25) });
  let h = 0;
  for (let t = 0; t < 2000; t++) h = Math.tanh(0.5 * h + 0.25);
  expect(y!.data[0]).toBeCloseTo(h, 6);
  session.dispose();
});
