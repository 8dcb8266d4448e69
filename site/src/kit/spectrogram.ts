import FFT from 'fft.js';
import { HOP, LINES, START, WINDOW } from './columns.ts';

/** Decibels below full scale that are the paper, and that are the ink. */
const [FLOOR, CEILING] = [-85, -20];

/** A spectrogram that grows as sound comes: bytes for the colour maps, from the lowest frequency up. */
export class Spectrogram {
  #data: Uint8Array;
  #columns = 0;
  #rest = new Float32Array(0);
  #fft = new FFT(WINDOW);
  #out: number[] = this.#fft.createComplexArray();
  #windowed = new Array<number>(WINDOW).fill(0);

  /** @param gamma above 1 what is faint stays faint: the higher, the more of the noise is paper */
  constructor(
    readonly rate: number,
    seconds: number,
    private readonly gamma = 2,
  ) {
    this.#data = new Uint8Array(Math.ceil((seconds * rate) / HOP) * LINES);
  }

  /** Adds sound. Columns that have no room any more are dropped. */
  add(samples: Float32Array): void {
    const sound = new Float32Array(this.#rest.length + samples.length);
    sound.set(this.#rest);
    sound.set(samples, this.#rest.length);
    let at = 0;
    for (; at + WINDOW <= sound.length; at += HOP) this.#column(sound.subarray(at, at + WINDOW));
    this.#rest = sound.slice(at);
  }

  #column(samples: Float32Array): void {
    const start = this.#columns * LINES;
    if (start >= this.#data.length) return;
    for (let n = 0; n < WINDOW; n++) {
      this.#windowed[n] = samples[n]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / WINDOW));
    }
    this.#fft.realTransform(this.#out, this.#windowed);
    for (let bin = 0; bin < LINES; bin++) {
      const amplitude = Math.hypot(this.#out[2 * bin]!, this.#out[2 * bin + 1]!) / (WINDOW / 4);
      const level = (20 * Math.log10(amplitude + 1e-9) - FLOOR) / (CEILING - FLOOR);
      this.#data[start + bin] = 255 * Math.max(0, Math.min(1, level)) ** this.gamma;
    }
    this.#columns++;
  }

  /** Hands over the columns so far, [columns][LINES], and makes room for others: for a worker that sends them on. */
  take(): Uint8Array<ArrayBuffer> {
    const columns = this.#data.slice(0, this.#columns * LINES);
    this.#columns = 0;
    return columns;
  }

  /** What pictureRow() draws. */
  picture() {
    return {
      data: this.#data,
      lines: LINES,
      columns: this.#columns,
      start: START / this.rate,
      every: HOP / this.rate,
      upwards: true,
    };
  }
}
