import { describe, expect, test } from 'vitest';
import { GRU, RNN } from '../src/gru.ts';
import { bytesUsed, ModelError } from '../src/index.ts';
import { loadOnnx, type OnnxFeed, type OnnxResult } from '../src/onnx.ts';
import { bits } from './support/bits.ts';
import { readJson } from './support/fixtures.ts';
import { onnxFile, tensorProto } from './support/onnx-files.ts';
import { onnxGru, onnxRnn } from './support/onnx-gru.ts';
import { DEFAULTS, type GruCase, modelOf, randomCase, SHAPES, standard, swapped } from './support/onnx-gru-cases.ts';
import { FUNCTIONS } from './support/onnx-lstm.ts';
import { uniforms } from './support/random.ts';

// Every attribute of the operators GRU and RNN against plain loops in float64 and against ONNX Runtime.

type Op = GruCase['op'];
const OPS = ['GRU', 'RNN'] as const;
const DIRECTIONS = ['forward', 'reverse', 'bidirectional'] as const;

/** Y [T][D][batch][H] and Y_h [D][batch][H], whatever the layout. */
function run(given: GruCase): Record<string, OnnxResult> {
  const { T, batch, H, direction, batchFirst } = given;
  const D = direction === 'bidirectional' ? 2 : 1;
  const { file, feeds } = modelOf(given);
  const session = loadOnnx(file);
  try {
    const first = session.run(feeds);
    expect(session.run(feeds)).toEqual(first);
    expect(session.trace(feeds)).toEqual({ outputs: first, nodes: {} });
    expect(session.lstms).toEqual([]);
    const front = batchFirst ? [batch, T, D] : [T, D, batch];
    expect([first.Y!.dims, first.Y_h!.dims]).toEqual([[...front, H], batchFirst ? [batch, D, H] : [D, batch, H]]);
    if (!batchFirst) return first;
    const h = swapped(first.Y_h!.data as Float32Array, batch, D);
    const steps = swapped(first.Y!.data as Float32Array, batch, T);
    // [T][batch][D][H] as [T][D][batch][H]
    const size = batch * D * H;
    const rows = Array.from({ length: T }, (_, t) => [
      ...swapped(steps.subarray(t * size, (t + 1) * size), batch, D),
    ]).flat();
    return { Y: { ...first.Y!, data: Float32Array.from(rows) }, Y_h: { ...first.Y_h!, data: h } };
  } finally {
    session.dispose();
  }
}

/** @param scale how large sums in float32 may be before a function makes them small again */
function expectClose(results: Record<string, OnnxResult>, wanted: Record<string, readonly number[]>, scale = 1): void {
  for (const [name, numbers] of Object.entries(wanted)) {
    const { data } = results[name]!;
    expect(data).toHaveLength(numbers.length);
    for (const [i, number] of numbers.entries()) {
      const difference = Math.abs((data[i] as number) - number);
      if (!(difference <= 1e-6 * Math.max(scale, Math.abs(number))))
        expect([name, i, data[i]]).toEqual([name, i, number]);
    }
  }
}

function check(given: GruCase, scale = 1): void {
  const before = bytesUsed();
  const results = run(given);
  expect(bytesUsed()).toBe(before);
  expectClose(results, { ...(given.op === 'GRU' ? onnxGru : onnxRnn)(given) }, scale);
}

function makeCase(op: Op, seed: number, change: Partial<GruCase> = {}): GruCase {
  const next = uniforms(seed);
  const sizes = { T: 5, batch: 3, I: 3, H: 5, direction: 'forward' as GruCase['direction'], ...change };
  const { T, batch, I, H, direction } = sizes;
  const D = direction === 'bidirectional' ? 2 : 1;
  const { gates } = SHAPES[op];
  const numbers = (count: number, scale = 1) => Float32Array.from({ length: count }, () => scale * (2 * next() - 1));
  return {
    op,
    x: numbers(T * batch * I),
    // an RNN of larger weights doubles differences at each step
    W: numbers(D * gates * H * I, 1 / Math.sqrt(H)),
    R: numbers(D * gates * H * H, 1 / Math.sqrt(H)),
    B: numbers(D * 2 * gates * H),
    h0: numbers(D * batch * H),
    functions: standard(op, D),
    attributes: {},
    ...sizes,
  };
}

