import { performance } from 'node:perf_hooks';

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
};

/**
 * Times functions against each other, interleaved (A B C A B C ...), since the machine's speed drifts.
 * @param {Record<string, () => void>} contestants by name
 * @param {{ rounds?: number, roundMs?: number }} options a round of each contestant lasts about `roundMs`
 * @returns {Record<string, number>} the median time of one call, in microseconds
 */
export function interleave(contestants, { rounds = 15, roundMs = 20 } = {}) {
  const runs = Object.entries(contestants).map(([name, call]) => {
    const end = performance.now() + 5 * roundMs;
    let warm = 0;
    const start = performance.now();
    while (performance.now() < end) {
      call();
      warm++;
    }
    return { name, call, calls: Math.max(1, Math.round((warm * roundMs) / (performance.now() - start))), times: [] };
  });
  for (let round = 0; round < rounds; round++) {
    for (const run of runs) {
      const start = performance.now();
      for (let i = 0; i < run.calls; i++) run.call();
      run.times.push(((performance.now() - start) * 1000) / run.calls);
    }
  }
  return Object.fromEntries(runs.map(({ name, times }) => [name, median(times)]));
}
