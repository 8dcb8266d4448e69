import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isSound } from '../../src/kit/is-sound.ts';
import { Effects } from '../../src/voice/effects.ts';
import { type Stretch, spoken, stretchAt, stretches } from '../../src/voice/stretches.ts';

const DATA = new URL('../../../examples/voice-activity/data/', import.meta.url);
const DEFAULTS = { on: 0.5, off: 0.35 };

interface Known {
  readonly sampleRate: number;
  readonly samples: number;
  readonly segments: readonly { start: number; end: number }[];
  readonly probabilities: readonly number[];
}

const known = (name: string): Known => JSON.parse(readFileSync(new URL(name, DATA), 'utf8'));

describe('stretches of speech', () => {
  test.each(['mixed.v5', 'mixed.v6', 'librivox-austen.v5', 'prompt-it.v6', 'go-forward.v5'])(
    'of %s are those of the rule of Silero’s toolkit',
    (name) => {
      const { probabilities, segments, samples, sampleRate } = known(`${name}.json`);
      const found = stretches(Float32Array.from(probabilities), probabilities.length, DEFAULTS);
      expect(found.map(({ from }) => Math.round(from * sampleRate))).toEqual(segments.map(({ start }) => start));
      // the page ends at a whole step, the toolkit at the last sample
      const ends = found.map(({ to }) => Math.min(samples, Math.round(to * sampleRate)));
      expect(ends).toEqual(segments.map(({ end }) => end));
    },
  );

  test('there are fewer above a higher threshold, and none above all', () => {
    const probabilities = Float32Array.from(known('mixed.v5.json').probabilities);
    const seconds = (on: number) => spoken(stretches(probabilities, probabilities.length, { on, off: 0.35 }));
    expect(seconds(0.9)).toBeLessThan(seconds(0.5));
    expect(seconds(0.5)).toBeLessThan(seconds(0.1));
    expect(stretches(probabilities, probabilities.length, { on: 1.1, off: 1.1 })).toEqual([]);
  });

  test('mean and lowest value are those of the steps within', () => {
    const probabilities = new Float32Array(40);
    probabilities.fill(0.5, 10, 30);
    probabilities[20] = 1;
    probabilities[21] = 0.4;
    const [only, ...others] = stretches(probabilities, 40, DEFAULTS);
    expect(others).toEqual([]);
    expect(only!.mean).toBeCloseTo((18 * 0.5 + 1 + 0.4) / 20, 6);
    expect(only!.lowest).toBeCloseTo(0.4, 6);
  });

  test('one that is open is shown at once while sound comes, and counts only when it is long enough at the end', () => {
    const probabilities = Float32Array.of(0, 0, 0.9, 0.9);
    expect(stretches(probabilities, 4, DEFAULTS, true)).toHaveLength(1);
    expect(stretches(probabilities, 4, DEFAULTS)).toEqual([]);
  });

  test('the one at a time is found', () => {
    const all: Stretch[] = [
      { from: 1, to: 2, mean: 1, lowest: 1 },
      { from: 3, to: 4, mean: 1, lowest: 1 },
    ];
    expect([0.5, 1, 1.5, 2, 2.5, 3.9, 5].map((time) => stretchAt(all, time)?.from)).toEqual([
      undefined,
      1,
      1,
      1,
      undefined,
      3,
      undefined,
    ]);
  });
});

test('units stand in the order of what speech does to them', () => {
  const effects = new Effects(4);
  // raised, untouched, lowered, and noisy but raised a little
  for (let step = 0; step < 40; step++) {
    const speech = step % 4 < 2;
    effects.add([speech ? 10 : 0, 7, speech ? 0 : 10, (step % 3) * 50 + (speech ? 5 : 0)], speech);
  }
  expect([...effects.order()]).toEqual([0, 3, 1, 2]);
  const silent = new Effects(3);
  silent.add([3, 2, 1], false);
  expect([...silent.order()]).toEqual([0, 1, 2]);
});

test('a recording is known by its type or its name', () => {
  expect([isSound('', 'audio/wav'), isSound('A.MP3', ''), isSound('film.mp4', 'video/mp4')]).toEqual([1, 1, 1]);
  expect([isSound('model.onnx', ''), isSound('wav.txt', 'text/plain'), isSound('', '')]).toEqual([0, 0, 0]);
});
