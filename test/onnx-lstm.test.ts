import { describe, expect, test } from 'vitest';
import { bytesUsed, LSTM, ModelError } from '../src/index.ts';
import { type LayerTrace, loadOnnx, type OnnxFeed, type OnnxResult } from '../src/onnx.ts';
import { type Attribute, onnxFile, tensorProto } from './support/onnx-files.ts';
import { FUNCTIONS, type OracleInput, onnxLstm, TRACED } from './support/onnx-lstm.ts';
import { uniforms } from './support/random.ts';

// Every attribute of the LSTM operator against plain loops in float64, at sizes that no vector divides.

const OPTIONAL = ['W', 'R', 'B', 'lens', 'h0', 'c0', 'P'] as const;
type Case = OracleInput & { attributes: Record<string, Attribute>; batchFirst?: boolean; constant?: boolean };

/** Axes 0 and 1 of [a][b][rest] in the other order. */
function swapped(data: Float32Array, a: number, b: number): Float32Array {
  const rest = data.length / (a * b);
  return Float32Array.from(data, (_, i) => {
    const [row, k] = [Math.floor(i / rest), i % rest];
    return data[((row % a) * b + Math.floor(row / a)) * rest + k]!;
  });
}

/** @param nodes takes the trace */
function run(
  { attributes, batchFirst = false, constant = true, ...input }: Case,
  nodes: Record<string, LayerTrace> = {},
): Record<string, OnnxResult> {
  const { T, batch, I, H, direction, lengths } = input;
  const D = direction === 'bidirectional' ? 2 : 1;
  const layout = <Data extends Float32Array>(data: Data, outer: number) =>
    batchFirst ? swapped(data, outer, batch) : data;
  const front = (size: number) => (batchFirst ? [batch, size] : [size, batch]);
  const tensors: Record<string, OnnxFeed | undefined> = {
    X: { data: layout(input.x as Float32Array, T), dims: [...front(T), I] },
    W: { data: input.W as Float32Array, dims: [D, 4 * H, I] },
    R: { data: input.R as Float32Array, dims: [D, 4 * H, H] },
    B: input.B && { data: input.B as Float32Array, dims: [D, 8 * H] },
    P: input.P && { data: input.P as Float32Array, dims: [D, 3 * H] },
    lens: lengths && { data: Int32Array.from(lengths), dims: [batch] },
    h0: input.h0 && { data: layout(input.h0 as Float32Array, D), dims: [...front(D), H] },
    c0: input.c0 && { data: layout(input.c0 as Float32Array, D), dims: [...front(D), H] },
  };
  const isWeight = (name: string) => constant && ['W', 'R', 'B', 'P'].includes(name);
  const given = Object.entries(tensors).filter((entry): entry is [string, OnnxFeed] => entry[1] !== undefined);
  const session = loadOnnx(
    onnxFile({
      nodes: [
        {
          op: 'LSTM',
          name: 'lstm',
          inputs: ['X', ...OPTIONAL].map((name) => (tensors[name] ? name : '')),
          outputs: ['Y', 'Y_h', 'Y_c'],
          attributes: { hidden_size: H, direction, ...(batchFirst && { layout: 1 }), ...attributes },
        },
      ],
      inputs: Object.fromEntries(given.filter(([name]) => !isWeight(name)).map(([name, { dims }]) => [name, dims])),
      types: { lens: 6 },
      outputs: { Y: undefined, Y_h: undefined, Y_c: undefined },
      initializers: given
        .filter(([name]) => isWeight(name))
        .map(([name, { data, dims }]) => tensorProto(name, dims, data as Float32Array)),
    }),
  );
  try {
    const feeds = Object.fromEntries(given.filter(([name]) => !isWeight(name)));
    const first = session.run(feeds);
    expect(session.run(feeds)).toEqual(first);
    const trace = session.trace(feeds);
    expect(trace.outputs).toEqual(first);
    expect(session.run(feeds)).toEqual(first);
    Object.assign(nodes, trace.nodes);
    if (!batchFirst) return first;
    const back = (result: OnnxResult, outer: number) => swapped(result.data as Float32Array, batch, outer);
    // Y is [batch][T][D][H] there
    const y = first.Y!.data as Float32Array;
    const data = Float32Array.from(y, (_, i) => {
      const [t, d, b, u] = [
        Math.floor(i / (D * batch * H)),
        Math.floor(i / (batch * H)) % D,
        Math.floor(i / H) % batch,
        i % H,
      ];
      return y[((b * T + t) * D + d) * H + u]!;
    });
    return {
      Y: { type: 'float32', data, dims: [T, D, batch, H] },
      Y_h: { type: 'float32', data: back(first.Y_h!, D), dims: [D, batch, H] },
      Y_c: { type: 'float32', data: back(first.Y_c!, D), dims: [D, batch, H] },
    };
  } finally {
    session.dispose();
  }
}

