import { readFileSync } from 'node:fs';
import { loadGuitarML, loadNam } from 'lstm-wasm/audio';
import { describe, expect, test } from 'vitest';
import { sentence } from '../../src/panels/amp/errors.ts';
import { factor, loudness, Meter, matching, peak } from '../../src/panels/amp/levels.ts';
import { describe as describeAmp, isAmpFile, readAmpFile } from '../../src/panels/amp/model-file.ts';
import { type Note, playNotes, RIFF } from '../../src/panels/amp/riff.ts';

const data = new URL('../../../examples/guitar-amp/data/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, data), 'utf8');
const RATE = 48_000;

/** A sine, and how much of a frequency is in a sound. */
const sine = (frequency: number, amplitude: number, length = RATE) =>
  Float32Array.from({ length }, (_, n) => amplitude * Math.sin((2 * Math.PI * frequency * n) / RATE));
function amplitudeAt(sound: Float32Array, frequency: number): number {
  let [real, imaginary] = [0, 0];
  for (const [n, sample] of sound.entries()) {
    real += sample * Math.cos((2 * Math.PI * frequency * n) / RATE);
    imaginary += sample * Math.sin((2 * Math.PI * frequency * n) / RATE);
  }
  return (2 * Math.hypot(real, imaginary)) / sound.length;
}

/** What an amp adds to a sine, as a part of what it leaves of it: total harmonic distortion, without a constant. */
function distortion(amp: ReturnType<typeof loadNam>, frequency: number, amplitude: number): number {
  const output = new Float32Array(RATE);
  amp.process(sine(frequency, amplitude), output);
  const steady = output.subarray(RATE / 2);
  const mean = steady.reduce((sum, sample) => sum + sample, 0) / steady.length;
  const tone = amplitudeAt(steady, frequency) / Math.SQRT2;
  return Math.sqrt(loudness(steady) ** 2 - mean ** 2 - tone ** 2) / tone;
}

describe('the built-in amp', () => {
  test('distorts, as that of the example hardly does', () => {
    for (const frequency of [80, 200, 400]) {
      expect(distortion(loadGuitarML(read('guitarml/ts9-lstm8.json')), frequency, 0.2)).toBeGreaterThan(0.1);
      expect(distortion(loadNam(read('nam/lstm.nam')), frequency, 0.2)).toBeLessThan(0.01);
    }
  });

  test('holds numbers that are floats, each of them to the last digit', () => {
    const file: { state_dict: Record<string, number[] | number[][]> } = JSON.parse(read('guitarml/ts9-lstm8.json'));
    const numbers = Object.values(file.state_dict).flat(2);
    expect(numbers.length).toBe(361);
    expect(numbers.map(Math.fround)).toEqual(numbers);
  });
});

describe('playNotes()', () => {
  const note = (semitones: number, damped = false): Note => ({ at: 0, eighths: 2, semitones, damped });

  test('moves the pitch by semitones', () => {
    for (const [semitones, frequency] of [
      [0, 440],
      [-12, 220],
      [7, 659.26],
    ] as const) {
      const sound = playNotes(sine(440, 1), RATE, [note(semitones)]).subarray(0, 9600);
      expect(amplitudeAt(sound, frequency), String(semitones)).toBeGreaterThan(0.3);
      expect(amplitudeAt(sound, frequency * 1.25), String(semitones)).toBeLessThan(0.02);
    }
  });

  test('damps, ends without a click, and is as loud as models of amps expect', () => {
    const sound = playNotes(sine(440, 1), RATE, [note(0, true)]);
    expect(peak(sound)).toBeCloseTo(0.35, 6);
    expect(peak(sound.subarray(9600))).toBeLessThan(0.03);
    expect(Math.abs(sound.at(-1)!)).toBeLessThan(1e-3);
  });

  test('plays a riff in which no note lies over another', () => {
    for (const [n, { at }] of RIFF.entries()) if (n) expect(at).toBe(RIFF[n - 1]!.at + RIFF[n - 1]!.eighths);
    expect(playNotes(sine(440, 1), RATE).length).toBe(16 * 0.2 * RATE);
    expect(playNotes(new Float32Array(), RATE).every((sample) => sample === 0)).toBe(true);
  });
});

describe('levels', () => {
  test('factor() and loudness()', () => {
    expect(factor(6)).toBeCloseTo(1.995, 3);
    expect(loudness(sine(100, 1))).toBeCloseTo(Math.SQRT1_2, 5);
    expect(loudness(new Float32Array())).toBe(0);
  });

  test('matching() makes one sound as loud as the other, with its sign', () => {
    const heard = sine(100, 0.5);
    expect(matching(heard, sine(100, 0.1))).toBeCloseTo(5, 5);
    expect(matching(heard, sine(100, -0.1))).toBeCloseTo(-5, 5);
    expect(matching(heard, new Float32Array(RATE))).toBe(1);
    expect(matching(heard, sine(100, 1e-6))).toBeCloseTo(100, 5);
  });

  test('Meter weighs stretches by their blocks, and is sure from five ticks of the clock on', () => {
    const meter = new Meter();
    expect(meter.load).toBe(0);
    meter.add({ average: 0.001, peak: 0.4, blocks: 750, late: 0 });
    expect(meter.isSure(128 / RATE)).toBe(false);
    meter.add({ average: 0.004, peak: 1.1, blocks: 2250, late: 2 });
    expect(meter.load).toBeCloseTo(0.00325, 6);
    expect(meter.isSure(128 / RATE)).toBe(true);
    expect([meter.blocks, meter.late]).toEqual([3000, 2]);
  });
});

describe('files', () => {
  test('are told by their names', () => {
    expect(['a.nam', 'B.JSON', 'x.aidax'].map(isAmpFile)).toEqual([true, true, true]);
    expect(['model.json', 'a.wav', 'nam'].map(isAmpFile)).toEqual([false, false, false]);
  });

  test('are described by their fields, whatever they hold', () => {
    expect(describeAmp(read('guitarml/ts9-lstm8.json'))).toEqual({
      family: 'GuitarML',
      network: 'LSTM of 8 units',
      rate: 'not in the file',
    });
    expect(describeAmp(read('nam/lstm.nam'))).toMatchObject({
      family: 'Neural Amp Modeler',
      network: 'LSTM of 3 units',
    });
    expect(describeAmp(read('rtneural/lstm_torch.json')).family).toBe('PyTorch as JSON');
    const keras = readFileSync(new URL('../../../test/fixtures/audio/lstm_1d.json', import.meta.url), 'utf8');
    expect(describeAmp(keras)).toMatchObject({ family: 'RTNeural', network: '1 LSTM of 2 layers' });
    for (const text of ['', 'null', '[]', '{"layers":[null]}', '{"architecture":"LSTM","config":null}']) {
      expect(Object.values(describeAmp(text)).every((value) => typeof value === 'string')).toBe(true);
    }
  });

  test('of other kinds and sizes are refused in a sentence', async () => {
    await expect(readAmpFile(new File(['x'], 'song.mp3', { type: 'audio/mpeg' }))).rejects.toThrow(
      /song\.mp3 is no amp: drop a \.nam/,
    );
    await expect(readAmpFile(new File([new Uint8Array(33e6)], 'huge.nam'))).rejects.toThrow(/huge\.nam has 33 MB/);
    expect(await readAmpFile(new File(['{}'], 'a.nam'))).toEqual({ name: 'a.nam', text: '{}', bytes: 2 });
  });

  test('errors become sentences of the page', () => {
    expect(sentence(new Error('lstm-wasm: WebAssembly SIMD is needed, which this engine lacks'))).toMatch(
      /^This browser has no WebAssembly SIMD/,
    );
    expect(sentence(new TypeError('LstmNode: there is no AudioWorklet here'))).toMatch(
      /^This page has no AudioWorklet/,
    );
  });
});
