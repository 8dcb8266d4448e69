// The low-pass filter of a resampler: a sinc under a Kaiser window. Sines and Bessel functions are sums of products here, since
// Math.sin may have other bits in another engine.

/** Zero crossings of the sinc on either side; twice as many inputs make an output where the rate is not lowered. */
const CROSSINGS = 32;
/** Kaiser's beta for 80 dB: 0.1102 (80 - 8.7). */
const BETA = 7.857;
/** Where the filter is at half, as a part of the lower of the two Nyquist frequencies: half of the transition lies below it. */
const CUTOFF = 0.92;
/** The most phases of a table; between them is interpolated. */
const MAX_PHASES = 512;

/** A table of filters, one for each position between two inputs. */
export interface Filter {
  /** Inputs that make an output: an even number. */
  readonly taps: number;
  /** Positions between two inputs. */
  readonly phases: number;
  /** (phases + 1, taps); each row sums to 1, so that a constant stays what it is. */
  readonly table: Float32Array;
}

/** Inputs on either side of an output that make it. */
export function reachOf(inputs: number, outputs: number): number {
  return Math.ceil(CROSSINGS * Math.max(1, inputs / outputs));
}

const filters = new Map<string, Filter>();

/** sin(pi x): its Taylor series on ±1/2. */
function sinPi(x: number): number {
  const nearest = Math.round(x);
  const r = Math.PI * (x - nearest);
  let [term, sum] = [r, r];
  for (let k = 2; k < 24; k += 2) {
    term *= (-r * r) / (k * (k + 1));
    sum += term;
  }
  return nearest % 2 === 0 ? sum : -sum;
}

/** The modified Bessel function of order 0: its power series. */
function bessel(x: number): number {
  let [term, sum] = [1, 1];
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x * x) / (4 * k * k);
    sum += term;
  }
  return sum;
}

/**
 * Gives the filter for a change of rate, designed at the first call.
 * @param inputs inputs in which there are `outputs` outputs: the two rates without common factors
 */
export function filterFor(inputs: number, outputs: number): Filter {
  const key = `${inputs}/${outputs}`;
  const filter = filters.get(key) ?? designFilter(inputs, outputs);
  filters.set(key, filter);
  return filter;
}

function designFilter(inputs: number, outputs: number): Filter {
  const stretch = Math.max(1, inputs / outputs);
  const half = reachOf(inputs, outputs);
  const taps = 2 * half;
  const phases = Math.min(outputs, MAX_PHASES);
  const table = new Float32Array((phases + 1) * taps);
  for (let p = 0; p <= phases; p++) {
    const row = Array.from({ length: taps }, (_, k) => {
      // inputs between the output's place and the k-th input
      const x = p / phases - (k - half + 1);
      const within = 1 - (x / half) * (x / half);
      if (within < 0) return 0;
      const u = (CUTOFF * x) / stretch;
      return (u === 0 ? 1 : sinPi(u) / (Math.PI * u)) * bessel(BETA * Math.sqrt(within));
    });
    const sum = row.reduce((a, b) => a + b);
    for (let k = 0; k < taps; k++) table[p * taps + k] = row[k]! / sum;
  }
  return { taps, phases, table };
}
