import { describe, expect, test } from 'vitest';
import { bytesUsed, LSTM, LSTMCell } from '../../src/index.ts';
import { wasm } from '../../src/memory/wasm.ts';
import { dictBits, words } from '../support/bits.ts';
import { refusal } from '../support/refusals.ts';
import { type Any, zeros } from '../support/tensors.ts';

describe('fromStateDict', () => {
  const flags = [false, true];
  const combinations = flags.flatMap((bias) =>
    flags.flatMap((bidirectional) =>
      [0, 2].flatMap((projSize) => [1, 2, 3].map((numLayers) => ({ bias, bidirectional, projSize, numLayers }))),
    ),
  );
  test.each(combinations)('fromStateDict sees %j', (options) => {
    const from = new LSTM(3, 5, options);
    const used = bytesUsed();
    for (const dict of [from.stateDict('a.'), Object.fromEntries(from.stateDict('a.'))]) {
      const made = LSTM.fromStateDict(dict, { prefix: 'a.', batchFirst: true, dropout: 0.25 });
      expect(made).toMatchObject({
        inputSize: 3,
        hiddenSize: 5,
        batchFirst: true,
        dropout: 0.25,
        training: false,
        ...options,
      });
      expect(dictBits(made.stateDict())).toEqual(dictBits(from.stateDict()));
      made.dispose();
    }
    // as strict as loading: every key is needed, and none may be added
    for (const key of from.stateDict().keys()) {
      const dict = from.stateDict();
      dict.delete(key);
      expect(refusal(() => LSTM.fromStateDict(dict)).message).toMatch(/^LSTM: /);
    }
    expect(refusal(() => LSTM.fromStateDict(new Map([...from.stateDict(), ['more', zeros(1)]]))).code).toBe(
      'unexpected-key',
    );
    expect(bytesUsed()).toBe(used);
  });

  test('LSTMCell.fromStateDict', () => {
    for (const bias of flags) {
      const from = new LSTMCell(3, 5, { bias });
      const made = LSTMCell.fromStateDict(from.stateDict('cell.'), { prefix: 'cell.' });
      expect(made).toMatchObject({ inputSize: 3, hiddenSize: 5, bias });
      expect(dictBits(made.stateDict())).toEqual(dictBits(from.stateDict()));
      for (const key of from.stateDict().keys()) {
        const dict = from.stateDict();
        dict.delete(key);
        refusal(() => LSTMCell.fromStateDict(dict));
      }
    }
    const [lstm, cell] = [new LSTM(3, 5).stateDict(), new LSTMCell(3, 5).stateDict()];
    refusal(() => LSTMCell.fromStateDict(lstm));
    refusal(() => LSTM.fromStateDict(cell));
    expect(() => LSTMCell.fromStateDict({}, { batchFirst: true } as Any)).toThrow(
      /^LSTMCell: unknown option "batchFirst"/,
    );
    expect(() => LSTM.fromStateDict({}, { hiddenSize: 4 } as Any)).toThrow(/^LSTM: unknown option "hiddenSize"/);
    expect(() => LSTM.fromStateDict({}, { prefix: 4 } as Any)).toThrow(/^LSTM: "prefix" expected a string, got 4$/);
  });

  test.each<[string, Any]>([
    ['no rows', { data: words([]), dims: [0, 3] }],
    ['rows not in fours', { data: new Float32Array(18), dims: [6, 3] }],
    ['three dims', { data: new Float32Array(24), dims: [8, 3, 1] }],
    ['a fraction', { data: new Float32Array(24), dims: [8, 1.5] }],
    ['a negative size', { data: new Float32Array(24), dims: [-8, -3] }],
    ['2^40 x 2^40 in 24 numbers', { data: new Float32Array(24), dims: [2 ** 40, 2 ** 40] }],
    ['2^40 rows of nothing', { data: words([]), dims: [2 ** 40, 0] }],
    ['1e308 rows', { data: words([]), dims: [1e308, 0] }],
    ['holes', { data: words([]), dims: new Array(2) }],
    ['bigints', { data: new Float32Array(24), dims: [8n, 3n] }],
    ['no dims', { data: new Float32Array(24) }],
    ['integers', { data: new Int32Array(24), dims: [8, 3] }],
    ['null', null],
    ['a string', 'weights'],
  ])('fromStateDict believes no dims: %s', (_, entry) => {
    const source = new LSTM(3, 2, { seed: 1 });
    const good = source.stateDict();
    source.dispose();
    const before = [bytesUsed(), wasm().memory.buffer.byteLength];
    for (const key of ['weight_ih_l0', 'weight_hh_l0', 'weight_hr_l0', 'weight_ih_l1']) {
      refusal(() => LSTM.fromStateDict(new Map<string, Any>(good).set(key, entry)));
    }
    const cell = { weight_ih: entry, weight_hh: entry, bias_ih: entry, bias_hh: entry };
    refusal(() => LSTMCell.fromStateDict(cell));
    expect([bytesUsed(), wasm().memory.buffer.byteLength]).toEqual(before);
  });

  test('a projection as wide as the state is none that PyTorch has', () => {
    const dict: Map<string, Any> = new LSTM(3, 4, { projSize: 2 }).stateDict();
    for (const rows of [0, 4, 5]) refusal(() => LSTM.fromStateDict(new Map(dict).set('weight_hr_l0', zeros(rows, 4))));
  });
});
