import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Linear,
  LSTM,
  LSTMCell,
  type LSTMResult,
  type LSTMState,
  type LSTMStream,
  packSequence,
  type TensorLike,
  unpackSequence,
} from '../src/index.ts';
import { type State, sequence, step, type Weights } from './support/oracle.ts';

// What must hold for every module and every input, bit for bit. Shapes are random and odd; the run is seeded.

const SEED = 20250101;

/** Numbers from a seed; `specials` mixes in what a microphone never gives. */
function randomTensor(dims: number[], seed: number, specials = false): TensorLike {
  const unusual = [NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-39, 3e38, -3e38, 90, -90];
  let state = seed | 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
  const data = new Float32Array(dims.reduce((product, size) => product * size, 1));
  for (let i = 0; i < data.length; i++) {
    data[i] = specials && uniform() < 0.02 ? unusual[Math.floor(uniform() * unusual.length)]! : 4 * uniform() - 2;
  }
  return { data, dims };
}

/** Entries `from` to `to` of one axis. */
function slice({ data, dims }: TensorLike, axis: number, from: number, to: number): TensorLike {
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const size = dims[axis]!;
  const outer = data.length / (size * inner);
  const result = new Float32Array(outer * (to - from) * inner);
  for (let o = 0; o < outer; o++) {
    result.set(data.subarray((o * size + from) * inner, (o * size + to) * inner), o * (to - from) * inner);
  }
  return { data: result, dims: dims.with(axis, to - from) };
}

/** Entry `index` of one axis, which disappears. */
function pick(tensor: TensorLike, axis: number, index: number): TensorLike {
  return { data: slice(tensor, axis, index, index + 1).data, dims: tensor.dims.toSpliced(axis, 1) };
}

/** The first two axes swapped. */
function transpose({ data, dims: [rows, columns, ...rest] }: TensorLike): TensorLike {
  const width = rest.reduce((product, size) => product * size, 1);
  const result = new Float32Array(data.length);
  for (let r = 0; r < rows!; r++) {
    for (let c = 0; c < columns!; c++) {
      const from = (r * columns! + c) * width;
      result.set(data.subarray(from, from + width), (c * rows! + r) * width);
    }
  }
  return { data: result, dims: [columns!, rows!, ...rest] };
}

/** The rows of the first axis from last to first. */
function reverse(tensor: TensorLike): TensorLike {
  const width = tensor.data.length / tensor.dims[0]!;
  const data = new Float32Array(tensor.data.length);
  for (let t = 0; t < tensor.dims[0]!; t++) {
    data.set(tensor.data.subarray(t * width, (t + 1) * width), data.length - (t + 1) * width);
  }
  return { data, dims: tensor.dims };
}

/** Two tensors side by side in their last axis. */
function beside(a: TensorLike, b: TensorLike): TensorLike {
  const [m, n] = [a.dims.at(-1)!, b.dims.at(-1)!];
  const data = new Float32Array(a.data.length + b.data.length);
  for (let row = 0; row * (m + n) < data.length; row++) {
    data.set(a.data.subarray(row * m, (row + 1) * m), row * (m + n));
    data.set(b.data.subarray(row * n, (row + 1) * n), row * (m + n) + m);
  }
  return { data, dims: a.dims.with(-1, m + n) };
}

/** The bits; a NaN's own bits are the processor's choice. */
function bits(data: Float32Array): Uint32Array {
  const copy = data.slice();
  const words = new Uint32Array(copy.buffer);
  copy.forEach((value, i) => {
    if (Number.isNaN(value)) words[i] = 0x7fc00000;
  });
  return words;
}

function expectSame(what: string, got: TensorLike, wanted: TensorLike): void {
  expect(got.dims, what).toEqual(wanted.dims);
  const a = bits(got.data);
  const b = bits(wanted.data);
  expect(a.length, what).toBe(b.length);
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) expect(got.data[i], `${what}: element ${i} of ${a.length}`).toBe(`${wanted.data[i]}, same bits`);
  }
}

