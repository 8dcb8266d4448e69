// Recordings to work on: pieces of one of the tests', each at its own place and volume, so that no two have the same answer.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import wavefile from 'wavefile';
import { SAMPLE_RATE } from './speech-events.mjs';

const { WaveFile } = wavefile;

/** Bytes that hold no recording that the examples can read. */
export class RecordingError extends Error {}

/** @param {Uint8Array} bytes a WAV file, 16 kHz, mono, 16 bits @returns {Float32Array} samples from -1 to 1 */
export function readRecording(bytes) {
  let wav;
  try {
    wav = new WaveFile(bytes);
  } catch (error) {
    throw new RecordingError(`not a WAV file: ${error.message ?? error}`);
  }
  const { sampleRate, numChannels, audioFormat } = wav.fmt;
  const found = `${sampleRate} Hz, ${numChannels} channels, ${wav.bitDepth} bits, format ${audioFormat}`;
  const expected = `${SAMPLE_RATE} Hz, 1 channels, 16 bits, format 1`;
  if (found !== expected) throw new RecordingError(`expected ${expected}, got ${found}`);
  return Float32Array.from(wav.getSamples(true, Int16Array), (sample) => sample / 32768);
}

/** The names of a folder's WAV files, in order. @param {string} folder */
export function listRecordings(folder) {
  // a pipe would be waited for
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name.endsWith('.wav') && !entry.isFIFO())
    .map(({ name }) => name)
    .sort();
  if (names.length === 0) throw new RecordingError(`${folder}: no .wav files`);
  return names;
}

/** 41 s of speech between noise, clicks and silence. */
export function readSource() {
  return readRecording(
    readFileSync(new URL('test/fixtures/vad/mixed.wav', import.meta.resolve('lstm-wasm/package.json'))),
  );
}

/** Piece k of the source, which goes on from its beginning at its end. @param {Float32Array} source @param {number} k @param {number} length */
export function cut(source, k, length) {
  const start = (k * 7919 * 37) % source.length;
  const volume = 1 - (k % 64) / 128;
  return Float32Array.from({ length }, (_, n) => volume * source[(start + n) % source.length]);
}

/** Writes recordings of 1 to `seconds` seconds. @param {string} folder @param {number} count @param {number} seconds @returns {string[]} names */
export function writeRecordings(folder, count, seconds) {
  mkdirSync(folder, { recursive: true });
  const source = readSource();
  return Array.from({ length: count }, (_, k) => {
    const length = Math.floor(SAMPLE_RATE * (1 + ((k * 0.618034) % 1) * (seconds - 1)));
    const wav = new WaveFile();
    wav.fromScratch(
      1,
      SAMPLE_RATE,
      '16',
      Int16Array.from(cut(source, k, length), (sample) => Math.round(32768 * sample)),
    );
    const name = `recording-${String(k).padStart(4, '0')}.wav`;
    writeFileSync(join(folder, name), wav.toBuffer());
    return name;
  });
}
