import { describe, expect, test } from 'vitest';
import { type AudioModel, loadGuitarML, loadRTNeural } from '../src/audio.ts';
import { guitarML, rtneural, torchModules } from './support/audio-files.ts';
import { expectClose, play, refusal, x } from './support/effects.ts';
import { sequence, type Weights } from './support/oracle.ts';

// The sample rate as AIDA-X writes it, and the order of a state dict. The expected samples are computed in float64.

describe('the sample rate', () => {
  const rateOf = (load: (json: string) => AudioModel, file: object) => {
    const model = load(JSON.stringify(file));
    model.dispose();
    return model.sampleRate;
  };

  test.each<[unknown, number | undefined]>([
    ['48000', 48_000],
    [48_000, 48_000],
    ['44100.0', 44_100],
    ['22050.5', 22_050.5],
    ['', undefined],
    [null, undefined],
  ])("AIDA-X's metadata.samplerate %j", (samplerate, expected) => {
    expect(rateOf(loadRTNeural, { ...rtneural(), metadata: { name: 'amp', samplerate } })).toBe(expected);
    expect(rateOf(loadRTNeural, { ...rtneural(), samplerate })).toBe(expected);
    const file = guitarML();
    expect(rateOf(loadGuitarML, { ...file, model_data: { ...file.model_data, samplerate } })).toBe(expected);
  });

  test('the file itself comes before its metadata, which may be anything without a rate', () => {
    const metadata = { samplerate: '96000' };
    expect(rateOf(loadRTNeural, { ...rtneural(), samplerate: 44_100, metadata })).toBe(44_100);
    for (const other of [null, 'amp', [], {}]) {
      expect(rateOf(loadRTNeural, { ...rtneural(), metadata: other })).toBeUndefined();
    }
  });

  test.each([
    'fast',
    '48k',
    '0',
    '-48000',
    '4e4',
    ' 48000',
    '0x10',
    'Infinity',
    '9'.repeat(20),
    0,
    -1,
    true,
    [48_000],
    {},
  ])('refused: %j', (samplerate) => {
    const error = refusal(() => loadRTNeural({ ...rtneural(), metadata: { samplerate } }));
    expect({ code: error.code, path: error.path }).toEqual({ code: 'wrong-type', path: 'metadata.samplerate' });
  });
});

describe("a state dict in the file's order", () => {
  /** The tensors of a module, for the oracle. */
  const weightsOf = (dict: Record<string, unknown>, prefix: string): Weights => {
    const own = Object.entries(dict).filter(([name]) => name.startsWith(prefix));
    return new Map(
      own.map(([name, value]) => {
        const nested = value as number[][];
        const dims = Array.isArray(nested[0]) ? [nested.length, nested[0].length] : [nested.length];
        return [name.slice(prefix.length), { data: nested.flat(), dims }];
      }),
    );
  };
  const linear = (dict: Record<string, any>, name: string, rows: number[][]) =>
    rows.map((row) =>
      dict[`${name}.weight`].map((w: number[], o: number) =>
        w.reduce((sum, v, k) => sum + v * row[k]!, dict[`${name}.bias`][o]),
      ),
    );
  const lstm = (dict: Record<string, unknown>, name: string, H: number, rows: number[][]) =>
    sequence(weightsOf(dict, `${name}.`), 1, false, rows, [{ h: Array(H).fill(0), c: Array(H).fill(0) }]).output;
  const samples = [...x].map((v) => [v]);
  /** The modules of a file, in the order of `names`. */
  const inOrderOf = (dict: Record<string, unknown>, names: string[]) =>
    Object.fromEntries(names.flatMap((name) => Object.entries(dict).filter(([key]) => key.startsWith(`${name}.`))));

  test.each([
    ['after', ['z_first', 'a_second', 'dense']],
    ['in front of its LSTMs', ['dense', 'z_first', 'a_second']],
  ])('LSTMs are in the order of the file, not of their names, with the head %s', (_, names) => {
    const file = inOrderOf(
      torchModules({
        lstms: [
          ['z_first', 1],
          ['a_second', 1],
        ],
      }),
      names,
    );
    const expected = linear(file, 'dense', lstm(file, 'a_second', 3, lstm(file, 'z_first', 3, samples)));
    expectClose(play(loadRTNeural(JSON.stringify(file))), expected.flat());
    expect(play(loadRTNeural(file))).toEqual(play(loadRTNeural(JSON.stringify(file))));
  });

  test('a linear layer before the LSTM', () => {
    const both = torchModules({
      lstms: [
        ['one', 1],
        ['rnn', 1],
      ],
    });
    const file = {
      'input.weight': [[0.5], [-0.25], [1]],
      'input.bias': [0.1, 0, -0.1],
      ...inOrderOf(both, ['rnn', 'dense']),
    };
    const expected = linear(file, 'dense', lstm(file, 'rnn', 3, linear(file, 'input', samples)));
    expectClose(play(loadRTNeural(file)), expected.flat());
  });

  test('two heads are refused, since an activation may stand between them', () => {
    const file = {
      ...torchModules(),
      'dense.weight': [
        [1, 2, 3],
        [4, 5, 6],
      ],
      'dense.bias': [0, 1],
    };
    const error = refusal(() => loadRTNeural({ ...file, 'out.weight': [[1, 2]], 'out.bias': [0] }));
    expect({ code: error.code, path: error.path }).toEqual({ code: 'ambiguous', path: 'out.weight' });
    expect(error.message).toMatch(/no activation between them/);
  });

  test('several LSTMs under sorted keys are refused, since the order is lost; one is not', () => {
    const sorted = (file: object) => Object.fromEntries(Object.entries(file).sort(([a], [b]) => (a < b ? -1 : 1)));
    const two = torchModules({
      lstms: [
        ['lstm', 1],
        ['lstm2', 1],
      ],
    });
    const error = refusal(() => loadRTNeural(sorted(two)));
    expect({ code: error.code, path: error.path }).toEqual({ code: 'ambiguous', path: 'lstm.weight_ih_l0' });
    expect(error.message).toContain('sort_keys');
    expect(play(loadRTNeural(sorted(torchModules())))).toEqual(play(loadRTNeural(torchModules())));
  });
});

describe('layers', () => {
  test('are the LSTMs and linear layers with the weights of the file', () => {
    const file = guitarML();
    const model = loadGuitarML(file);
    expect(model.skip).toBe(Boolean(file.model_data.skip));
    const [rec, lin, ...rest] = model.layers.map(({ stateDict, activation, initialState }) => {
      return { stateDict, activation, initialState };
    });
    expect(rest).toEqual([]);
    for (const [layer, prefix] of [
      [rec!, 'rec.'],
      [lin!, 'lin.'],
    ] as const) {
      const keys = Object.keys(file.state_dict).filter((key) => key.startsWith(prefix));
      expect([...layer.stateDict.keys()].map((key) => prefix + key).sort()).toEqual(keys.sort());
      for (const [key, { data }] of layer.stateDict) {
        const own: number[] = (file.state_dict as any)[prefix + key].flat(2);
        expect([...data]).toEqual([...Float32Array.from(own)]);
      }
    }
    expect([rec!.activation, lin!.activation, rec!.initialState]).toEqual([undefined, undefined, undefined]);
    model.dispose();
  });

  test('name their activation functions', () => {
    const dense = { type: 'dense', activation: 'tanh', shape: [null, null, 1], weights: [[[2]], [0.25]] };
    const model = loadRTNeural({ in_shape: [null, null, 1], layers: [dense] });
    expect(model.layers.map(({ activation }) => activation)).toEqual(['tanh']);
    model.dispose();
  });
});
