import { expect } from 'vitest';
import { mulberry32 } from './random.ts';

// How much a call works, on a machine that other programs use too. No limit is in seconds of the wall: it is in processor
// time, and where that is longer than it should be, beside a piece of work that is always the same.

/** Milliseconds of processor time, which waiting for a processor does not add to; in a browser, of wall time. */
export const clock: () => number =
  typeof process === 'object' && process.cpuUsage
    ? () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1000;
      }
    : () => performance.now();

/** Milliseconds of work that takes some ten on a machine of today. */
function yardstick(): number {
  const next = mulberry32(1);
  const start = clock();
  let sum = 0;
  for (let k = 0; k < 1_500_000; k++) sum += next();
  // a sum that nobody reads might not be computed
  expect(sum).toBeGreaterThan(0);
  return clock() - start;
}

/** Fails if `call` works for a second, or where the machine is slow or busy, as much as it would need for a hundred yardsticks. */
export function soon<T>(call: () => T, what = 'work'): T {
  const start = clock();
  try {
    return call();
  } finally {
    const took = clock() - start;
    if (took >= 1000) expect(took, `${what}: milliseconds`).toBeLessThan(100 * yardstick());
  }
}
