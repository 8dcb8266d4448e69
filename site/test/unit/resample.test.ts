import { expect, test } from 'vitest';
import { inBlocks, resampling } from '../../src/kit/resample.ts';

const tone = (rate: number, seconds: number, hertz: number) =>
  Float32Array.from({ length: Math.round(rate * seconds) }, (_, n) => 0.5 * Math.sin((2 * Math.PI * hertz * n) / rate));

/** What comes of a sound that is given in parts. */
function inParts(change: (samples: Float32Array) => Float32Array, sound: Float32Array, lengths: number[]): number[] {
  const out: number[] = [];
  for (let at = 0, n = 0; at < sound.length; n++) {
    const length = lengths[n % lengths.length]!;
    out.push(...change(sound.slice(at, at + length)));
    at += length;
  }
  return out;
}

test.each([48_000, 44_100, 22_050, 8000])('a tone at %i Hz is the same tone at 16 kHz, however it is cut', (rate) => {
  const sound = tone(rate, 0.5, 440);
  const found = inParts(resampling(rate, 16_000), sound, [1024]);
  expect(inParts(resampling(rate, 16_000), sound, [1, 127, 3000])).toEqual(found);
  // the last few wait for what follows them
  expect(found.length).toBeGreaterThan(7800);
  expect(found.length).toBeLessThanOrEqual(8000);
  const expected = tone(16_000, 0.5, 440);
  for (let n = 200; n < found.length - 200; n++) expect(Math.abs(found[n]! - expected[n]!)).toBeLessThan(0.005);
});

test('a sound at the right rate is left as it is', () => {
  const sound = tone(16_000, 0.1, 300);
  expect(resampling(16_000, 16_000)(sound)).toBe(sound);
});

test('blocks are whole, in order, and nothing is lost but the rest', () => {
  const sound = Float32Array.from({ length: 1000 }, (_, n) => n);
  const cut = inBlocks(128);
  const parts = [cut(sound.slice(0, 100)), cut(sound.slice(100, 300)), cut(sound.slice(300))];
  expect(parts.map(({ length }) => length)).toEqual([0, 256, 640]);
  expect(parts.flatMap((part) => [...part])).toEqual([...sound.slice(0, 896)]);
});
