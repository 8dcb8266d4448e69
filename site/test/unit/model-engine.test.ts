import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contentsOf } from '../../src/panels/model/engine/contents.ts';
import { openFiles } from '../../src/panels/model/engine/open.ts';
import { pairStates, planPorts, timeAxis } from '../../src/panels/model/engine/ports.ts';
import { makeSequence, type Need } from '../../src/panels/model/engine/sequence.ts';
import { agreementOf, largestDifference, TraceLog } from '../../src/panels/model/engine/traces.ts';
import { sentenceFor, troubleOf } from '../../src/panels/model/engine/trouble.ts';
import { makeGates } from './model-gates.ts';

describe('gates are held against their formulas', () => {
  test('right ones agree, in both directions', () => {
    for (const reverse of [false, true]) {
      const { c, h } = agreementOf(makeGates(20, 5, reverse));
      expect(c).toBeLessThan(1e-6);
      expect(h).toBeLessThan(1e-6);
    }
  });

  test('a gate that is wrong does not', () => {
    const gates = makeGates(20, 5);
    gates.f[37] = gates.f[37]! + 0.1;
    gates.o[41] = gates.o[41]! + 0.1;
    const { c, h } = agreementOf(gates);
    expect(c).toBeGreaterThan(1e-3);
    expect(h).toBeGreaterThan(1e-3);
  });

  test('differences are of bits: zeros of two signs differ by nothing, NaN only from NaN by nothing', () => {
    expect(largestDifference([1, Number.NaN], [1, Number.NaN])).toBe(0);
    expect(largestDifference([0], [-0])).toBe(0);
    expect(largestDifference([1], [Number.NaN])).toBe(Number.POSITIVE_INFINITY);
    expect(largestDifference([1, 2], [1])).toBe(Number.POSITIVE_INFINITY);
    expect(largestDifference([1, 2], [1, 2.5])).toBe(0.5);
  });

  test('calls follow each other, turns of a loop too, and a batch has its first sequence', () => {
    const tensor = (...data: number[]) => ({ data: Float32Array.from(data), dims: [1, 2, 1] });
    const layer = (value: number) => {
      const one = tensor(value, 100);
      return { forward: { i: one, f: one, g: one, o: one, c: one, h: one } };
    };
    const log = new TraceLog();
    log.add('four[0]', 0, 1, layer(1));
    log.add('four[1]', 0, 1, layer(2));
    const { cell, gates } = [...log.all().values()][0]!;
    expect(cell.lstm).toBe('four');
    expect([...gates.c]).toEqual([1, 2]);
    expect(gates.count).toBe(2);
  });
});

describe('inputs of a model', () => {
  const port = (name: string, dims: (number | string | null)[], type = 'float32') => ({ name, type, dims });

  test('the axis of steps', () => {
    expect(timeAxis(['batch', 'sequence', 40], false)).toBe(1);
    expect(timeAxis(['seq_len', 'batch', 40], false)).toBe(0);
    expect(timeAxis(['batch', null, 40], false)).toBe(1);
    expect(timeAxis([7, 3, 6], false)).toBe(1);
    expect(timeAxis([7, 1, 6], false)).toBe(0);
    expect(timeAxis([1, 7, 6], false)).toBe(1);
    expect(timeAxis(['batch', 'n'], true)).toBe(1);
    expect(timeAxis([40], false)).toBe(-1);
  });

  test('states are paired with what they become', () => {
    const pairs = (inputs: ReturnType<typeof port>[], outputs: ReturnType<typeof port>[]) => [
      ...pairStates(inputs, outputs),
    ];
    expect(
      pairs(
        [port('input', ['', '']), port('state', [2, '', 128])],
        [port('output', ['', 1]), port('stateN', ['', '', ''])],
      ),
    ).toEqual([['state', 'stateN']]);
    expect(
      pairs(
        [port('x', [1, 1, 4]), port('h0', [1, 1, 8]), port('c0', [1, 1, 8])],
        [port('y', [1, 1, 2]), port('hn', [1, 1, 8]), port('cn', [1, 1, 8])],
      ),
    ).toEqual([
      ['h0', 'hn'],
      ['c0', 'cn'],
    ]);
    expect(
      pairs(
        [port('input_2', [1, 1, 257]), port('input_3', [1, 2, 128, 2])],
        [port('activation_2', [1, 1, 257]), port('stack', [1, 2, 128, 2])],
      ),
    ).toEqual([['input_3', 'stack']]);
    expect(pairs([port('input', [1, 4])], [port('output', [1, 4])])).toEqual([]);
  });

  test('Silero VAD is fed in pieces of 512 samples behind the last 64', () => {
    const inputs = [port('input', ['', '']), port('state', [2, '', 128]), port('sr', [], 'int64')];
    const plan = planPorts(inputs, [port('output', ['', 1]), port('stateN', ['', '', ''])], undefined);
    expect(plan.isSamples).toBe(true);
    expect(plan.pieces).toEqual({ length: 512, before: 64 });
    expect(plan.sizes(576)).toEqual([1, 576]);
  });

  test('a sequence in one call, and ids', () => {
    const plan = planPorts([port('x', ['batch', 'time', 40])], [port('y', ['batch', 'time', 3])], undefined);
    expect([plan.width, plan.pieces, plan.fixed, plan.sizes(9)]).toEqual([40, undefined, undefined, [1, 9, 40]]);
    const ids = planPorts([port('words', ['batch', 'n'], 'int64')], [port('y', ['batch', 2])], undefined);
    expect([ids.isIds, ids.sizes(5)]).toEqual([true, [1, 5]]);
  });
});

