/** A sample lasts about this long, so that the clock's resolution does not matter: 5 us in a browser, far less in Node. */
const SAMPLE_MS = { node: 0.02, browser: 0.5 };

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

  /** @param {() => unknown} call */
  constructor(call, where = 'node') {
    this.#call = call;
    this.#sampleMs = SAMPLE_MS[where];
  }

  /** Calls for `ms` and three times at least; then it knows how many calls a sample takes. */
  async warm(ms) {
    const start = performance.now();
    let calls = 0;
    let elapsed = 0;
    for (; calls < 3 || elapsed < ms; calls++, elapsed = performance.now() - start) {
      const answer = this.#call();
      if (answer instanceof Promise) await answer;
      if (calls === 0 && performance.now() - start > ms) break;
    }
    // the last quarter only, when the compilers are done
    const samples = await this.round(ms / 4);
    this.#calls = Math.max(1, Math.round((this.#sampleMs * 1000) / median(samples)));
  }

  /** Samples, in microseconds a call, that together last about `ms`; one at least. */
  async round(ms) {
    const call = this.#call;
    const calls = this.#calls;
    const samples = [];
    const end = performance.now() + ms;
    let now;
    do {
      const start = performance.now();
      for (let i = 0; i < calls; i++) {
        const answer = call();
        if (answer instanceof Promise) await answer;
      }
      now = performance.now();
      samples.push(((now - start) * 1000) / calls);
    } while (now < end);
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
