import { Spectrogram } from '../../../kit/spectrogram.ts';
import type { Heard } from '../types.ts';
import type { Sequence } from './sequence.ts';

/** Seconds below which a sound is a line and no spectrogram. */
const SHORT = 0.1;
/** Numbers a step that a picture shows; more are left out. */
const MOST_LINES = 512;

/** Draws what went into a model. */
export function heardOf({ data, steps, width, every, sound }: Sequence): Heard {
  if (sound && sound.samples.length > SHORT * sound.rate) return spectrogramOf(sound);
  const span = every ?? 1;
  const base = { start: 0, every: span, columns: steps };
  if (width === 1)
    return { ...base, data: new Uint8Array(0), lines: 0, line: data, detail: sound ? 'samples' : '1 number a step' };
  const lines = Math.min(width, MOST_LINES);
  const [low, high] = rangeOf(data);
  const bytes = new Uint8Array(steps * lines);
  for (let t = 0; t < steps; t++) {
    for (let n = 0; n < lines; n++) bytes[t * lines + n] = (255 * (data[t * width + n]! - low)) / (high - low || 1);
  }
  return { ...base, data: bytes, lines, detail: `${width.toLocaleString('en-US')} numbers` };
}

function spectrogramOf({ samples, rate }: NonNullable<Sequence['sound']>): Heard {
  const spectrogram = new Spectrogram(rate, samples.length / rate);
  spectrogram.add(samples);
  const { data, lines, columns, start, every } = spectrogram.picture();
  return {
    ...{ lines, columns, start, every },
    data: data.slice(0, columns * lines) as Uint8Array,
    detail: `0–${Number((rate / 2000).toFixed(1))} kHz`,
  };
}

function rangeOf(data: Float32Array): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [0, 1];
}