describe('sequences', () => {
  const need: Need = { kind: 'rows', width: 3, most: 1000 };

  test('numbers that were typed', () => {
    const { data, steps } = makeSequence({ kind: 'typed', text: '1, 2, 3\n4, 5, 6' }, need);
    expect([[...data], steps]).toEqual([[1, 2, 3, 4, 5, 6], 2]);
    expect(makeSequence({ kind: 'typed', text: '[1, 2, 3]' }, { ...need, width: 1 }).steps).toBe(3);
    expect(() => makeSequence({ kind: 'typed', text: '1, 2' }, need)).toThrow(
      'rows of 2 numbers; this model takes 3 a step',
    );
    expect(() => makeSequence({ kind: 'typed', text: '1, x, 3' }, need)).toThrow(
      'column 2: expected a number, got "x"',
    );
    expect(() => makeSequence({ kind: 'typed', text: '9' }, { kind: 'ids', width: 1, words: 9, most: 10 })).toThrow(
      '9 is no id; this model takes integers from 0 to 8',
    );
  });

  test('a file of NumPy', () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117);
    const bytes = new Uint8Array(128 + 24);
    bytes.set(new TextEncoder().encode(`?NUMPY????${header}\n`));
    bytes.set([0x93], 0);
    bytes.set([1, 0, 118, 0], 6);
    bytes.set(new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer), 128);
    expect([...makeSequence({ kind: 'file', bytes, name: 'x.npy' }, need).data]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(() => makeSequence({ kind: 'file', bytes: bytes.subarray(0, 140), name: 'x.npy' }, need)).toThrow(
      'npy: expected 24 bytes of numbers for [2, 3], got 12',
    );
  });

  test('a model of fixed length gets it, and one that would not fit into memory less; both are said', () => {
    const given = { kind: 'typed', text: '1,1,1\n2,2,2\n3,3,3' } as const;
    const longer = makeSequence(given, { ...need, fixed: 4 });
    expect([...longer.data.slice(-3)]).toEqual([0, 0, 0]);
    expect(longer.notes.join()).toContain('zeros follow the 3 given');
    const shorter = makeSequence(given, { ...need, most: 2 });
    expect(shorter.steps).toBe(2);
    expect(shorter.notes.join()).toContain('The first 2 of 3 steps are run.');
    expect(() => makeSequence({ kind: 'random', seed: 1 }, { ...need, fixed: 2 ** 30 })).toThrow(
      'this page feeds up to',
    );
  });

  test('random numbers are those of their seed, and ids are below the number of words', () => {
    const run = (seed: number) => [...makeSequence({ kind: 'random', seed }, need).data];
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
    const ids = makeSequence({ kind: 'random', seed: 3 }, { kind: 'ids', width: 1, words: 7, most: 1000 }).data;
    expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < 7)).toBe(true);
  });

  test('a sound becomes bands of loudness, each with mean 0 and deviation 1', () => {
    const samples = Float32Array.from({ length: 16_000 }, (_, n) => Math.sin(n * 0.2) * (n > 8000 ? 1 : 0.01));
    const { data, steps, every } = makeSequence({ kind: 'recording', samples, rate: 16_000, name: 'Recording' }, need);
    expect([steps, every]).toEqual([31, 0.032]);
    const band = [...data].filter((_, n) => n % 3 === 1);
    expect(band.reduce((sum, value) => sum + value, 0) / steps).toBeCloseTo(0, 4);
    expect(band.at(-1)).toBeGreaterThan(band[0]!);
  });
});

describe('what went wrong', () => {
  test('says what is missing, and the facts of a ModelError', () => {
    const error = Object.assign(new Error('onnx: operators that are not supported: GRU ("/dec/gru")'), {
      ...{ code: 'unsupported', path: 'graph', expected: 'supported operators', found: ['GRU'] },
    });
    const { missing, isBad, facts } = troubleOf(error);
    expect([missing, isBad]).toEqual([['GRU'], false]);
    expect(facts.map(([name]) => name)).toEqual(['code', 'path', 'expected', 'found']);
  });

  test('control characters and long names of a file do not reach the page', () => {
    const text = sentenceFor(new Error(`a\u0000b\u202e${'x'.repeat(5000)}`));
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text.length).toBeLessThan(1000);
  });

  test('options of the command are no advice for a visitor', () => {
    const error = new Error('this is an architecture of Keras: give the file of its weights as --weights FILE.h5');
    expect(sentenceFor(error)).toBe(
      'this is an architecture of Keras: drop it together with the .h5 file of its weights',
    );
  });
});

describe('layers are listed with the sizes of their inputs and units', () => {
  const FIXTURES = new URL('../../../test/fixtures/', import.meta.url);
  test.each([
    ['keras/layers/gru.keras', ['GRU(3, 4)', 'GRU(3, 4)', 'Bidirectional(3, 3)', 'Bidirectional(4, 3)', 'GRU(4, 5)']],
    ['dtln/model_1.onnx', ['LSTM(257, 128)', 'LSTM(128, 128)']],
    ['../../examples/guitar-amp/data/rtneural/lstm_torch.json', ['LSTM(1, 8)']],
  ])('%s', async (path, expected) => {
    const bytes = await readFile(new URL(path, FIXTURES));
    const { rows } = await contentsOf(await openFiles([new File([bytes], basename(path))]));
    const cells = rows.map(({ text }) => text).filter((text) => /\(\d/.test(text));
    expect(cells.slice(0, expected.length)).toEqual(expected);
  });
});
