import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GRU, type HiddenResult, type HiddenState, RNN } from '../../src/gru.ts';
import { packSequence, type TensorLike, unpackSequence } from '../../src/index.ts';
import { beside, pick, reverse, slice, transpose } from '../support/axes.ts';
import { type Case, cases, expectSame, pieces, SEED } from '../support/laws.ts';
import { randomTensor } from '../support/tensors.ts';

// What must hold for any GRU and RNN, in float32 and with 8-bit weights, bit for bit.

type Methods = 'forward' | 'stream' | 'streams' | 'stateDict' | 'quantizedStateDict' | 'loadStateDict' | 'dispose';
type Model = Pick<GRU, Methods>;
type Results = HiddenResult;
type Law = (
  model: Model,
  input: TensorLike,
  given: HiddenState | undefined,
  c: Case,
  make: (c: Case) => Model,
  isInt8: boolean,
) => void;

const gru = ({ inputSize, hiddenSize, projSize, batch, steps, state, ...options }: Case) =>
  new GRU(inputSize, hiddenSize, options);
const rnn = (
  { inputSize, hiddenSize, projSize, batch, steps, state, ...options }: Case,
  nonlinearity: 'tanh' | 'relu' = 'tanh',
) => new RNN(inputSize, hiddenSize, { ...options, nonlinearity });
const MAKERS: [string, (c: Case) => Model][] = [
  ['GRU', gru],
  ['RNN of tanh', (c) => rnn(c)],
  ['RNN of relu', (c) => rnn(c, 'relu')],
  ['GRU of 8 bits', (c) => gru(c).quantize()],
  ['RNN of 8 bits', (c) => rnn(c).quantize()],
];

/** Random modules with random input; half of the inputs hold a few unusual numbers, which soon fill a row with NaN. */
function law(name: string, holds: Law, fixed: Partial<Case> = {}): void {
  test.each(MAKERS)(`${name}: %s`, (kind, make) => {
    const property = fc.property(cases, (random) => {
      const c = { ...random, ...fixed };
      const model = make(c);
      const input = randomTensor([c.steps, c.batch, c.inputSize], c.seed + 1, c.seed % 2 === 1);
      const layers = c.numLayers * (c.bidirectional ? 2 : 1);
      const h0 = randomTensor([layers, c.batch, c.hiddenSize], c.seed + 2);
      holds(
        model,
        c.batchFirst ? transpose(input) : input,
        c.state ? { h0 } : undefined,
        c,
        make,
        kind.endsWith('8 bits'),
      );
      model.dispose();
    });
    fc.assert(property, { seed: SEED, numRuns: 25 });
  });
}
const oneWayLaw = (name: string, holds: Law) => law(name, holds, { bidirectional: false });

function expectSameResult(what: string, got: Results, wanted: Results): void {
  expectSame(`${what}, output`, got.output, wanted.output);
  expectSame(`${what}, hn`, got.hn, wanted.hn);
}

/** The state of one sequence of a batch, unbatched. */
const stateOf = (given: HiddenState | undefined, b: number) => given && { h0: pick(given.h0, 1, b) };

