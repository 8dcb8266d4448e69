import { describe, expect } from 'vitest';
import { LSTM, packSequence, type TensorLike, unpackSequence } from '../../src/index.ts';
import { beside, pick, reverse, slice, transpose } from '../support/axes.ts';
import { expectSame, expectSameResult, type Law, law, makeModel, oneWayLaw, pieces, stateOf } from '../support/laws.ts';
import { randomTensor } from '../support/tensors.ts';

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

  const writtenOver: Law = (model, input, given) => {
    const wanted = model.forward(input, given);
    const hn = { ...given!.h0, data: given!.h0.data.slice() };
    const cn = { ...given!.c0, data: given!.c0.data.slice() };
    const out = { output: { ...wanted.output, data: new Float32Array(wanted.output.data.length) }, hn, cn };
    expectSameResult('', model.forward(input, { h0: hn, c0: cn }, { out }), wanted);
  };
  law('a state may be written over by its successor', writtenOver, { state: true });

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