/** `scale`: how large sums in float32 may be before a function makes them small again. */
function check(given: Case, scale = 1): void {
  const before = bytesUsed();
  const nodes: Record<string, LayerTrace> = {};
  const results = run(given, nodes);
  expect(bytesUsed()).toBe(before);
  const traces: Record<string, number[]>[] = [];
  const close = (name: string, data: OnnxResult['data'], expected: readonly number[]) => {
    expect(data).toHaveLength(expected.length);
    for (let i = 0; i < expected.length; i++) {
      const difference = Math.abs((data[i] as number) - expected[i]!);
      if (!(difference <= 1e-6 * Math.max(scale, Math.abs(expected[i]!))))
        expect([name, i, data[i]]).toEqual([name, i, expected[i]]);
    }
  };
  for (const [name, expected] of Object.entries(onnxLstm(given, traces))) close(name, results[name]!.data, expected);
  expect(Object.keys(nodes)).toEqual(['lstm']);
  checkTrace(given, results, nodes.lstm!);
  for (const [d, expected] of traces.entries()) {
    const values = d ? nodes.lstm!.reverse! : nodes.lstm!.forward;
    for (const name of TRACED) close(name, values[name].data, expected[name]!);
  }
}

/** Checks the shapes of a trace, and that h and c have the bits of the results. */
function checkTrace({ T, batch, H, direction, lengths }: Case, results: Record<string, OnnxResult>, trace: LayerTrace) {
  const D = direction === 'bidirectional' ? 2 : 1;
  expect(Object.keys(trace)).toEqual(['forward', 'reverse'].slice(0, D));
  for (const [d, values] of Object.values(trace).entries()) {
    for (const name of TRACED) expect(values[name].dims, name).toEqual([T, batch, H]);
    const { h, c } = values;
    for (let t = 0; t < T; t++) {
      const row = results.Y!.data.slice((t * D + d) * batch * H, (t * D + d + 1) * batch * H);
      expect(h.data.slice(t * batch * H, (t + 1) * batch * H)).toEqual(row);
    }
    for (let b = 0; b < batch; b++) {
      const length = lengths?.[b] ?? T;
      if (length === 0) continue;
      const at = ((d || direction === 'reverse' ? 0 : length - 1) * batch + b) * H;
      const state = (d * batch + b) * H;
      expect(h.data.slice(at, at + H)).toEqual(results.Y_h!.data.slice(state, state + H));
      expect(c.data.slice(at, at + H)).toEqual(results.Y_c!.data.slice(state, state + H));
    }
  }
}

function makeCase(seed: number, change: Partial<Case> = {}): Case {
  const next = uniforms(seed);
  const sizes = { T: 5, batch: 3, I: 3, H: 5, direction: 'forward' as OracleInput['direction'], ...change };
  const { T, batch, I, H, direction } = sizes;
  const D = direction === 'bidirectional' ? 2 : 1;
  const numbers = (count: number) => Float32Array.from({ length: count }, () => 2 * next() - 1);
  return {
    x: numbers(T * batch * I),
    W: numbers(D * 4 * H * I),
    R: numbers(D * 4 * H * H),
    B: numbers(D * 8 * H),
    h0: numbers(D * batch * H),
    c0: numbers(D * batch * H),
    functions: Array.from({ length: 3 * D }, (_, i) => ({ name: i % 3 ? 'Tanh' : 'Sigmoid', alpha: 0, beta: 0 })),
    attributes: {},
    ...sizes,
  };
}

