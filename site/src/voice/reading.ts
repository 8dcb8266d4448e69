import { HOP, LINES, START } from '../kit/columns.ts';
import { Peaks, type Picture } from '../kit/rows.ts';
import { type Part, RATE, STEP, UNITS } from './parts.ts';

/** Everything that the page knows of a sound by now: it grows part by part. */
export class Reading {
  /** The sound itself; empty of a drawing that was made at build time. */
  readonly samples: Float32Array<ArrayBuffer>;
  readonly peaks: Peaks;
  readonly probabilities: Float32Array;
  /** Milliseconds in the network. */
  milliseconds = 0;
  /** Which unit stands in which line. */
  order: Uint8Array = Uint8Array.from({ length: UNITS }, (_, n) => n);
  #steps = 0;
  #cells: Uint8Array;
  #above: Uint8Array;
  #below: Uint8Array;
  #spectrum: Uint8Array;
  #columns = 0;

  /** @param seconds the longest that it can become @param limit the |c| at which the heat map's colours end */
  constructor(
    seconds: number,
    readonly limit: number,
    samples = new Float32Array(Math.ceil(seconds * RATE)),
  ) {
    const steps = Math.ceil(seconds / STEP);
    this.samples = samples;
    this.peaks = new Peaks(new Float32Array(0), RATE, Math.ceil(seconds * RATE));
    this.probabilities = new Float32Array(steps);
    this.#cells = new Uint8Array(steps * UNITS);
    this.#above = new Uint8Array(steps);
    this.#below = new Uint8Array(steps);
    this.#spectrum = new Uint8Array(Math.ceil((seconds * RATE) / HOP) * LINES);
  }

  get steps(): number {
    return this.#steps;
  }
  get seconds(): number {
    return this.#steps * STEP;
  }
  get isFull(): boolean {
    return this.#steps === this.probabilities.length;
  }

  /** Adds a part at the end; what has no room is left out. */
  add(part: Part): void {
    const steps = Math.min(part.probabilities.length, this.probabilities.length - this.#steps);
    if (part.samples !== this.samples) this.#keep(part.samples.subarray(0, steps * STEP * RATE));
    this.probabilities.set(part.probabilities.subarray(0, steps), this.#steps);
    this.#cells.set(part.cells.subarray(0, steps * UNITS), this.#steps * UNITS);
    this.#above.set(part.above.subarray(0, steps), this.#steps);
    this.#below.set(part.below.subarray(0, steps), this.#steps);
    const room = this.#spectrum.length - this.#columns * LINES;
    const spectrum = part.spectrum.subarray(0, room);
    this.#spectrum.set(spectrum, this.#columns * LINES);
    this.#columns += spectrum.length / LINES;
    this.milliseconds += part.milliseconds;
    this.#steps += steps;
  }

  #keep(samples: Float32Array): void {
    this.samples.set(samples.subarray(0, this.samples.length - this.#steps * STEP * RATE), this.#steps * STEP * RATE);
    this.peaks.add(samples);
  }

  /** The probability at a time. */
  probability(time: number): number {
    return this.probabilities[this.#step(time)] ?? 0;
  }
  /** How many units' c is above 1 and below -1 at a time. */
  extremes(time: number): { above: number; below: number } {
    return { above: this.#above[this.#step(time)] ?? 0, below: this.#below[this.#step(time)] ?? 0 };
  }
  #step(time: number): number {
    return Math.max(0, Math.min(this.#steps - 1, Math.floor(time / STEP)));
  }

  /** The largest amplitude in the step at a time. */
  amplitude(time: number): number {
    const start = this.#step(time) * STEP;
    const [low, high] = this.peaks.between(start, start + STEP);
    return Math.max(-low, high);
  }
  /** The frequency in Hz that is strongest at a time; undefined in silence. */
  loudest(time: number): number | undefined {
    const column = Math.min(this.#columns - 1, Math.max(0, Math.floor((time * RATE) / HOP - 0.5)));
    const start = column * LINES;
    let best = 0;
    let line = -1;
    for (let n = 1; n < LINES; n++) {
      const level = this.#spectrum[start + n] ?? 0;
      if (level > best) [best, line] = [level, n];
    }
    return line < 0 ? undefined : (line * RATE) / 2 / LINES;
  }

  cells(): Picture {
    return {
      data: this.#cells,
      lines: UNITS,
      columns: this.#steps,
      start: 0,
      every: STEP,
      upwards: false,
      order: this.order,
    };
  }
  spectrum(): Picture {
    return {
      data: this.#spectrum,
      lines: LINES,
      columns: this.#columns,
      start: START / RATE,
      every: HOP / RATE,
      upwards: true,
    };
  }
}
