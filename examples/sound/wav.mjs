import { readFileSync, writeFileSync } from 'node:fs';
import wavefile from 'wavefile';
import { InputError } from '../program.mjs';

const { WaveFile } = wavefile;

/** From wavefile's bit depth codes to the value of a sample in -1 .. 1. */
const TO_FLOAT = {
  8: (v) => (v - 128) / 128,
  16: (v) => v / 2 ** 15,
  24: (v) => v / 2 ** 23,
  32: (v) => v / 2 ** 31,
  '32f': (v) => v,
  64: (v) => v,
};

/** WAVE_FORMAT_EXTENSIBLE; the first word of its subformat is then the format: 1 integers, 3 floats. */
const EXTENSIBLE = 0xfffe;

/**
 * A WAV file, channel by channel.
 * @param {string} path
 * @returns {{ channels: Float32Array[], sampleRate: number, bitDepth: string }} samples in -1 .. 1; at least one of them
 * @throws {InputError} if it cannot be read, is damaged, or holds other numbers than plain integers or floats
 */
export function readWav(path) {
  const refuse = (why) => {
    throw new InputError(`${path}: ${why}`);
  };
  const bytes = attempt(
    () => readFileSync(path),
    (error) => refuse(error.message),
  );
  const { format, bitDepth, count, sampleRate, interleaved } = attempt(
    () => decode(onlySamples(bytes)),
    (error) => refuse(`not a WAV file that can be read: ${error.message}`),
  );
  const toFloat = TO_FLOAT[bitDepth];
  if (!toFloat || format !== (bitDepth === '32f' || bitDepth === '64' ? 3 : 1)) {
    refuse(`expected integers of 8, 16, 24 or 32 bits, or floats, got format ${format} of ${bitDepth} bits`);
  }
  const length = count > 0 ? Math.floor(interleaved.length / count) : 0;
  if (length === 0) refuse('it has no samples');
  if (sampleRate === 0) refuse('its sample rate is 0');
  const channels = Array.from({ length: count }, () => new Float32Array(length));
  for (const [channel, samples] of channels.entries()) {
    for (let n = 0; n < length; n++) samples[n] = toFloat(interleaved[n * count + channel]);
    const odd = samples.findIndex((value) => !Number.isFinite(value));
    if (odd >= 0) refuse(`sample ${odd} is ${samples[odd]}`);
  }
  return { channels, sampleRate, bitDepth };
}

/** What wavefile makes of a file, with the real format in place of "extensible". */
function decode(bytes) {
  const wav = new WaveFile(bytes);
  const { audioFormat, numChannels: count, sampleRate, subformat } = wav.fmt;
  const format = audioFormat === EXTENSIBLE ? subformat[0] : audioFormat;
  if (format === 3 && wav.bitDepth === '32') {
    // wavefile takes extensible floats for integers: the bits are right, and what they mean is not.
    const interleaved = new Float32Array(wav.getSamples(true, Int32Array).buffer);
    return { format, bitDepth: '32f', count, sampleRate, interleaved };
  }
  return { format, bitDepth: wav.bitDepth, count, sampleRate, interleaved: wav.getSamples(true) };
}

/**
 * The same RIFF file with its first `fmt ` and `data` chunks alone. wavefile reads whatever else is there too, and there
 * are damaged lists and cue tables that it never gets to the end of.
 * @param {Buffer} bytes
 * @returns {Buffer}
 */
function onlySamples(bytes) {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('it does not begin with RIFF and WAVE');
  }
  const chunks = new Map();
  for (let at = 12; at + 8 <= bytes.length && chunks.size < 2; ) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const end = at + 8 + size;
    if ((id === 'fmt ' || id === 'data') && !chunks.has(id)) {
      if (end > bytes.length)
        throw new Error(`its "${id}" chunk should have ${size} bytes, ${end - bytes.length} are missing`);
      chunks.set(id, bytes.subarray(at, end));
    }
    at = end + (size % 2); // chunks begin at even offsets
  }
  for (const id of ['fmt ', 'data']) if (!chunks.has(id)) throw new Error(`it has no "${id}" chunk`);
  return Buffer.concat([bytes.subarray(0, 12), chunks.get('fmt '), chunks.get('data')]);
}

/**
 * 32-bit floats: the samples' own bits, nothing rounded or clipped.
 * @param {string} path
 * @param {Float32Array[]} channels
 * @param {number} sampleRate
 */
export function writeWav(path, channels, sampleRate) {
  const { length } = channels[0];
  const interleaved = new Float32Array(length * channels.length);
  for (const [channel, samples] of channels.entries()) {
    for (let n = 0; n < length; n++) interleaved[n * channels.length + channel] = samples[n];
  }
  const wav = new WaveFile();
  // The library writes the header; its way of packing samples is eighty times as slow.
  wav.fromScratch(channels.length, sampleRate, '32f', []);
  wav.data.samples = new Uint8Array(interleaved.buffer);
  wav.data.chunkSize = interleaved.byteLength;
  wav.chunkSize += interleaved.byteLength;
  attempt(
    () => writeFileSync(path, wav.toBuffer()),
    (error) => {
      throw new InputError(`${path}: ${error.message}`);
    },
  );
}

function attempt(work, onError) {
  try {
    return work();
  } catch (error) {
    return onError(error);
  }
}
