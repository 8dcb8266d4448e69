import FFT from 'fft.js';

/** Samples of a window, and between two. */
const WINDOW = 512;
export const HOP = 512;
/** Hertz below which nothing is heard. */
const LOWEST = 60;

const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
const hertz = (value: number) => 700 * (10 ** (value / 2595) - 1);

/**
 * The loudness of a sound in bands, as models of sound often hear it: decibels in bands of equal width on the mel scale, each band with
 * mean 0 and deviation 1.
 * @returns [windows][count]
 */
export function bandsOf(samples: Float32Array, rate: number, count: number): Float32Array {
  const windows = Math.max(1, Math.floor(samples.length / HOP));
  const fft = new FFT(WINDOW);
  const out: number[] = fft.createComplexArray();
  const window = new Array<number>(WINDOW);
  const edges = edgesOf(rate, count);
  const bands = new Float32Array(windows * count);
  for (let t = 0; t < windows; t++) {
    for (let n = 0; n < WINDOW; n++) {
      window[n] = (samples[t * HOP + n] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / WINDOW));
    }
    fft.realTransform(out, window);
    for (let band = 0; band < count; band++) {
      const [first, last] = [
        Math.floor(edges[band]!),
        Math.max(Math.floor(edges[band]!) + 1, Math.floor(edges[band + 1]!)),
      ];
      let power = 0;
      for (let bin = first; bin < last; bin++) power += out[2 * bin]! ** 2 + out[2 * bin + 1]! ** 2;
      bands[t * count + band] = 10 * Math.log10(power / (last - first) + 1e-6);
    }
  }
  standardize(bands, count);
  return bands;
}

/** Edges of the bands in bins of the spectrum. */
function edgesOf(rate: number, count: number): number[] {
  const [low, high] = [mel(LOWEST), mel(rate / 2)];
  const bin = (value: number) => Math.min(WINDOW / 2 - 1, (hertz(value) * WINDOW) / rate);
  return Array.from({ length: count + 1 }, (_, n) => bin(low + ((high - low) * n) / count));
}

function standardize(bands: Float32Array, count: number): void {
  const windows = bands.length / count;
  for (let band = 0; band < count; band++) {
    let [sum, squares] = [0, 0];
    for (let t = 0; t < windows; t++) {
      sum += bands[t * count + band]!;
      squares += bands[t * count + band]! ** 2;
    }
    const mean = sum / windows;
    const deviation = Math.sqrt(Math.max(0, squares / windows - mean ** 2)) || 1;
    for (let t = 0; t < windows; t++) bands[t * count + band] = (bands[t * count + band]! - mean) / deviation;
  }
}