const numbersOf = (seed: number, count: number) => {
  const next = uniforms(seed);
  return Float32Array.from({ length: count }, () => next() - 0.5);
};
const none = { B: undefined, h0: undefined, c0: undefined };
const DIRECTIONS = ['forward', 'reverse', 'bidirectional'] as const;

describe('standard cells', () => {
  for (const direction of DIRECTIONS) {
    for (const [what, change] of Object.entries<Partial<Case>>({
      'all inputs': {},
      'weights alone': none,
      'initial_h alone': { c0: undefined },
      'initial_c alone': { h0: undefined },
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
    })) {
      test(`${direction}: ${what}`, () => check(makeCase(7, { direction, ...change })));
    }
  }
});

describe('rare cells', () => {
  for (const direction of DIRECTIONS) {
    const D = direction === 'bidirectional' ? 2 : 1;
    const P = numbersOf(3, 3 * D * 5);
    for (const [what, change] of Object.entries<Partial<Case>>({
      peepholes: { P },
      'peepholes that are fed': { P, constant: false },
      clip: { clip: 0.25, attributes: { clip: Float32Array.of(0.25) } },
      'clip and peepholes': { P, clip: 0.125, attributes: { clip: Float32Array.of(0.125) } },
      input_forget: { inputForget: true, attributes: { input_forget: 1 } },
      'all of it': {
        P,
        clip: 0.5,
        inputForget: true,
        lengths: [3, 0, 5],
        batchFirst: true,
        attributes: { clip: Float32Array.of(0.5), input_forget: 1 },
      },
      'no states': { ...none, P },
      'no steps': { P, T: 0 },
    })) {
      test(`${direction}: ${what}`, () => check(makeCase(11, { direction, ...change })));
    }
  }

  const DEFAULTS: Record<string, { alpha?: number; beta?: number }> = {
    LeakyRelu: { alpha: 0.01 },
    ThresholdedRelu: { alpha: 1 },
    HardSigmoid: { alpha: 0.2, beta: 0.5 },
    Elu: { alpha: 1 },
    // ONNX has no such operators any more; ONNX Runtime takes 0
    Affine: { alpha: 0, beta: 0 },
    ScaledTanh: { alpha: 0, beta: 0 },
  };
  for (const name of Object.keys(FUNCTIONS)) {
    const { alpha, beta } = DEFAULTS[name] ?? {};
    const triple = (constants: { alpha: number; beta: number }) =>
      [name, 'Softsign', name].map((one) => ({ name: one, ...(one === name ? constants : { alpha: 0, beta: 0 }) }));
    test(`${name} with its defaults, its name in any case`, () => {
      const activations = [name.toUpperCase(), 'softSIGN', name.toLowerCase()];
      const functions = triple({ alpha: alpha ?? 0, beta: beta ?? 0 });
      check(makeCase(13, { functions, attributes: { activations } }));
    });
    test(`${name} with constants, for each direction its own`, () => {
      const lists = {
        ...(alpha !== undefined && { alpha: [0.3, 0.6, -0.2, 0.1] }),
        ...(beta !== undefined && { beta: [0.4, 0.2, 0.7, 0.1] }),
      };
      let used = 0;
      const functions = [name, 'Softsign', name, 'Sigmoid', name, name].map((one) => {
        const k = one === name ? used++ : 0;
        return { name: one, alpha: Math.fround(lists.alpha?.[k] ?? 0), beta: Math.fround(lists.beta?.[k] ?? 0) };
      });
      const attributes = {
        activations: functions.map((one) => one.name),
        ...(lists.alpha && { activation_alpha: Float32Array.from(lists.alpha) }),
        ...(lists.beta && { activation_beta: Float32Array.from(lists.beta) }),
      };
      check(makeCase(17, { direction: 'bidirectional', functions, attributes }));
    });
  }

  test('activation functions at both ends', () => {
    for (const name of Object.keys(FUNCTIONS)) {
      const functions = [name, 'Affine', 'Affine'].map((one) => ({ name: one, alpha: 1, beta: 0 }));
      const has = DEFAULTS[name] ?? {};
      const alphas = [...(has.alpha === undefined ? [] : [1]), 1, 1];
      const betas = [...(has.beta === undefined ? [] : [0]), 0, 0];
      for (const scale of [1e-3, 30, 120]) {
        const given = makeCase(19, { ...none, T: 1, functions });
        const large = {
          ...given,
          x: Float32Array.from(given.x, (value) => value * scale),
          attributes: {
            activations: functions.map((one) => one.name),
            activation_alpha: Float32Array.from(alphas),
            activation_beta: Float32Array.from(betas),
          },
        };
        check(large, Math.max(1, scale));
      }
    }
  });
});

