import FFT from 'fft.js';

/** The Fourier transform of real frames and back, in float64. No call allocates. */
export class RealTransform {
  #fft;
  #size;
  /** Real and imaginary parts alternate, of bins 0 .. size / 2; what follows is not used. */
  #spectrum;
  #other;
  #real;

  /** @param {number} size a power of two */
  constructor(size) {
    this.#fft = new FFT(size);
    this.#size = size;
    this.#spectrum = this.#fft.createComplexArray();
    this.#other = this.#fft.createComplexArray();
    this.#real = new Array(size).fill(0);
  }

  /** Takes the spectrum of `frame`: X[k] = sum_n frame[n] exp(-2 pi i k n / size). @param {Float32Array} frame */
  forward(frame) {
    const real = this.#real;
    for (let n = 0; n < this.#size; n++) real[n] = frame[n];
    this.#fft.realTransform(this.#spectrum, real);
  }

  /** @param {Float32Array} out (size / 2 + 1) |X[k]| */
  magnitudes(out) {
    const spectrum = this.#spectrum;
    for (let k = 0; k <= this.#size / 2; k++) {
      const re = spectrum[2 * k];
      const im = spectrum[2 * k + 1];
      out[k] = Math.sqrt(re * re + im * im);
    }
  }

  /** Multiplies each bin by a real factor. @param {Float32Array} factors (size / 2 + 1) */
  scale(factors) {
    const spectrum = this.#spectrum;
    for (let k = 0; k <= this.#size / 2; k++) {
      spectrum[2 * k] *= factors[k];
      spectrum[2 * k + 1] *= factors[k];
    }
  }

  /**
   * The frame whose spectrum this is. A transform of real numbers does it too: with a[k] = Re X[k] - Im X[k] for every k of the whole
   * spectrum, whose second half is the first one conjugated, and A the transform of a, size * x[n] = Re A[n] - Im A[n].
   * @param {Float32Array} out (size)
   */
  inverse(out) {
    const size = this.#size;
    const half = size / 2;
    const spectrum = this.#spectrum;
    const real = this.#real;
    const other = this.#other;
    real[0] = spectrum[0];
    real[half] = spectrum[size];
    for (let k = 1; k < half; k++) {
      real[k] = spectrum[2 * k] - spectrum[2 * k + 1];
      real[size - k] = spectrum[2 * k] + spectrum[2 * k + 1];
    }
    this.#fft.realTransform(other, real);
    out[0] = other[0] / size;
    out[half] = other[size] / size;
    for (let n = 1; n < half; n++) {
      out[n] = (other[2 * n] - other[2 * n + 1]) / size;
      out[size - n] = (other[2 * n] + other[2 * n + 1]) / size;
    }
  }
}
