import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cut, runs } from '../../src/panels/words/cuts.ts';
import { measure } from '../../src/panels/words/measure.ts';
import { Segmenter } from '../../src/panels/words/segmenter.ts';
import { SENTENCES } from '../../src/panels/words/sentences.ts';

const url = (path: string) => new URL(path, import.meta.url);
execFileSync(process.execPath, [url('../../scripts/make-words.mjs').pathname]);
const segmenter = new Segmenter(readFileSync(url('../../public/built/words.safetensors')));

interface Published {
  readonly lines: readonly { text: string; words: string[]; probabilities: number[][] }[];
}
const { lines }: Published = JSON.parse(
  readFileSync(url('../../../examples/word-segmentation/data/thai-model5.expected.json'), 'utf8'),
);

const words = (text: string) => segmenter.read(text).words.map((word) => word.text);

describe('Segmenter', () => {
  test('gives the published words, and the probabilities of PyTorch in float64', () => {
    for (const { text, words: expected, probabilities } of lines) {
      const { starts } = segmenter.read(text);
      expect(words(text)).toEqual(expected);
      for (const [t, [begins, , , alone]] of probabilities.entries()) {
        expect(Math.abs(starts[t]! - begins! - alone!)).toBeLessThan(1e-5);
      }
    }
  });

  test('reads each run of Thai as it would alone, and nothing else', () => {
    const [thai] = SENTENCES.map((sentence) => sentence.thai);
    const alone = segmenter.read(thai!);
    const among = segmenter.read(`3 x 😀${thai} ${thai}`);
    expect(among.words.map(({ text }) => text)).toEqual(['3 x 😀', ...words(thai!), ' ', ...words(thai!)]);
    const { length } = alone.letters;
    expect(among.starts.slice(5, 5 + length)).toEqual(alone.starts);
    expect(among.states.slice(6 * alone.units + alone.states.length)).toEqual(alone.states);
    expect([...among.starts.slice(0, 5)]).toEqual(Array(5).fill(Number.NaN));
    expect(among.states.slice(0, 5 * among.units).every((h) => h === 0)).toBe(true);
  });

  test('reads nothing of no text', () => {
    expect(segmenter.read('')).toMatchObject({ letters: [], words: [] });
    expect(words('abc')).toEqual(['abc']);
  });

  test('puts the words of every built-in sentence together again', () => {
    for (const { thai } of SENTENCES) expect(words(thai).join('')).toBe(thai);
  });
});

test('runs() counts code points', () => {
  expect(runs('a แมว 😀นอน')).toEqual([
    { from: 2, to: 5 },
    { from: 7, to: 10 },
  ]);
  expect(runs('😀')).toEqual([]);
});

test('cut() begins a word above one half, at the first letter of a run, and after it', () => {
  const starts = Float32Array.of(0.1, 0.5, 0.51, Number.NaN, Number.NaN, 0.2);
  const found = cut([...'abcdef'], starts).map(({ from, to, text }) => [from, to, text]);
  expect(found).toEqual([
    [0, 2, 'ab'],
    [2, 3, 'c'],
    [3, 5, 'de'],
    [5, 6, 'f'],
  ]);
});

test('measure() gives the mean of as many rounds as the time has room for', () => {
  let clock = 0;
  const run = () => {
    clock += 2;
  };
  expect(measure(run, 10, () => clock)).toEqual({ seconds: 0.002, rounds: 5 });
  expect(measure(run, 1, () => clock)).toEqual({ seconds: 0.002, rounds: 1 });
});
