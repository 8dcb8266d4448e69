import { expect, test } from 'vitest';
import { Conv1d, Embedding, LayerNorm, ModelError } from '../../src/index.ts';
import { dictBits } from '../support/bits.ts';

test('Conv1d, Embedding and LayerNorm are made from what their state dict says', () => {
  const conv = new Conv1d(4, 6, 3, { groups: 2, stride: 2, bias: false, seed: 1 });
  const sameConv = Conv1d.fromStateDict(conv.stateDict('a.'), { prefix: 'a.', groups: 2, stride: 2 });
  expect(sameConv).toMatchObject({ inChannels: 4, outChannels: 6, kernelSize: 3, groups: 2, stride: 2, bias: false });
  expect(dictBits(sameConv.stateDict())).toEqual(dictBits(conv.stateDict()));
  const embedding = new Embedding(5, 3, { seed: 1 });
  expect(dictBits(Embedding.fromStateDict(embedding.stateDict()).stateDict())).toEqual(dictBits(embedding.stateDict()));
  const norm = new LayerNorm([2, 3], { bias: false });
  const sameNorm = LayerNorm.fromStateDict(norm.stateDict(), { eps: 0.5 });
  expect(sameNorm).toMatchObject({ normalizedShape: [2, 3], eps: 0.5, bias: false });
});

test('a weight of another rank, a missing one and a key more are refused', () => {
  const weight = { data: new Float32Array(6), dims: [2, 3] };
  expect(() => Conv1d.fromStateDict({ weight })).toThrow('"weight" expected [out, in / groups, kernel], got [2, 3]');
  expect(() => Embedding.fromStateDict({})).toThrow(ModelError);
  expect(() => LayerNorm.fromStateDict({ weight: { data: new Float32Array(1), dims: [] } })).toThrow(ModelError);
  expect(() => Embedding.fromStateDict({ weight, bias: weight })).toThrow('unexpected key "bias"');
});