describe('sequences', () => {
  law('a batch equals its rows alone, batched and unbatched', (model, input, given, c) => {
    const axis = c.batchFirst ? 0 : 1;
    const all = model.forward(input, given);
    for (let b = 0; b < c.batch; b++) {
      const part = (tensor: TensorLike, at = 1) => slice(tensor, at, b, b + 1);
      const alone = model.forward(part(input, axis), given && { h0: part(given.h0) });
      expectSameResult(`row ${b}`, { output: part(all.output, axis), hn: part(all.hn) }, alone);
      const unbatched = model.forward(pick(input, axis, b), stateOf(given, b));
      expectSameResult('unbatched', unbatched, { output: pick(all.output, axis, b), hn: pick(all.hn, 1, b) });
    }
  });

  law('batchFirst equals time-major transposed', (model, input, given, c, make) => {
    const other = make({ ...c, batchFirst: !c.batchFirst });
    const { output, hn } = other.forward(transpose(input), given);
    expectSameResult('', model.forward(input, given), { output: transpose(output), hn });
    other.dispose();
  });

  oneWayLaw('any split of a sequence equals the whole', (model, input, given, c) => {
    const axis = c.batchFirst ? 1 : 0;
    const whole = model.forward(input, given);
    let state = given;
    let at = 0;
    for (const length of pieces(c.steps, c.seed)) {
      const { output, hn } = model.forward(slice(input, axis, at, at + length), state);
      expectSame(`steps from ${at}`, output, slice(whole.output, axis, at, at + length));
      state = { h0: hn };
      at += length;
    }
    expectSame('hn', state!.h0, whole.hn);
  });

  law('packed equals each sequence alone, sorted or not', (model, input, given, c) => {
    const rows = c.batchFirst ? input : transpose(input);
    const lengths = pieces(c.batch * c.steps, c.seed, c.steps).slice(0, c.batch);
    const enforceSorted = c.seed % 3 === 0;
    if (enforceSorted) lengths.sort((a, b) => b - a);
    const sequences = lengths.map((length, b) => slice(pick(rows, 0, b), 0, 0, length));
    const { output, hn } = model.forward(packSequence(sequences, { enforceSorted }), given);
    const outputs = unpackSequence(output);
    expect(outputs).toHaveLength(c.batch);
    sequences.forEach((alone, b) => {
      const parts = { output: outputs[b]!, hn: pick(hn, 1, b) };
      expectSameResult(`sequence ${b}`, parts, model.forward(alone, stateOf(given, b)));
    });
  });

  law(
    'layers and directions are modules of one layer and one direction, composed',
    (model, input, given, c, make, isInt8) => {
      const dict: Map<string, any> = isInt8 ? model.quantizedStateDict() : model.stateDict();
      const hn: TensorLike[] = [];
      let between = c.batchFirst ? transpose(input) : input;
      for (let layer = 0; layer < c.numLayers; layer++) {
        const outputs = (c.bidirectional ? [0, 1] : [0]).map((direction) => {
          const suffix = `_l${layer}${direction ? '_reverse' : ''}`;
          const own = [...dict].filter(([key]) => key.replace(/_scale$/, '').endsWith(suffix));
          const single = make({
            ...c,
            inputSize: between.dims[2]!,
            numLayers: 1,
            bidirectional: false,
            batchFirst: false,
          });
          single.loadStateDict(new Map(own.map(([key, value]) => [key.replace(suffix, '_l0'), value])));
          const k = hn.length;
          const state = given && { h0: slice(given.h0, 0, k, k + 1) };
          const result = single.forward(direction ? reverse(between) : between, state);
          single.dispose();
          hn.push(result.hn);
          return direction ? reverse(result.output) : result.output;
        });
        between = outputs.length === 2 ? beside(outputs[0]!, outputs[1]!) : outputs[0]!;
      }
      const result = model.forward(input, given);
      expectSame('output', c.batchFirst ? transpose(result.output) : result.output, between);
      for (const [k, tensor] of hn.entries()) expectSame(`hn[${k}]`, slice(result.hn, 0, k, k + 1), tensor);
    },
  );

  law(
    'forward into given tensors equals forward; a state may be written over by its successor',
    (model, input, given) => {
      const wanted = model.forward(input, given);
      const filled = ({ dims }: TensorLike) => ({ ...randomTensor([...dims], 5, true) });
      const out = { output: filled(wanted.output), hn: filled(wanted.hn) };
      expect(model.forward(input, given, { out })).toBe(out);
      expectSameResult('', out, wanted);
      if (!given) return;
      const hn = { ...given.h0, data: given.h0.data.slice() };
      expectSameResult('over', model.forward(input, { h0: hn }, { out: { output: out.output, hn } }), wanted);
    },
  );
});

describe('streams', () => {
  oneWayLaw('steps, blocks of steps, many streams and forward are the same', (model, input, given, c) => {
    const rows = c.batchFirst ? input : transpose(input);
    const { inputSize: I, hiddenSize: H } = c;
    const many = model.streams({ capacity: 2 });
    const ids = Array.from({ length: c.batch }, () => many.open());
    const wanted = ids.map((_, b) => model.forward(pick(rows, 0, b), stateOf(given, b)));
    const singles = ids.map((id, b) => {
      const stream = model.stream();
      if (given) stream.setState(stateOf(given, b)!);
      many.load(id, stream.save());
      return stream;
    });
    for (let t = 0; t < c.steps; t++) {
      const x = slice(rows, 1, t, t + 1).data;
      const y = new Float32Array(c.batch * H);
      many.step(ids, x, y);
      for (const [b, stream] of singles.entries()) {
        stream.input.set(x.subarray(b * I, (b + 1) * I));
        stream.step();
        const own = pick(wanted[b]!.output, 0, t).data;
        expectSame('step', { data: stream.output.slice(), dims: [H] }, { data: own, dims: [H] });
        expectSame('many', { data: y.slice(b * H, (b + 1) * H), dims: [H] }, { data: own, dims: [H] });
      }
    }
    for (const [b, stream] of singles.entries()) {
      expectSame('last state', stream.getState().h0, wanted[b]!.hn);
      expect(many.save(ids[b]!)).toEqual(stream.save());
      const [blocks, clone] = [model.stream(), stream.clone()];
      if (given) blocks.setState(stateOf(given, b)!);
      const y = new Float32Array(c.steps * H);
      let at = 0;
      for (const n of pieces(c.steps, c.seed)) {
        blocks.run(pick(rows, 0, b).data.subarray(at * I, (at + n) * I), y.subarray(at * H, (at + n) * H));
        at += n;
      }
      expectSame('run', { data: y, dims: [c.steps, H] }, wanted[b]!.output);
      expect(blocks.save()).toEqual(clone.save());
      for (const one of [blocks, clone, stream]) one.dispose();
    }
    many.dispose();
  });
});
