import FFT from 'fft.js';

/** The window and the distance between two columns, in samples. */
const [WINDOW, HOP] = [512, 256];
/** Decibels below full scale that are the paper, and that are the ink. */
const [FLOOR, CEILING] = [-85, -25];

/** A spectrogram that grows as sound comes: bytes for the colour maps, from the lowest frequency up. */
export class Spectrogram {
  static readonly LINES = WINDOW / 2;
  #data: Uint8Array;
  #columns = 0;
  #rest = new Float32Array(0);
  #fft = new FFT(WINDOW);
  #out: number[] = this.#fft.createComplexArray();
  #windowed = new Array<number>(WINDOW).fill(0);

  constructor(
    readonly rate: number,
    seconds: number,
  ) {
    this.#data = new Uint8Array(Math.ceil((seconds * rate) / HOP) * Spectrogram.LINES);
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
    const start = this.#columns * Spectrogram.LINES;
    if (start >= this.#data.length) return;
    for (let n = 0; n < WINDOW; n++) {
      this.#windowed[n] = samples[n]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / WINDOW));
    }
    this.#fft.realTransform(this.#out, this.#windowed);
    for (let bin = 0; bin < Spectrogram.LINES; bin++) {
      const amplitude = Math.hypot(this.#out[2 * bin]!, this.#out[2 * bin + 1]!) / (WINDOW / 4);
      const level = (20 * Math.log10(amplitude + 1e-9) - FLOOR) / (CEILING - FLOOR);
      this.#data[start + bin] = 255 * Math.max(0, Math.min(1, level));
    }
    this.#columns++;
  }

  /** What pictureRow() draws. */
  picture() {
    // a column's middle is the middle of its window
    const start = (WINDOW - HOP) / 2 / this.rate;
    return {
      data: this.#data,
      lines: Spectrogram.LINES,
      columns: this.#columns,
      start,
      every: HOP / this.rate,
      upwards: true,
    };
  }
}