const cases: { op: Op; seed: number; Y: number[]; Y_h: number[] }[] = await readJson('onnx-gru/cases.json');

test.each(OPS)('answers of ONNX Runtime for random nodes %s', (op) => {
  const own = cases.filter((one) => one.op === op);
  expect(own.length).toBeGreaterThanOrEqual(40);
  for (const { seed, Y, Y_h } of own) {
    const given = randomCase(op, seed);
    const results = run(given);
    // two float32 computations, with functions that may double a difference at each step
    expectClose(results, { Y, Y_h }, 4);
    expectClose(results, { ...(op === 'GRU' ? onnxGru : onnxRnn)(given) }, 4);
  }
});

describe.each(OPS)('%s', (op) => {
  const resets = op === 'GRU' ? [false, true] : [false];
  for (const reset of resets) {
    const own = { linearBeforeReset: reset };
    const attributes = reset ? { linear_before_reset: 1 } : {};
    for (const direction of DIRECTIONS) {
      for (const [what, change] of Object.entries<Partial<GruCase>>({
        'all inputs': {},
        'weights alone': { B: undefined, h0: undefined },
        'no bias': { B: undefined },
        lengths: { lengths: [2, 5, 1] },
        'lengths with one of 0': { lengths: [4, 0, 5] },
        'lengths of 0': { lengths: [0, 0, 0] },
        'equal lengths': { lengths: [5, 5, 5] },
        'weights that are fed': { constant: false },
        'layout 1': { batchFirst: true, lengths: [5, 0, 2] },
        'no steps': { T: 0 },
        'no rows': { batch: 0 },
        'one of each': { T: 1, batch: 1, I: 1, H: 1 },
        'a wide one': { I: 19, H: 34 },
        'units that fill a panel': { H: 16 },
        'steps of several blocks': { T: 90, batch: 2, I: 4, H: 40 },
        clip: { clip: 0.25, attributes: { ...attributes, clip: Float32Array.of(0.25) } },
        'clip, lengths and layout 1': {
          clip: 0.125,
          lengths: [3, 0, 5],
          batchFirst: true,
          attributes: { ...attributes, clip: Float32Array.of(0.125) },
        },
      })) {
        test(`${direction}${reset ? ', linear_before_reset' : ''}: ${what}`, () =>
          check(makeCase(op, 7, { direction, attributes, ...own, ...change })));
      }
    }
  }

  const { functions: count } = SHAPES[op];
  for (const name of Object.keys(FUNCTIONS)) {
    const [alpha, beta] = DEFAULTS[name] ?? [];
    const others = count === 2 ? ['Softsign'] : [];
    test(`${name} with its defaults, its name in any case`, () => {
      const functions = [name, ...others].map((one) => ({
        name: one,
        ...(one === name ? { alpha: alpha ?? 0, beta: beta ?? 0 } : { alpha: 0, beta: 0 }),
      }));
      const activations = [name.toUpperCase(), ...others.map((one) => one.toLowerCase())];
      check(makeCase(op, 13, { functions, attributes: { activations } }), 4);
    });
    test(`${name} with constants, for each direction its own`, () => {
      const [alphas, betas] = [alpha === undefined ? [] : [0.3, 0.6], beta === undefined ? [] : [0.4, 0.2]];
      let used = 0;
      const functions = [name, ...others, name, ...others].map((one) => {
        const k = one === name ? used++ : -1;
        return { name: one, alpha: Math.fround(alphas[k] ?? 0), beta: Math.fround(betas[k] ?? 0) };
      });
      const attributes = {
        activations: functions.map((one) => one.name),
        ...(alphas.length && { activation_alpha: { floats: alphas } }),
        ...(betas.length && { activation_beta: { floats: betas } }),
      };
      // few steps: a gate without a bound makes h grow
      check(makeCase(op, 17, { T: 2, direction: 'bidirectional', functions, attributes }), 4);
    });
  }

  const sizes = { gates: SHAPES[op].gates, names: count };
  const refused: Record<string, [Partial<GruCase>, RegExp]> = {
    'a length beyond T': [{ lengths: [2, 6, 1] }, /node" \((GRU|RNN)\): sequence_lens expected 0 \.\. 5, got 6$/],
    'clip 0': [{ attributes: { clip: Float32Array.of(0) } }, /clip expected a number above 0, got 0/],
    'an unknown function': [
      { attributes: { activations: Array(count).fill('Gelu') } },
      /attribute activations expected sigmoid, .*, got Gelu$/,
    ],
    'too many functions': [
      { attributes: { activations: ['Tanh', 'Tanh', 'Tanh'] } },
      new RegExp(`number of activations expected ${sizes.names}, got 3$`),
    ],
    'no hidden_size': [{ attributes: { hidden_size: 0 } }, /hidden_size expected a size from 1 to 16777215, got 0/],
    'an unknown direction': [{ attributes: { direction: 'sideways' } }, /direction expected .*, got sideways$/],
    'an unknown layout': [{ attributes: { layout: 2 } }, /layout expected 0 or 1, got 2/],
    'W of one direction': [
      { attributes: { direction: 'bidirectional' } },
      new RegExp(`W expected \\[2, ${5 * sizes.gates}, 3\\], got \\[1, ${5 * sizes.gates}, 3\\]`),
    ],
    'another hidden_size': [
      { attributes: { hidden_size: 4 } },
      new RegExp(`W expected \\[1, ${4 * sizes.gates}, 3\\], got \\[1, ${5 * sizes.gates}, 3\\]`),
    ],
  };
  for (const constant of [true, false]) {
    test.each(Object.entries(refused))(`refused${constant ? '' : ', weights fed'}: %s`, (_, [change, message]) => {
      const before = bytesUsed();
      const call = () => run(makeCase(op, 23, { constant, ...change }));
      expect(call).toThrow(ModelError);
      expect(call).toThrow(message);
      expect(bytesUsed()).toBe(before);
    });
  }

  test('inputs of other shapes, an input too many, and an LSTM under the wrong name', () => {
    const rows = 5 * sizes.gates;
    const all = { X: [4, 2, 3], W: [1, rows, 3], R: [1, rows, 5], B: [1, 2 * rows], h0: [1, 2, 5] };
    const zeros = (dims: readonly number[]): OnnxFeed => ({
      data: new Float32Array(dims.reduce((a, b) => a * b, 1)),
      dims: [...dims],
    });
    const call =
      (shapes: Record<string, readonly number[]>, name: string, inputs: string[], outputs = ['Y', 'Y_h']) =>
      () => {
        const session = loadOnnx(
          onnxFile({
            nodes: [{ op: name, name: 'node', inputs, outputs, attributes: { hidden_size: 5 } }],
            inputs: Object.fromEntries(Object.keys(shapes).map((one) => [one, undefined])),
            outputs: { Y: undefined },
          }),
        );
        try {
          return session.run(Object.fromEntries(Object.entries(shapes).map(([one, dims]) => [one, zeros(dims)])));
        } finally {
          session.dispose();
        }
      };
    const names = ['X', 'W', 'R', 'B', '', 'h0'];
    expect(call(all, op, names)().Y!.dims).toEqual([4, 1, 2, 5]);
    const before = bytesUsed();
    for (const [name, dims] of Object.entries(all)) {
      for (const [axis, size] of dims.entries()) {
        // sizes of sequences are theirs to say, and that of the input W's
        if ((name === 'X' && axis < 2) || (name === 'W' && axis === 2)) continue;
        const wrong = { ...all, [name]: dims.with(axis, size + 1) };
        expect(call(wrong, op, names), `${name} ${axis}`).toThrow(/node" \((GRU|RNN)\): (X|W|R|B|initial_h) expected/);
      }
      expect(call({ ...all, [name]: [...dims, 1] }, op, names), name).toThrow(/ expected \[/);
    }
    expect(call(all, op, [...names, 'h0'])).toThrow(/inputs/);
    expect(call(all, op, names, ['Y', 'Y_h', 'Y_c'])).toThrow(/outputs/);
    expect(call(all, 'LSTM', names)).toThrow(new RegExp(`W expected \\[1, 20, 3\\], got \\[1, ${rows}, 3\\]`));
    expect(bytesUsed()).toBe(before);
  });
});

test('nodes that have the same weights share them, and nodes with other attributes do not', () => {
  const given = makeCase('GRU', 3, { B: undefined, h0: undefined });
  const load = (attributes: object[]) => {
    const [W, R] = [given.W, given.R] as [Float32Array, Float32Array];
    const nodes = attributes.map((own, i) => ({
      op: 'GRU',
      inputs: ['X', 'W', 'R'],
      outputs: [`Y${i}`],
      attributes: { hidden_size: 5, ...own },
    }));
    return loadOnnx(
      onnxFile({
        nodes,
        inputs: { X: [5, 3, 3], W: [1, 15, 3], R: [1, 15, 5] },
        outputs: Object.fromEntries(nodes.map((_, i) => [`Y${i}`, undefined])),
        initializers: [tensorProto('W', [1, 15, 3], W), tensorProto('R', [1, 15, 5], R)],
      }),
    );
  };
  const used = (attributes: object[]) => {
    const before = bytesUsed();
    const session = load(attributes);
    const bytes = bytesUsed() - before;
    session.dispose();
    return bytes;
  };
  const one = used([{}]);
  expect(used([{}, {}])).toBe(one);
  expect(used([{}, { linear_before_reset: 1 }])).toBeGreaterThan(1.2 * one);
  const session = load([{}, { linear_before_reset: 1 }]);
  const { Y0, Y1 } = session.run({ X: { data: given.x as Float32Array, dims: [5, 3, 3] } });
  expect(Y0!.data).not.toEqual(Y1!.data);
  session.dispose();
});

test.each([
  ['GRU', 'forward', {}],
  ['GRU', 'bidirectional', {}],
  ['RNN', 'forward', {}],
  ['RNN', 'bidirectional', { nonlinearity: 'relu' }],
] as const)('%s, %s, %o: the bits of the module, with 8-bit weights too', (op, direction, options) => {
  const [T, batch, I, H] = [6, 3, 7, 18];
  const D = direction === 'bidirectional' ? 2 : 1;
  const module = new (op === 'GRU' ? GRU : RNN)(I, H, { bidirectional: D === 2, seed: 1, ...options });
  const dict = module.stateDict();
  const { gates } = SHAPES[op];
  /** Blocks of H rows of both directions in ONNX's order: z, r, h. */
  const blocks = (name: string) =>
    Array.from({ length: D }, (_, d) => {
      const { data } = dict.get(`${name}_l0${d ? '_reverse' : ''}`)!;
      const size = data.length / gates;
      return (op === 'GRU' ? [1, 0, 2] : [0]).flatMap((at) => [...data.subarray(at * size, (at + 1) * size)]);
    });
  const [ih, hh] = [blocks('bias_ih'), blocks('bias_hh')];
  const given = makeCase(op, 5, {
    ...{ T, batch, I, H, direction },
    W: Float32Array.from(blocks('weight_ih').flat()),
    R: Float32Array.from(blocks('weight_hh').flat()),
    B: Float32Array.from(ih.flatMap((bias, d) => [...bias, ...hh[d]!])),
    attributes: {
      ...(op === 'GRU' && { linear_before_reset: 1 }),
      ...('nonlinearity' in options && { activations: Array(D).fill('Relu') }),
    },
  });
  const { file, feeds } = modelOf(given);
  const h0 = { data: given.h0 as Float32Array, dims: [D, batch, H] };
  for (const quantize of [undefined, 8] as const) {
    const session = loadOnnx(file, { quantize });
    const { Y, Y_h } = session.run(feeds);
    const own = quantize ? module.quantize() : module;
    const { output, hn } = own.forward({ data: given.x as Float32Array, dims: [T, batch, I] }, { h0 });
    // [T][D][batch][H] as [T][batch][D H]
    const rows = Array.from({ length: T }, (_, t) => [
      ...swapped((Y!.data as Float32Array).subarray(t * D * batch * H, (t + 1) * D * batch * H), D, batch),
    ]).flat();
    expect(bits(Float32Array.from(rows))).toEqual(bits(output));
    expect(bits(Y_h!.data as Float32Array)).toEqual(bits(hn));
    const packed = loadOnnx(modelOf({ ...given, lengths: Array(batch).fill(T) }).file, { quantize });
    const lens = { data: new Int32Array(batch).fill(T), dims: [batch] };
    expect(packed.run({ ...feeds, lens })).toEqual({ Y, Y_h });
    for (const one of [session, packed]) one.dispose();
    if (quantize) own.dispose();
  }
  module.dispose();
});