function expectSameResult(what: string, got: LSTMResult, wanted: LSTMResult): void {
  for (const name of ['output', 'hn', 'cn'] as const) expectSame(`${what}, ${name}`, got[name], wanted[name]);
}

interface Case {
  inputSize: number;
  hiddenSize: number;
  numLayers: number;
  bias: boolean;
  batchFirst: boolean;
  bidirectional: boolean;
  projSize: number;
  batch: number;
  steps: number;
  /** Whether h0 and c0 are given */
  state: boolean;
  seed: number;
}

const size = (max: number) => fc.integer({ min: 1, max });
const cases = fc
  .record<Case>({
    inputSize: size(19),
    hiddenSize: size(19),
    numLayers: size(3),
    bias: fc.boolean(),
    batchFirst: fc.boolean(),
    bidirectional: fc.boolean(),
    projSize: fc.integer({ min: 0, max: 18 }),
    batch: size(9),
    steps: size(12),
    state: fc.boolean(),
    seed: fc.nat(),
  })
  .map((c) => ({ ...c, projSize: c.projSize < c.hiddenSize ? c.projSize : 0 }));

type Law = (model: LSTM, input: TensorLike, given: LSTMState | undefined, c: Case) => void;

/** Random modules with random input; half of the inputs hold a few unusual numbers, which soon fill a row with NaN. */
function law(name: string, holds: Law, fixed: Partial<Case> = {}): void {
  test(name, () => {
    const property = fc.property(cases, (random) => {
      const c = { ...random, ...fixed };
      run(c, (model, input, given) => holds(model, input, given, c), c.seed % 2 === 1);
    });
    fc.assert(property, { seed: SEED, numRuns: 60 });
  });
}

/** The same for modules that can stop and go on. */
const oneWayLaw = (name: string, holds: Law) => law(name, holds, { bidirectional: false });

function run(c: Case, body: (model: LSTM, input: TensorLike, given: LSTMState | undefined) => void, specials = false) {
  const model = makeModel(c);
  const input = randomTensor([c.steps, c.batch, c.inputSize], c.seed + 1, specials);
  const layers = c.numLayers * (c.bidirectional ? 2 : 1);
  const h0 = randomTensor([layers, c.batch, c.projSize || c.hiddenSize], c.seed + 2);
  const c0 = randomTensor([layers, c.batch, c.hiddenSize], c.seed + 3);
  body(model, c.batchFirst ? transpose(input) : input, c.state ? { h0, c0 } : undefined);
  model.dispose();
}

function makeModel({ inputSize, hiddenSize, numLayers, bias, batchFirst, bidirectional, projSize, seed }: Case): LSTM {
  return new LSTM(inputSize, hiddenSize, { numLayers, bias, batchFirst, bidirectional, projSize, seed });
}

/** The state of one sequence of a batch, unbatched. */
function stateOf(given: LSTMState | undefined, b: number): LSTMState | undefined {
  return given && { h0: pick(given.h0, 1, b), c0: pick(given.c0, 1, b) };
}

/** Block lengths that make up `steps`, decided by `seed`. */
function pieces(steps: number, seed: number, longest = 5): number[] {
  const lengths: number[] = [];
  for (let at = 0, k = seed; at < steps; k = (Math.imul(k, 1103515245) + 12345) >>> 1) {
    lengths.push(Math.min(steps - at, 1 + (k % longest)));
    at += lengths.at(-1)!;
  }
  return lengths;
}

/** Step after step through the stream's own input and output. */
function stepThrough(stream: LSTMStream, input: Float32Array, output: Float32Array): void {
  const [I, O] = [stream.input.length, stream.output.length];
  for (let t = 0; t * I < input.length; t++) {
    stream.input.set(input.subarray(t * I, (t + 1) * I));
    stream.step();
    output.set(stream.output, t * O);
  }
}