describe('what ONNX Runtime refuses', () => {
  const refused: Record<string, [Partial<Case>, RegExp]> = {
    'a length beyond T': [{ lengths: [2, 6, 1] }, /lstm" \(LSTM\): sequence_lens expected 0 \.\. 5, got 6$/],
    'a negative length': [{ lengths: [2, -1, 1] }, /sequence_lens expected 0 \.\. 5, got -1$/],
    'clip 0': [{ attributes: { clip: Float32Array.of(0) } }, /clip expected a number above 0, got 0/],
    'clip below 0': [{ attributes: { clip: Float32Array.of(-1) } }, /clip expected a number above 0, got -1/],
    'clip NaN': [{ attributes: { clip: Float32Array.of(NaN) } }, /clip expected a number above 0, got NaN/],
    'an unknown function': [
      { attributes: { activations: ['Gelu', 'Tanh', 'Tanh'] } },
      /attribute activations expected sigmoid, .*, got Gelu$/,
    ],
    'two functions': [{ attributes: { activations: ['Tanh', 'Tanh'] } }, /number of activations expected 3, got 2$/],
    'no hidden_size': [{ attributes: { hidden_size: 0 } }, /hidden_size expected a size from 1 to 16777215, got 0/],
    'an unknown direction': [{ attributes: { direction: 'sideways' } }, /direction expected .*, got sideways$/],
    'an unknown layout': [{ attributes: { layout: 2 } }, /layout expected 0 or 1, got 2/],
    'W of one direction': [
      { attributes: { direction: 'bidirectional', activations: Array(6).fill('Tanh') } },
      /W expected \[2, 20, 3\], got \[1, 20, 3\]/,
    ],
  };
  for (const [what, [change, message]] of Object.entries(refused)) {
    test(what, () => {
      const before = bytesUsed();
      const call = () => run(makeCase(23, change));
      expect(call).toThrow(ModelError);
      expect(call).toThrow(message);
      expect(bytesUsed()).toBe(before);
    });
  }

  test('lengths that are int64, or not one a row', () => {
    const call = (lens: OnnxFeed, type: number) => () => {
      const session = loadOnnx(
        onnxFile({
          nodes: [{ op: 'LSTM', name: 'lstm', inputs: ['X', 'W', 'R', '', 'lens'], attributes: { hidden_size: 1 } }],
          inputs: { X: [3, 2, 1], W: [1, 4, 1], R: [1, 4, 1], lens: undefined },
          types: { lens: type },
        }),
      );
      const zeros = (...dims: number[]) => ({ data: new Float32Array(6), dims });
      const feeds = { X: zeros(3, 2, 1), W: { data: new Float32Array(4), dims: [1, 4, 1] } };
      session.run({ ...feeds, R: feeds.W, lens });
    };
    expect(call({ data: BigInt64Array.of(1n, 2n), dims: [2] }, 7)).toThrow(/sequence_lens expected int32, got int64/);
    for (const dims of [[], [1], [2, 1], [3]]) {
      const data = new Int32Array(dims.reduce((a, b) => a * b, 1));
      expect(call({ data, dims }, 6)).toThrow(/lstm" \(LSTM\): sequence_lens expected \[2\], got \[/);
    }
  });

  const { W, R, B, P, h0, c0 } = { W: [1, 20, 3], R: [1, 20, 5], B: [1, 40], P: [1, 15], h0: [1, 3, 5], c0: [1, 3, 5] };
  for (const [name, dims] of Object.entries({ W, R, B, P, h0, c0 })) {
    for (const [axis, size] of dims.entries()) {
      for (const wrong of [size - 1, size + 1, 2 * size, 0]) {
        // the input size is W's own to say
        if (name === 'W' && axis === 2 && wrong > 0) continue;
        test(`${name} with axis ${axis} of ${wrong}`, () => {
          const all: Record<string, number[]> = { X: [5, 3, 3], W, R, B, h0, c0, P, [name]: dims.with(axis, wrong) };
          for (const constant of [true, false]) {
            const weights = constant ? ['W', 'R', 'B', 'P'] : [];
            const data = (one: string) => new Float32Array(all[one]!.reduce((count, length) => count * length, 1));
            const call = () => {
              const fed = Object.entries(all).filter(([one]) => !weights.includes(one));
              const session = loadOnnx(
                onnxFile({
                  nodes: [
                    {
                      op: 'LSTM',
                      name: 'lstm',
                      inputs: ['X', 'W', 'R', 'B', '', 'h0', 'c0', 'P'],
                      attributes: { hidden_size: 5 },
                    },
                  ],
                  inputs: Object.fromEntries(fed),
                  initializers: weights.map((one) => tensorProto(one, all[one]!, data(one))),
                }),
              );
              try {
                session.run(Object.fromEntries(fed.map(([one, shape]) => [one, { data: data(one), dims: shape }])));
              } finally {
                session.dispose();
              }
            };
            expect(call).toThrow(ModelError);
            expect(call).toThrow(/node "lstm" \(LSTM\): \w+ expected \[/);
          }
        });
      }
    }
  }
});

describe('state dicts of LSTM nodes', () => {
  const load = (change: Partial<Case>, outputs = ['Y']) => {
    const { W, R, B, attributes, direction } = makeCase(29, change);
    const D = direction === 'bidirectional' ? 2 : 1;
    return loadOnnx(
      onnxFile({
        nodes: [
          {
            op: 'LSTM',
            inputs: ['X', 'W', 'R', 'B'],
            outputs,
            attributes: { hidden_size: 5, direction, ...attributes },
          },
        ],
        inputs: { X: ['T', 2, 3] },
        outputs: { [outputs[0]!]: undefined },
        initializers: [
          tensorProto('W', [D, 20, 3], W as Float32Array),
          tensorProto('R', [D, 20, 5], R as Float32Array),
          tensorProto('B', [D, 40], B as Float32Array),
        ],
      }),
    );
  };

  test('make the same layer with LSTM.fromStateDict', () => {
    const session = load({ direction: 'bidirectional' });
    const lstm = LSTM.fromStateDict(session.lstms[0]!.stateDict!);
    const X = { data: Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)), dims: [4, 2, 3] };
    const { output } = lstm.forward(X);
    const { Y } = session.run({ X });
    for (let t = 0; t < 4; t++) {
      for (let d = 0; d < 2; d++) {
        for (let b = 0; b < 2; b++) {
          const mine = Y!.data.slice(((t * 2 + d) * 2 + b) * 5, ((t * 2 + d) * 2 + b + 1) * 5);
          expect(mine).toEqual(output.data.slice((t * 2 + b) * 10 + d * 5, (t * 2 + b) * 10 + d * 5 + 5));
        }
      }
    }
    lstm.dispose();
    session.dispose();
    expect(() => session.lstms[0]!.stateDict).toThrow(/after dispose/);
  });

  test('or say why there is none', () => {
    const why = (change: Partial<Case>) => {
      const session = load(change, ['out']);
      const [{ name, stateDict, why }] = session.lstms as [(typeof session.lstms)[0]];
      session.dispose();
      expect([name, stateDict]).toEqual(['out', undefined]);
      return why;
    };
    expect(why({ direction: 'reverse' })).toMatch(/only runs in reverse/);
    expect(why({ attributes: { clip: Float32Array.of(1) } })).toMatch(/no peepholes, clip/);
  });
});
