import { describe, expect, test } from 'vitest';
import { bytesUsed } from '../../src/index.ts';
import { readModel } from '../../src/worklet/read-model.ts';
import { guitarML, nam } from '../support/audio-files.ts';
import { rigFor } from './host.ts';

const read = (model: unknown) => readModel('LstmNode', model, undefined);
const ones = (count: number) => new Float32Array(count).fill(0.5);

describe('messages that no LstmNode sends', async () => {
  const good = await read(nam());
  const [lstm, dense] = good.stages as any[];
  const withStages = (...stages: unknown[]) => ({ ...good, stages });
  const activated = (activation: unknown) => withStages(lstm, { ...dense, activation });

  test.each([
    undefined,
    null,
    7,
    'load',
    [],
    {},
    { type: 'unknown' },
    { type: 'bypass' },
    { type: 'bypass', on: 'no' },
  ])('%j is an error event, and what plays plays on', async (message) => {
    const [rig, other] = [await rigFor(nam()), await rigFor(nam())];
    rig.play([ones(256)]);
    expect(rig.send(message)).toEqual({ type: 'error', error: expect.objectContaining({ name: 'TypeError' }) });
    other.play([ones(256)]);
    expect(rig.play([ones(256)])).toEqual(other.play([ones(256)]));
  });

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /"model" expected the parts of a model/],
    ['text', 'amp', /"model" expected the parts of a model/],
    ['no stages', { skip: false }, /"model.stages" expected an array/],
    ['empty stages', withStages(), /"model.stages.length" expected an integer from 1/],
    [
      'holes',
      { ...good, stages: Array(2) },
      /"model.stages\[0\].kind" expected "lstm", "gru" or "dense", got undefined/,
    ],
    ['another kind', withStages({ kind: 'rnn' }), /expected "lstm", "gru" or "dense", got "rnn"/],
    ['a GRU without tensors', withStages({ kind: 'gru' }), /stateDict" expected a Map/],
    ['an LSTM that says it is a GRU', withStages({ ...lstm, kind: 'gru' }, dense), /GRU: keys of LSTM/],
    ['no state dict', withStages({ kind: 'lstm', stateDict: {} }), /stateDict" expected a Map/],
    ['an empty one', withStages({ kind: 'lstm', stateDict: new Map() }, dense), /inputs/],
    ['numbers for a Map', withStages({ kind: 'lstm', stateDict: new Map([['weight_ih_l0', 3]]) }), /./],
    ['a wrong chain', withStages(dense, lstm), /"stages\[1\]" expected|1 output/],
    ['a wrong start', withStages({ ...lstm, start: { h0: 1 } }, dense), /h0/],
    ['no weight', withStages(lstm, { ...dense, weight: [1, 2] }), /stages\[1\].weight" expected a Float32Array/],
    [
      'an empty bias',
      withStages(lstm, { ...dense, bias: new Float32Array(0) }),
      /bias.length" expected an integer from 1/,
    ],
    [
      'a ragged weight',
      withStages(lstm, { ...dense, bias: ones(2) }),
      /weight.length \/ bias.length" expected an integer/,
    ],
    [
      'a wrong activation',
      activated({ kind: 24, alpha: 0, beta: 0 }),
      /activation.kind" expected an integer from 0 to 23/,
    ],
    ['a constant that is none', activated({ kind: 18, alpha: 'x', beta: 0 }), /activation" expected numbers/],
    ['other kernels', { ...good, kernels: {} }, /"kernels" expected this version's compiled lstm-onnx.wasm/],
    ['another lstm-gru.wasm', { ...good, gru: {} }, /"gru" expected this version's compiled lstm-gru.wasm/],
    ['a rate that is text', { ...good, sampleRate: '48000' }, /"model.sampleRate" expected a rate in Hz/],
    ['skip', { ...good, skip: 2 }, /"model.skip" expected a boolean/],
    ['more knobs', await read(guitarML({ I: 4 })), /the model has 3 knobs, and the node 0/],
  ])('a model of %s is refused, and what plays plays on', async (_, model, message) => {
    const [rig, other] = [await rigFor(nam()), await rigFor(nam())];
    const before = bytesUsed();
    expect(rig.send({ type: 'load', id: 9, model })).toEqual({
      type: 'refused',
      id: 9,
      error: expect.objectContaining({ message: expect.stringMatching(message) }),
    });
    expect(bytesUsed()).toBe(before);
    expect(rig.play([ones(512)])).toEqual(other.play([ones(512)]));
  });

  test('after dispose() nothing is answered', async () => {
    const rig = await rigFor(nam());
    rig.send({ type: 'dispose' });
    expect(rig.send({ type: 'load', id: 1, model: good })).toBeUndefined();
    expect(rig.said).toHaveLength(1);
  });
});