describe('LSTM', () => {
  law('a batch equals its rows alone', (model, input, given, c) => {
    const axis = c.batchFirst ? 0 : 1;
    const all = model.forward(input, given);
    for (let b = 0; b < c.batch; b++) {
      const part = (tensor: TensorLike, at = 1) => slice(tensor, at, b, b + 1);
      const alone = model.forward(part(input, axis), given && { h0: part(given.h0), c0: part(given.c0) });
      expectSameResult(`row ${b}`, { output: part(all.output, axis), hn: part(all.hn), cn: part(all.cn) }, alone);
    }
  });

  law('unbatched equals a batch of one', (model, input, given, c) => {
    const axis = c.batchFirst ? 0 : 1;
    const batched = model.forward(
      slice(input, axis, 0, 1),
      given && {
        h0: slice(given.h0, 1, 0, 1),
        c0: slice(given.c0, 1, 0, 1),
      },
    );
    const unbatched = model.forward(pick(input, axis, 0), stateOf(given, 0));
    const { output, hn, cn } = batched;
    expectSameResult('', unbatched, { output: pick(output, axis, 0), hn: pick(hn, 1, 0), cn: pick(cn, 1, 0) });
  });

  law('batchFirst equals time-major transposed', (model, input, given, c) => {
    const other = makeModel({ ...c, batchFirst: !c.batchFirst });
    const { output, hn, cn } = other.forward(transpose(input), given);
    expectSameResult('', model.forward(input, given), { output: transpose(output), hn, cn });
    other.dispose();
  });

  oneWayLaw('any split of a sequence equals the whole', (model, input, given, c) => {
    const axis = c.batchFirst ? 1 : 0;
    const whole = model.forward(input, given);
    let state = given;
    let at = 0;
    for (const length of pieces(c.steps, c.seed)) {
      const { output, hn, cn } = model.forward(slice(input, axis, at, at + length), state);
      expectSame(`steps from ${at}`, output, slice(whole.output, axis, at, at + length));
      state = { h0: hn, c0: cn };
      at += length;
    }
    expectSame('hn', state!.h0, whole.hn);
    expectSame('cn', state!.c0, whole.cn);
  });

  for (const enforceSorted of [true, false]) {
    law(`packed equals each sequence alone, enforceSorted ${enforceSorted}`, (model, input, given, c) => {
      const rows = c.batchFirst ? input : transpose(input);
      const lengths = pieces(c.batch * c.steps, c.seed, c.steps).slice(0, c.batch);
      if (enforceSorted) lengths.sort((a, b) => b - a);
      const sequences = lengths.map((length, b) => slice(pick(rows, 0, b), 0, 0, length));
      const packed = packSequence(sequences, { enforceSorted });
      const { output, hn, cn } = model.forward(packed, given);
      const outputs = unpackSequence(output);
      expect(outputs).toHaveLength(c.batch);
      sequences.forEach((alone, b) => {
        const parts = { output: outputs[b]!, hn: pick(hn, 1, b), cn: pick(cn, 1, b) };
        expectSameResult(`sequence ${b} of length ${lengths[b]}`, parts, model.forward(alone, stateOf(given, b)));
      });
    });
  }

  law('layers and directions are modules of one layer and one direction, composed', (model, input, given, c) => {
    const weights = model.stateDict();
    const x = c.batchFirst ? transpose(input) : input;
    const hn: TensorLike[] = [];
    const cn: TensorLike[] = [];
    let between = x;
    for (let layer = 0; layer < c.numLayers; layer++) {
      const outputs = (c.bidirectional ? [0, 1] : [0]).map((direction) => {
        const suffix = `_l${layer}${direction ? '_reverse' : ''}`;
        const own = [...weights].filter(([key]) => key.endsWith(suffix));
        const single = LSTM.fromStateDict(new Map(own.map(([key, value]) => [key.replace(suffix, '_l0'), value])));
        const k = hn.length;
        const state = given && { h0: slice(given.h0, 0, k, k + 1), c0: slice(given.c0, 0, k, k + 1) };
        const result = single.forward(direction ? reverse(between) : between, state);
        single.dispose();
        hn.push(result.hn);
        cn.push(result.cn);
        return direction ? reverse(result.output) : result.output;
      });
      between = outputs.length === 2 ? beside(outputs[0]!, outputs[1]!) : outputs[0]!;
    }
    const result = model.forward(input, given);
    expectSame('output', c.batchFirst ? transpose(result.output) : result.output, between);
    hn.forEach((tensor, k) => {
      expectSame(`hn[${k}]`, slice(result.hn, 0, k, k + 1), tensor);
    });
    cn.forEach((tensor, k) => {
      expectSame(`cn[${k}]`, slice(result.cn, 0, k, k + 1), tensor);
    });
  });

  law('forward into given tensors equals forward', (model, input, given) => {
    const wanted = model.forward(input, given);
    const filled = ({ dims }: TensorLike) => ({ ...randomTensor([...dims], 5, true) });
    const out = { output: filled(wanted.output), hn: filled(wanted.hn), cn: filled(wanted.cn) };
    expect(model.forward(input, given, { out })).toBe(out);
    expectSameResult('', out, wanted);
  });

  law('a state may be written over by its successor', (model, input, given) => {
    if (!given) return;
    const wanted = model.forward(input, given);
    const hn = { ...given.h0, data: given.h0.data.slice() };
    const cn = { ...given.c0, data: given.c0.data.slice() };
    const out = { output: { ...wanted.output, data: new Float32Array(wanted.output.data.length) }, hn, cn };
    expectSameResult('', model.forward(input, { h0: hn, c0: cn }, { out }), wanted);
  });

  law('the input is left as it was, and a failed call leaves no trace', (model, input, given, c) => {
    const before = { ...input, data: input.data.slice() };
    const wanted = model.forward(input, given);
    const [first, second] = input.dims as [number, number];
    const wrong: [TensorLike, unknown?, unknown?][] = [
      [{ ...input, dims: [first, second, c.inputSize + 1] }],
      [{ data: new Float32Array(second * c.inputSize), dims: [1, second, c.inputSize] }, { h0: wanted.hn }],
      [input, { h0: wanted.hn, c0: { data: wanted.cn.data, dims: [1, 1, 1, 1] } }],
      [input, given, { out: { output: wanted.output, hn: wanted.hn, cn: wanted.output } }],
    ];
    const [x, state, options] = wrong[c.seed % wrong.length] as any;
    const copy = { output: randomTensor([...wanted.output.dims], 1), hn: wanted.hn, cn: wanted.cn };
    expect(() => model.forward(x, state, options)).toThrow(/^LSTM: "/);
    expectSame('input', input, before);
    expectSameResult('again', model.forward(input, given), wanted);
    expectSameResult('again, into', model.forward(input, given, { out: copy }), wanted);
  });
});

describe('LSTMStream', () => {
  oneWayLaw('steps, blocks of steps and forward are the same', (model, input, given, c) => {
    const x = pick(input, c.batchFirst ? 0 : 1, 0);
    const state = stateOf(given, 0);
    const wanted = model.forward(x, state);
    const stepped = model.stream();
    const inBlocks = model.stream();
    if (state) stepped.setState(state);
    if (state) inBlocks.setState(state);
    const O = wanted.output.dims[1]!;
    const a = new Float32Array(c.steps * O);
    const b = new Float32Array(c.steps * O);
    stepThrough(stepped, x.data, a);
    let at = 0;
    for (const n of pieces(c.steps, c.seed)) {
      const block = x.data.subarray(at * c.inputSize, (at + n) * c.inputSize);
      expect(inBlocks.run(block, b.subarray(at * O, (at + n) * O))).toBe(n);
      at += n;
    }
    for (const [what, stream, data] of [
      ['step', stepped, a],
      ['run', inBlocks, b],
    ] as const) {
      const { h0, c0 } = stream.getState();
      expectSameResult(what, { output: { data, dims: [c.steps, O] }, hn: h0, cn: c0 }, wanted);
      stream.dispose();
    }
  });

  oneWayLaw('interleaved streams equal separate ones', (model, input, _, c) => {
    const rows = c.batchFirst ? input : transpose(input);
    const streams = Array.from({ length: c.batch }, () => model.stream());
    const O = streams[0]!.output.length;
    const outputs = streams.map(() => new Float32Array(c.steps * O));
    const next = streams.map(() => 0);
    // a stream chosen at random does a block of random length, until all are through
    for (let k = c.seed; next.some((t) => t < c.steps); k = (Math.imul(k, 1103515245) + 12345) >>> 1) {
      const open = [...next.keys()].filter((b) => next[b]! < c.steps);
      const b = open[(k >> 3) % open.length]!;
      const [from, to] = [next[b]!, Math.min(c.steps, next[b]! + 1 + ((k >> 9) % 3))];
      const x = slice(pick(rows, 0, b), 0, from, to).data;
      const y = outputs[b]!.subarray(from * O, to * O);
      if (k & 1) streams[b]!.run(x, y);
      else stepThrough(streams[b]!, x, y);
      next[b] = to;
    }
    streams.forEach((stream, b) => {
      expectSame(`stream ${b}`, { data: outputs[b]!, dims: [c.steps, O] }, model.forward(pick(rows, 0, b)).output);
      stream.dispose();
    });
  });

  oneWayLaw('save and load, getState and setState, and clone change nothing', (model, input, given, c) => {
    const x = pick(input, c.batchFirst ? 0 : 1, 0).data;
    const cut = (c.seed % (c.steps + 1)) * c.inputSize;
    const first = model.stream();
    const state = stateOf(given, 0);
    if (state) first.setState(state);
    const O = first.output.length;
    stepThrough(first, x.subarray(0, cut), new Float32Array(c.steps * O));
    const other = makeModel(c);
    const loaded = other.stream();
    loaded.load(first.save());
    const set = other.stream();
    set.setState(first.getState());
    const clone = first.clone();
    expectSame('last output', { data: clone.output, dims: [O] }, { data: first.output, dims: [O] });
    const rest = x.subarray(cut);
    const dims = [rest.length / c.inputSize, O];
    const wanted = { data: new Float32Array(dims[0]! * O), dims };
    stepThrough(first, rest, wanted.data);
    for (const [what, stream] of Object.entries({ loaded, set, clone })) {
      const got = { data: new Float32Array(wanted.data.length), dims };
      stepThrough(stream, rest, got.data);
      expectSame(what, got, wanted);
      expect(stream.save(), what).toEqual(first.save());
      stream.dispose();
    }
    first.reset();
    if (!state) {
      const again = { data: new Float32Array(c.steps * O), dims: [c.steps, O] };
      stepThrough(first, x, again.data);
      expectSame('after reset', again, model.forward({ data: x, dims: [c.steps, c.inputSize] }).output);
    }
    first.dispose();
    other.dispose();
  });
});

describe('LSTMCell and Linear', () => {
  /** The weights of a module of one layer under a cell's names. */
  const cellOf = (model: LSTM) =>
    LSTMCell.fromStateDict(new Map([...model.stateDict()].map(([key, value]) => [key.replace('_l0', ''), value])));

  law(
    'a cell in a loop, and its streams, equal an LSTM of one layer',
    (model, input, given, c) => {
      const x = c.batchFirst ? transpose(input) : input;
      const cell = cellOf(model);
      const { output, hn, cn } = model.forward(input, given);
      const wanted = c.batchFirst ? transpose(output) : output;
      let state = given && { h0: pick(given.h0, 0, 0), c0: pick(given.c0, 0, 0) };
      for (let t = 0; t < c.steps; t++) {
        const { h1, c1 } = cell.forward(pick(x, 0, t), state);
        expectSame(`step ${t}`, h1, pick(wanted, 0, t));
        state = { h0: h1, c0: c1 };
      }
      expectSame('c', state!.c0, pick(cn, 0, 0));
      expectSame('h', state!.h0, pick(hn, 0, 0));
      // one row, unbatched and as a stream
      const stream = cell.stream();
      let alone = given && { h0: pick(pick(given.h0, 0, 0), 0, 0), c0: pick(pick(given.c0, 0, 0), 0, 0) };
      if (alone) stream.setState(alone);
      for (let t = 0; t < c.steps; t++) {
        const row = pick(pick(x, 0, t), 0, 0);
        const { h1, c1 } = cell.forward(row, alone);
        alone = { h0: h1, c0: c1 };
        stream.input.set(row.data);
        stream.step();
        expectSame(`unbatched step ${t}`, h1, pick(pick(wanted, 0, t), 0, 0));
        expectSame(`stream step ${t}`, { data: stream.output, dims: h1.dims }, h1);
      }
      expectSame('c of the stream', stream.getState().c0, alone!.c0);
      stream.dispose();
      cell.dispose();
    },
    { numLayers: 1, projSize: 0, bidirectional: false },
  );

  test('Linear: rows alone equal rows in a batch of any rank', () => {
    const property = fc.property(
      size(37),
      size(37),
      size(5),
      size(5),
      fc.boolean(),
      fc.nat(),
      (I, O, A, B, bias, seed) => {
        const linear = new Linear(I, O, { bias, seed });
        const input = randomTensor([A, B, I], seed, true);
        const all = linear.forward(input);
        expect(all.dims).toEqual([A, B, O]);
        for (let r = 0; r < A * B; r++) {
          const row = { data: input.data.subarray(r * I, (r + 1) * I), dims: [I] };
          expectSame(`row ${r}`, linear.forward(row), { data: all.data.subarray(r * O, (r + 1) * O), dims: [O] });
        }
        linear.dispose();
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 60 });
  });

  test('Linear: more rows than one pass through linear memory takes', () => {
    const linear = new Linear(5, 7, { seed: 1 });
    const input = randomTensor([20_011, 5], 2);
    const all = linear.forward(input).data;
    for (const [from, to] of [
      [0, 1],
      [8_000, 9_001],
      [20_010, 20_011],
    ] as const) {
      const part = { data: input.data.subarray(from * 5, to * 5), dims: [to - from, 5] };
      const wanted = { data: all.subarray(from * 7, to * 7), dims: [to - from, 7] };
      expectSame(`rows from ${from}`, linear.forward(part), wanted);
    }
    linear.dispose();
  });
});

// Several chunks and blocks (CHUNK_BYTES and BLOCK_BYTES in src/nn/sequence.ts): no such border may be heard.
describe('long sequences', () => {
  const base = { bias: true, batchFirst: false, bidirectional: false, projSize: 0, state: true, seed: 9 };
  const long: [string, Case][] = [
    ['one unit', { ...base, inputSize: 1, hiddenSize: 1, numLayers: 1, batch: 1, steps: 70_001 }],
    ['odd sizes, three layers', { ...base, inputSize: 3, hiddenSize: 7, numLayers: 3, batch: 1, steps: 5000 }],
    ['wide input', { ...base, inputSize: 37, hiddenSize: 5, numLayers: 2, batch: 2, steps: 3001 }],
    ['batch of 5', { ...base, inputSize: 3, hiddenSize: 9, numLayers: 2, batch: 5, steps: 1999 }],
    ['batchFirst', { ...base, inputSize: 5, hiddenSize: 6, numLayers: 2, batch: 3, steps: 3000, batchFirst: true }],
    ['projection', { ...base, inputSize: 4, hiddenSize: 11, numLayers: 2, batch: 2, steps: 3000, projSize: 3 }],
    [
      'a step above a block',
      { ...base, inputSize: 2, hiddenSize: 130, numLayers: 1, batch: 67, steps: 9, bias: false },
    ],
    ['a step above a chunk', { ...base, inputSize: 700, hiddenSize: 3, numLayers: 2, batch: 101, steps: 5 }],
  ];

  test.each(long)('%s: the same in small pieces', (_, c) => {
    run(c, (model, input, given) => {
      const axis = c.batchFirst ? 1 : 0;
      const whole = model.forward(input, given);
      let state = given!;
      for (let at = 0, n = 1; at < c.steps; at += n, n = Math.min(1 + ((n * 7) % 501), c.steps - at)) {
        const { output, hn, cn } = model.forward(slice(input, axis, at, at + n), state);
        expectSame(`${n} steps from ${at}`, output, slice(whole.output, axis, at, at + n));
        state = { h0: hn, c0: cn };
      }
      expectSame('hn', state.h0, whole.hn);
      expectSame('cn', state.c0, whole.cn);
    });
  });

  test.each(long)('%s: output over input, in the same place and shifted', (_, c) => {
    run({ ...c, inputSize: c.projSize || c.hiddenSize }, (model, input, given) => {
      const wanted = model.forward(input, given);
      for (const [from, to] of [
        [0, 0],
        [0, 1],
        [7, 0],
      ] as const) {
        const buffer = new Float32Array(input.data.length + 7);
        const data = buffer.subarray(from, from + input.data.length);
        data.set(input.data);
        const output = { data: buffer.subarray(to, to + input.data.length), dims: input.dims };
        const out = {
          output,
          hn: { ...wanted.hn, data: wanted.hn.data.slice() },
          cn: { ...wanted.cn, data: wanted.cn.data.slice() },
        };
        expectSameResult(`from ${from} to ${to}`, model.forward({ data, dims: input.dims }, given, { out }), wanted);
      }
    });
  });

  test.each(long)('%s: packed equals each alone', (_, c) => {
    run(c, (model, input, given) => {
      const rows = c.batchFirst ? input : transpose(input);
      const lengths = Array.from({ length: c.batch }, (_, b) => c.steps - Math.floor((((b * 5) % 7) * c.steps) / 8));
      const sequences = lengths.map((length, b) => slice(pick(rows, 0, b), 0, 0, length));
      const { output, hn, cn } = model.forward(packSequence(sequences, { enforceSorted: false }), given);
      const outputs = unpackSequence(output);
      sequences.forEach((alone, b) => {
        const parts = { output: outputs[b]!, hn: pick(hn, 1, b), cn: pick(cn, 1, b) };
        expectSameResult(`sequence ${b}`, parts, model.forward(alone, stateOf(given, b)));
      });
    });
  });

  test.each(long)('%s: both directions equal one module each, one of them on the reversed sequence', (_, c) => {
    const both = { ...c, numLayers: 1, bidirectional: true };
    run(both, (model, input, given) => {
      const weights = [...model.stateDict()];
      const x = c.batchFirst ? transpose(input) : input;
      const parts = ['_l0', '_l0_reverse'].map((suffix, direction) => {
        const own = weights.filter(([key]) => key.endsWith(suffix));
        const single = LSTM.fromStateDict(new Map(own.map(([key, value]) => [key.replace(suffix, '_l0'), value])));
        const state = {
          h0: slice(given!.h0, 0, direction, direction + 1),
          c0: slice(given!.c0, 0, direction, direction + 1),
        };
        const { output } = single.forward(direction ? reverse(x) : x, state);
        single.dispose();
        return direction ? reverse(output) : output;
      });
      const { output } = model.forward(input, given);
      expectSame('output', c.batchFirst ? transpose(output) : output, beside(parts[0]!, parts[1]!));
    });
  });

  test('a stream runs 40,000 steps at once as one by one', () => {
    const model = new LSTM(2, 2, { numLayers: 2, seed: 4 });
    const input = randomTensor([40_000, 2], 8).data;
    const [one, many, inPlace] = [model.stream(), model.stream(), model.stream()];
    const dims = [40_000, 2];
    const [a, b, c] = [new Float32Array(80_000), new Float32Array(80_000), input.slice()];
    stepThrough(one, input, a);
    expect(many.run(input, b)).toBe(40_000);
    expect(inPlace.run(c, c)).toBe(40_000);
    expectSame('run', { data: b, dims }, { data: a, dims });
    expectSame('in place', { data: c, dims }, { data: a, dims });
    expect(many.save()).toEqual(one.save());
    expect(inPlace.save()).toEqual(one.save());
    model.dispose();
  });
});

// Inputs in [-2, 2], states in [-2, 2], weights in ±1/sqrt(H): float32 against float64 stays within 2e-6 of numbers up to 14.
describe('near the float64 oracle', () => {
  const TOLERANCE = 2e-6;

  function expectNear(what: string, got: ArrayLike<number>, wanted: ArrayLike<number>): void {
    expect(got.length, what).toBe(wanted.length);
    for (let i = 0; i < got.length; i++) {
      const error = Math.abs(got[i]! - wanted[i]!);
      // written so that a NaN fails
      if (!(error <= TOLERANCE)) expect(error, `${what}[${i}]`).toBeLessThanOrEqual(TOLERANCE);
    }
  }

  test('LSTM and LSTMCell', () => {
    const property = fc.property(cases, (c) => {
      const plain = (model: LSTM, input: TensorLike, given: LSTMState | undefined) => {
        const weights: Weights = model.stateDict();
        const x = c.batchFirst ? input : transpose(input);
        const { output, hn, cn } = model.forward(input, given);
        const rows = c.batchFirst ? output : transpose(output);
        const layers = c.numLayers * (c.bidirectional ? 2 : 1);
        for (let b = 0; b < c.batch; b++) {
          const states = Array.from(
            { length: layers },
            (_, k): State => ({
              h: given ? [...pick(pick(given.h0, 0, k), 0, b).data] : new Array(c.projSize || c.hiddenSize).fill(0),
              c: given ? [...pick(pick(given.c0, 0, k), 0, b).data] : new Array(c.hiddenSize).fill(0),
            }),
          );
          const own = pick(x, 0, b);
          const vectors = Array.from({ length: c.steps }, (_, t) => pick(own, 0, t).data);
          const wanted = sequence(weights, c.numLayers, c.bidirectional, vectors, states);
          expectNear('output', pick(rows, 0, b).data, wanted.output.flat());
          expectNear(
            'hn',
            pick(hn, 1, b).data,
            wanted.states.flatMap((state) => state.h),
          );
          expectNear(
            'cn',
            pick(cn, 1, b).data,
            wanted.states.flatMap((state) => state.c),
          );
        }
      };
      run(c, plain);
      const cell = new LSTMCell(c.inputSize, c.hiddenSize, { bias: c.bias, seed: c.seed });
      const input = randomTensor([c.inputSize], c.seed);
      const h0 = randomTensor([c.hiddenSize], c.seed + 1);
      const c0 = randomTensor([c.hiddenSize], c.seed + 2);
      const wanted = step(cell.stateDict(), '', input.data, { h: [...h0.data], c: [...c0.data] });
      const { h1, c1 } = cell.forward(input, { h0, c0 });
      expectNear('h1', h1.data, wanted.h);
      expectNear('c1', c1.data, wanted.c);
      cell.dispose();
    });
    fc.assert(property, { seed: SEED, numRuns: 60 });
  });

  test('Linear', () => {
    const property = fc.property(size(67), size(37), fc.boolean(), fc.nat(), (I, O, bias, seed) => {
      const linear = new Linear(I, O, { bias, seed });
      const weights = linear.stateDict();
      const { data } = randomTensor([I], seed);
      const wanted = Array.from({ length: O }, (_, o) =>
        data.reduce(
          (sum, x, i) => sum + x * weights.get('weight')!.data[o * I + i]!,
          weights.get('bias')?.data[o] ?? 0,
        ),
      );
      expectNear('output', linear.forward({ data, dims: [I] }).data, wanted);
      linear.dispose();
    });
    fc.assert(property, { seed: SEED, numRuns: 60 });
  });
});
