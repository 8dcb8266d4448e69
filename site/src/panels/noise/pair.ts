import { HOP, LINES, START } from '../../kit/columns.ts';
import { Peaks, type Picture } from '../../kit/rows.ts';

export const RATE = 16_000;
/** Samples of a block of DTLN, and by how many the output is late. */
export const BLOCK = 128;
export const DELAY = 384;
/** Seconds in which a level is measured. */
const FRAME = 0.032;
/** Quieter than this is silence, in decibels. */
const SILENCE = -100;

/** What came of a part of a sound: sample on sample. */
export interface NoisePart {
  readonly noisy: Float32Array;
  readonly cleaned: Float32Array;
  /** Columns of spectrograms: of what is kept, and of what is taken away */
  readonly kept: Uint8Array;
  readonly taken: Uint8Array;
  /** Blocks that went through the network, and the time that they took. */
  readonly blocks: number;
  readonly milliseconds: number;
}

/** A noisy sound and the cleaned one, as far as they have come. */
export class Pair {
  readonly noisy: Float32Array<ArrayBuffer>;
  readonly cleaned: Float32Array<ArrayBuffer>;
  readonly peaks: { readonly noisy: Peaks; readonly cleaned: Peaks };
  blocks = 0;
  milliseconds = 0;
  #length = 0;
  #kept: Uint8Array;
  #taken: Uint8Array;
  #columns = 0;

  /** @param samples the most that it can hold */
  constructor(readonly room: number) {
    [this.noisy, this.cleaned] = [new Float32Array(room), new Float32Array(room)];
    const peaks = () => new Peaks(new Float32Array(0), RATE, room);
    this.peaks = { noisy: peaks(), cleaned: peaks() };
    const bytes = Math.ceil(room / HOP) * LINES;
    [this.#kept, this.#taken] = [new Uint8Array(bytes), new Uint8Array(bytes)];
  }

  /** Samples that have come. */
  get length(): number {
    return this.#length;
  }
  get seconds(): number {
    return this.#length / RATE;
  }
  get isFull(): boolean {
    return this.#length === this.room;
  }

  /** Adds a part at the end; what has no room is left out. */
  add(part: NoisePart): void {
    const length = Math.min(part.noisy.length, this.room - this.#length);
    for (const name of ['noisy', 'cleaned'] as const) {
      const samples = part[name].subarray(0, length);
      this[name].set(samples, this.#length);
      this.peaks[name].add(samples);
    }
    const start = this.#columns * LINES;
    this.#kept.set(part.kept.subarray(0, this.#kept.length - start), start);
    this.#taken.set(part.taken.subarray(0, this.#taken.length - start), start);
    this.#columns = Math.min(this.#kept.length, start + part.kept.length) / LINES;
    this.#length += length;
    this.blocks += part.blocks;
    this.milliseconds += part.milliseconds;
  }

  /** All that has come, as one part. */
  part(): NoisePart {
    const columns = this.#columns * LINES;
    return {
      noisy: this.noisy.subarray(0, this.#length),
      cleaned: this.cleaned.subarray(0, this.#length),
      kept: this.#kept.subarray(0, columns),
      taken: this.#taken.subarray(0, columns),
      blocks: this.blocks,
      milliseconds: this.milliseconds,
    };
  }

  picture(name: 'kept' | 'taken'): Picture {
    const data = name === 'kept' ? this.#kept : this.#taken;
    return { data, lines: LINES, columns: this.#columns, start: START / RATE, every: HOP / RATE, upwards: true };
  }

  /** Levels around a time in decibels below full scale; undefined where it is silent. */
  levels(time: number): { noisy: number | undefined; cleaned: number | undefined } {
    const start = Math.max(0, Math.min(this.#length, Math.round((time - FRAME / 2) * RATE)));
    const end = Math.min(this.#length, start + FRAME * RATE);
    const level = (samples: Float32Array) => {
      const decibels = 10 * Math.log10(energy(samples, start, end) / Math.max(1, end - start));
      return decibels > SILENCE ? decibels : undefined;
    };
    return { noisy: level(this.noisy), cleaned: level(this.cleaned) };
  }

  /**
   * How much quieter the cleaned sound is, in decibels: in the fifth of it where least is left, which is noise, and in the fifth where
   * most is left, which is voice.
   */
  changes(): { noise: number; voice: number } {
    return changes(this.noisy.subarray(0, this.#length), this.cleaned.subarray(0, this.#length));
  }
}

/** See Pair.changes(). */
export function changes(noisy: Float32Array, cleaned: Float32Array): { noise: number; voice: number } {
  const size = FRAME * RATE;
  const frames = Array.from({ length: Math.floor(noisy.length / size) }, (_, n) => ({
    before: energy(noisy, n * size, (n + 1) * size),
    after: energy(cleaned, n * size, (n + 1) * size),
  })).sort((a, b) => a.after - b.after);
  const fifth = Math.ceil(frames.length / 5);
  const change = (some: typeof frames) => {
    const [before, after] = some.reduce(([b, a], frame) => [b + frame.before, a + frame.after], [0, 0]);
    return before > 0 ? Math.max(SILENCE, 10 * Math.log10(after / before)) : 0;
  };
  return { noise: change(frames.slice(0, fifth)), voice: change(frames.slice(frames.length - fifth)) };
}

function energy(samples: Float32Array, start: number, end: number): number {
  let sum = 0;
  for (let n = start; n < end; n++) sum += samples[n]! ** 2;
  return sum;
}
