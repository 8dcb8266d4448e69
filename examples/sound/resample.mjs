import { InputError } from '../program.mjs';

/** Samples of input at a time. */
const PIECE = 8192;
/** What the library takes at most, and what audio has. */
const RATES = [1000, 384_000];

/**
 * One channel from one sample rate to another, piece by piece, by libsamplerate's middle sinc filter (121 dB). Output sample n lies at the
 * time n / to; the first ones come when the filter has seen what follows them.
 */
export class Resampler {
  #converter;
  #from;
  #to;
  #taken = 0;
  #given = 0;

  /** @param {number} from Hz @param {number} to Hz */
  static async open(from, to) {
    for (const rate of [from, to]) {
      if (rate >= RATES[0] && rate <= RATES[1]) continue;
      throw new InputError(`expected a sample rate of ${RATES.join(' to ')} Hz, got ${rate} Hz`);
    }
    if (from === to) return new Resampler(undefined, from, to);
    // 2 MB, which a recording at the right rate does not need
    const { ConverterType, create } = (await import('@alexanderolsen/libsamplerate-js')).default;
    const converterType = ConverterType.SRC_SINC_MEDIUM_QUALITY;
    return new Resampler(await create(1, from, to, { converterType }), from, to);
  }

  constructor(converter, from, to) {
    this.#converter = converter;
    this.#from = from;
    this.#to = to;
  }

  /** @param {Float32Array} samples @returns {Float32Array} as many as can be given now */
  push(samples) {
    this.#taken += samples.length;
    return this.#convert(samples);
  }

  /** The rest, so that all outputs together last as long as the input, rounded up to a sample. */
  end() {
    const missing = Math.ceil((this.#taken * this.#to) / this.#from) - this.#given;
    const parts = [new Float32Array(0)];
    const silence = new Float32Array(PIECE);
    for (let length = 0; length < missing; length += parts.at(-1).length) parts.push(this.#convert(silence));
    this.#converter?.destroy();
    return concatenate(parts).subarray(0, missing);
  }

  #convert(samples) {
    if (!this.#converter) {
      this.#given += samples.length;
      return samples;
    }
    const parts = [];
    for (let at = 0; at < samples.length; at += PIECE) {
      // the result is a view that the next call overwrites
      parts.push(this.#converter.full(samples.subarray(at, at + PIECE)).slice());
    }
    const result = concatenate(parts);
    this.#given += result.length;
    return result;
  }
}

/** A whole recording. @param {Float32Array} samples @param {number} from Hz @param {number} to Hz */
export async function resample(samples, from, to) {
  const resampler = await Resampler.open(from, to);
  const first = resampler.push(samples);
  return concatenate([first, resampler.end()]);
}

/** @param {Float32Array[]} parts @returns {Float32Array} */
export function concatenate(parts) {
  const result = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
