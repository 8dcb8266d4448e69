import { CliError } from '../errors.ts';
import type { AnyValue } from '../model.ts';

/** The tag of floats, as wav.ts reads it. */
const FLOATS = 3;
const MOST = 2 ** 32 - 1;
/** The size of a sample of all channels has 16 bits. */
const MOST_CHANNELS = 16_383;

/** Writes floats of 32 bits: the samples' own bits, nothing is rounded or clipped. */
export function writeWav({ data, dims }: AnyValue, sampleRate: number): Uint8Array {
  const samples = data instanceof Float32Array ? data : Float32Array.from(data as Int32Array, Number);
  const channels = dims.length > 1 ? dims.at(-1)! : 1;
  if (channels < 1 || channels > MOST_CHANNELS)
    throw new CliError(`wav: a sound of floats has 1 to 16,383 channels, the output has ${channels}`);
  const rate = sampleRate * channels * 4;
  if (rate > MOST || 50 + samples.byteLength > MOST)
    throw new CliError(
      `wav: its sizes have 32 bits, which ${samples.length} samples at ${sampleRate} Hz exceed: write .npy instead`,
    );
  const bytes = Buffer.alloc(58 + samples.byteLength);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(50 + samples.byteLength, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(18, 16);
  bytes.writeUInt16LE(FLOATS, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt32LE(rate, 28);
  bytes.writeUInt16LE(channels * 4, 32);
  bytes.writeUInt16LE(32, 34);
  bytes.write('fact', 38, 'latin1');
  bytes.writeUInt32LE(4, 42);
  bytes.writeUInt32LE(samples.length / channels, 46);
  bytes.write('data', 50, 'latin1');
  bytes.writeUInt32LE(samples.byteLength, 54);
  bytes.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), 58);
  return bytes;
}
