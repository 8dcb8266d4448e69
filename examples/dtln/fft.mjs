// A Fourier transform of real signals, in place and without garbage: textbook radix 2.

/** The transform of `size` samples, a power of two. */
export class Fft {
  #size;
  #cosines;
  #sines;
  #reversed;
  /** Real and imaginary parts of the `size` bins, of which those above the middle mirror the others. */
  real;
  imaginary;

  /** @param {number} size */
  constructor(size) {
    const angle = (k) => (2 * Math.PI * k) / size;
    this.#size = size;
    this.#cosines = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos(angle(k)));
    this.#sines = Float64Array.from({ length: size / 2 }, (_, k) => Math.sin(angle(k)));
    this.#reversed = Uint16Array.from({ length: size }, (_, k) => {
      let reversed = 0;
      for (let bit = 1; bit < size; bit *= 2) reversed = 2 * reversed + (k & bit ? 1 : 0);
      return reversed;
    });
    this.real = new Float64Array(size);
    this.imaginary = new Float64Array(size);
  }

  /** Transforms samples into bins 0 to size / 2. @param {Float32Array} samples */
  forward(samples) {
    for (let k = 0; k < this.#size; k++) {
      this.real[this.#reversed[k]] = samples[k];
      this.imaginary[k] = 0;
    }
    this.#butterflies();
  }

  /** Transforms bins 0 to size / 2 back. @param {Float32Array} samples */
  backward(samples) {
    const { real, imaginary } = this;
    const half = this.#size / 2;
    imaginary[0] = imaginary[half] = 0;
    // the transform of the mirrored spectrum, whose imaginary part is 0
    for (let k = 1; k < half; k++) {
      real[this.#size - k] = real[k];
      imaginary[this.#size - k] = imaginary[k];
      imaginary[k] = -imaginary[k];
    }
    for (let k = 0; k < this.#size; k++) {
      const other = this.#reversed[k];
      if (other <= k) continue;
      const a = real[k];
      const b = imaginary[k];
      real[k] = real[other];
      imaginary[k] = imaginary[other];
      real[other] = a;
      imaginary[other] = b;
    }
    this.#butterflies();
    for (let n = 0; n < this.#size; n++) samples[n] = real[n] / this.#size;
  }

  #butterflies() {
    const { real, imaginary } = this;
    for (let span = 1; span < this.#size; span *= 2) {
      const stride = this.#size / (2 * span);
      for (let k = 0; k < span; k++) {
        const c = this.#cosines[k * stride];
        const s = this.#sines[k * stride];
        for (let a = k; a < this.#size; a += 2 * span) {
          const b = a + span;
          const x = c * real[b] + s * imaginary[b];
          const y = c * imaginary[b] - s * real[b];
          real[b] = real[a] - x;
          imaginary[b] = imaginary[a] - y;
          real[a] += x;
          imaginary[a] += y;
        }
      }
    }
  }
}
