import { InputError } from '../program.mjs';

/** How a sample of a WAV file is read, by the format and bits that its header gives. */
const READERS = {
  '1/8': (bytes, at) => (bytes.readUInt8(at) - 128) / 128,
  '1/16': (bytes, at) => bytes.readInt16LE(at) / 2 ** 15,
  '1/24': (bytes, at) => bytes.readIntLE(at, 3) / 2 ** 23,
  '1/32': (bytes, at) => bytes.readInt32LE(at) / 2 ** 31,
  '3/32': (bytes, at) => bytes.readFloatLE(at),
  '3/64': (bytes, at) => bytes.readDoubleLE(at),
};
/** WAVE_FORMAT_EXTENSIBLE; the first word of its subformat is then the format. */
const EXTENSIBLE = 0xfffe;
/** Sizes of samples from here on, and 0, stand for a length that is not known. */
const UNKNOWN_SIZE = 0x7fffff00;
/** Bytes before the samples at most, so that a pipe of something else does not fill the memory. */
const LONGEST_HEADER = 1 << 20;

/** The form of raw samples: 16-bit integers, little-endian, one channel. */
const RAW = { read: READERS['1/16'], size: 2, channels: 1 };

/**
 * Sound that comes in pieces, down-mixed to one channel: a WAV file from its first byte on, or raw samples. Programs that write
 * WAV to a pipe do not know its length: the sound may end before the header says so.
 */
export class SoundStream {
  /** Hz, once the header has come. @type {number | undefined} */
  rate;
  #who;
  #form;
  #rest = Buffer.alloc(0);
  /** Bytes of samples that may still come; other chunks of the file follow. */
  #left = Number.POSITIVE_INFINITY;

  /** @param {string} who names it in errors @param {number} [rate] of raw samples; without it a WAV header comes first */
  constructor(who, rate) {
    this.#who = who;
    if (rate === undefined) return;
    this.rate = rate;
    this.#form = RAW;
  }

  /** @param {Buffer} bytes the next ones @returns {Float32Array} the samples that are whole now */
  push(bytes) {
    this.#rest = this.#rest.length ? Buffer.concat([this.#rest, bytes]) : bytes;
    if (!this.#form) this.#readHeader();
    if (!this.#form) return new Float32Array(0);
    const { read, size, channels } = this.#form;
    const count = Math.floor(Math.min(this.#rest.length, this.#left) / (size * channels));
    const samples = new Float32Array(count);
    for (let n = 0; n < count; n++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += read(this.#rest, (n * channels + channel) * size);
      samples[n] = sum / channels;
      if (!Number.isFinite(samples[n])) this.#refuse(`a sample is ${samples[n]}`);
    }
    const used = count * size * channels;
    this.#left -= used;
    this.#rest = this.#left < size * channels ? Buffer.alloc(0) : this.#rest.subarray(used);
    return samples;
  }

  /** @throws InputError if the sound has ended before its first sample could come */
  end() {
    if (this.#form) return;
    if (this.#rest.length === 0) this.#refuse('it has no samples');
    this.#refuse('not a WAV file that can be read: it ends before its "data" chunk');
  }

  /** Takes the header from the bytes once all of it is there. */
  #readHeader() {
    const bytes = this.#rest;
    const wrong = bytes.length >= 12 || bytes.subarray(0, 4).toString('latin1') !== 'RIFF'.slice(0, bytes.length);
    if (wrong && (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE')) {
      this.#refuse('not a WAV file that can be read: it does not begin with RIFF and WAVE');
    }
    let format;
    for (let at = 12; at + 8 <= bytes.length; ) {
      const id = bytes.toString('latin1', at, at + 4);
      const size = bytes.readUInt32LE(at + 4);
      if (id === 'data') {
        if (!format) this.#refuse('not a WAV file that can be read: it has no "fmt " chunk before its samples');
        this.#begin(format);
        this.#rest = bytes.subarray(at + 8);
        if (size > 0 && size < UNKNOWN_SIZE) this.#left = size;
        return;
      }
      if (id === 'fmt ' && at + 8 + Math.min(size, 26) <= bytes.length) format = bytes.subarray(at + 8, at + 8 + size);
      at += 8 + size + (size % 2);
    }
    if (bytes.length > LONGEST_HEADER) this.#refuse('not a WAV file that can be read: no "data" chunk in its first MB');
  }

  #begin(chunk) {
    if (chunk.length < 16) this.#refuse(`its "fmt " chunk should have 16 bytes, got ${chunk.length}`);
    const [tag, channels, bits] = [chunk.readUInt16LE(0), chunk.readUInt16LE(2), chunk.readUInt16LE(14)];
    const format = tag === EXTENSIBLE && chunk.length >= 26 ? chunk.readUInt16LE(24) : tag;
    const read = READERS[`${format}/${bits}`];
    if (!read) {
      this.#refuse(
        `expected integers of 8, 16, 24 or 32 bits, or floats of 32 or 64, got format ${format} of ${bits} bits`,
      );
    }
    this.rate = chunk.readUInt32LE(4);
    if (channels === 0 || this.rate === 0) this.#refuse(`${channels} channels at ${this.rate} Hz`);
    this.#form = { read, size: bits / 8, channels };
  }

  #refuse(why) {
    throw new InputError(`${this.#who}: ${why}`);
  }
}

/** The mean of all channels. @param {Float32Array[]} channels */
export function mixDown(channels) {
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, n) => channels.reduce((sum, samples) => sum + samples[n], 0) / channels.length);
}
