import { describe, expect } from 'vitest';
import { pick, slice, transpose } from '../support/axes.ts';
import { expectSame, expectSameResult, makeModel, oneWayLaw, pieces, stateOf, stepThrough } from '../support/laws.ts';

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
