import { CliError } from '../errors.ts';
import type { AnyValue } from '../model.ts';

// WAV: http://soundfile.sapp.org/doc/WaveFormat/ and WAVE_FORMAT_EXTENSIBLE. Every size is checked before it is used, which is
// half of the work and what libraries leave out.

export interface Sound extends AnyValue {
  readonly data: Float32Array;
  readonly sampleRate: number;
}

const [INTEGERS, FLOATS, EXTENSIBLE] = [1, 3, 0xfffe] as const;

type Read = (view: DataView, at: number) => number;

/** Readers of samples by format and bits; integers become -1 to 1. */
const READERS: Readonly<Record<string, Read>> = {
  [`${INTEGERS} 8`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${INTEGERS} 16`]: (view, at) => view.getInt16(at, true) / 2 ** 15,
  [`${INTEGERS} 24`]: (view, at) => (view.getUint16(at, true) / 256 + view.getInt8(at + 2) * 256) / 2 ** 15,
  [`${INTEGERS} 32`]: (view, at) => view.getInt32(at, true) / 2 ** 31,
  [`${FLOATS} 32`]: (view, at) => view.getFloat32(at, true),
  [`${FLOATS} 64`]: (view, at) => view.getFloat64(at, true),
};

export function isWav(bytes: Uint8Array): boolean {
  return textAt(bytes, 0) === 'RIFF' && textAt(bytes, 8) === 'WAVE';
}

function textAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

/** Reads samples (samples), or of several channels (samples, channels). */
export function readWav(bytes: Uint8Array): Sound {
  const chunks = readChunks(bytes);
  const [format, data] = [chunks.get('fmt '), chunks.get('data')];
  if (!format || !data) throw new CliError(`wav: it has no "${format ? 'data' : 'fmt '}" chunk`);
  if (format.byteLength < 16)
    throw new CliError(`wav: its "fmt " chunk has ${format.byteLength} bytes, expected at least 16`);
  const tag = format.getUint16(0, true);
  const kind = tag === EXTENSIBLE && format.byteLength >= 26 ? format.getUint16(24, true) : tag;
  const channels = format.getUint16(2, true);
  const sampleRate = format.getUint32(4, true);
  const bits = format.getUint16(14, true);
  const read = READERS[`${kind} ${bits}`];
  if (!read)
    throw new CliError(
      `wav: expected integers of 8, 16, 24 or 32 bits, or floats of 32 or 64, got format ${kind} of ${bits} bits`,
    );
  if (channels === 0 || sampleRate === 0) throw new CliError(`wav: it has ${channels} channels at ${sampleRate} Hz`);
  const step = bits / 8;
  const count = Math.floor(data.byteLength / (step * channels));
  if (count === 0) throw new CliError('wav: it has no samples');
  const samples = Float32Array.from({ length: count * channels }, (_, i) => read(data, i * step));
  return { data: samples, dims: channels === 1 ? [count] : [count, channels], sampleRate };
}

/** The first "fmt " and "data" chunks. A recording that was cut off ends where the file ends. */
function readChunks(bytes: Uint8Array): Map<string, DataView> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const chunks = new Map<string, DataView>();
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = textAt(bytes, at);
    const size = view.getUint32(at + 4, true);
    const room = bytes.length - at - 8;
    // a live recording has 0 or the largest number here until it ends
    const length = id === 'data' && (size === 0xffffffff || size > room) ? room : size;
    if (length > room) throw new CliError(`wav: its "${id}" chunk says ${size} bytes, ${room} are there`);
    if ((id === 'fmt ' || id === 'data') && !chunks.has(id)) {
      chunks.set(id, new DataView(bytes.buffer, bytes.byteOffset + at + 8, length));
    }
    at += 8 + length + (length % 2);
  }
  return chunks;
}
