/** A sample lasts about this long, and in a page so many steps of its clock, so that these do not matter. */
const SAMPLE_MS = { node: 0.02, browser: 0.5 };
const SAMPLE_STEPS = 50;

/** From here on a sample counts the time of its own process only: other programs would interrupt most of them. */
const LONG_US = 1000;

const wall = () => performance.now();

/**
 * Milliseconds that this process, all its threads together, had a core. On one core that is wall time less what other
 * programs took. In a page, where nobody says, it is wall time.
 */
function busy() {
  if (!globalThis.process?.cpuUsage) return wall();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The smallest step of a page's clock, in milliseconds: 0.005 in Chromium, 0.02 in Firefox and WebKitGTK. */
function clockStep() {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const start = wall();
    let now = start;
    while (now === start) now = wall();
    least = Math.min(least, now - start);
  }
  return least;
}

/** Warm-up ends when so many windows in a row were not 5 % faster than the best before them. */
const STEADY_WINDOWS = 3;

/** The value below which the fraction `q` of `values` lies. */
export function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

export const median = (values) => quantile(values, 0.5);

/** Times one function in rounds. The function may answer with a promise; a promise is waited for. */
export class Stopwatch {
  #call;
  #sampleMs;
  #calls = 1;
  #clock = wall;

  /** @param {() => unknown} call */
  constructor(call, where = 'node') {
    this.#call = call;
    this.#sampleMs = where === 'node' ? SAMPLE_MS.node : Math.max(SAMPLE_MS.browser, SAMPLE_STEPS * clockStep());
  }

  /**
   * Calls for `ms` and on until it gets no faster, three times as long at the most; then it knows how many calls a sample
   * takes. Every now and then it rests: V8 compiles hot functions in the background, and there may be but one core.
   */
  async warm(ms) {
    const window = ms / 10;
    const start = busy();
    let best = Number.POSITIVE_INFINITY;
    let steady = 0;
    for (let elapsed = 0; elapsed < ms || (steady < STEADY_WINDOWS && elapsed < 3 * ms); ) {
      const us = median(await this.round(window));
      if (us === 0) {
        // less than a step of the clock
        this.#calls *= 10;
        continue;
      }
      steady = us > 0.95 * best ? steady + 1 : 0;
      best = Math.min(best, us);
      this.#clock = best > LONG_US ? busy : wall;
      this.#calls = Math.max(1, Math.round((this.#sampleMs * 1000) / best));
      await new Promise((resolve) => setTimeout(resolve, window / 4));
      elapsed = busy() - start;
    }
  }

  /** Samples, in microseconds a call, that together last about `ms`; one at least. */
  async round(ms) {
    const call = this.#call;
    const calls = this.#calls;
    const clock = this.#clock;
    const samples = [];
    const end = wall() + ms;
    do {
      const start = clock();
      for (let i = 0; i < calls; i++) {
        const answer = call();
        if (answer instanceof Promise) await answer;
      }
      samples.push(((clock() - start) * 1000) / calls);
    } while (wall() < end);
    return samples;
  }
}

/**
 * Times functions of this process against each other, A B C A B C, since the machine's speed drifts.
 * @param {Record<string, () => void>} contestants by name
 * @returns {Promise<Record<string, number>>} the median of one call, in microseconds
 */
export async function interleave(contestants, { rounds, ms }) {
  const runs = Object.entries(contestants).map(([name, call]) => ({ name, watch: new Stopwatch(call), samples: [] }));
  for (const { watch } of runs) await watch.warm(4 * ms);
  for (let round = 0; round < rounds; round++) {
    for (const { watch, samples } of runs) samples.push(...(await watch.round(ms)));
  }
  return Object.fromEntries(runs.map(({ name, samples }) => [name, median(samples)]));
}
