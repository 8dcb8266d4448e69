/** How long something takes, and how often it was done to know. */
export interface Measured {
  readonly seconds: number;
  readonly rounds: number;
}

/**
 * Does something again and again for `budget` milliseconds, at least once: clocks of browsers tick in steps of up to a millisecond.
 * @param now milliseconds
 */
export function measure(run: () => void, budget: number, now: () => number = () => performance.now()): Measured {
  // begins as the clock ticks, so that no part of a tick is lost
  const before = now();
  let start = now();
  for (let spins = 0; start === before && spins < 1e5; spins++) start = now();
  for (let rounds = 1; ; rounds++) {
    run();
    const spent = now() - start;
    if (spent >= budget) return { seconds: spent / rounds / 1000, rounds };
  }
}
