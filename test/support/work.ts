import { expect } from 'vitest';
import { mulberry32 } from './random.ts';

// How much a call works, on a machine that other programs use too. No limit is in seconds of the wall: it is in processor
// time, and where that is longer than it should be, beside a piece of work that is always the same.

/** Milliseconds of processor time, which waiting for a processor does not add to; in a browser, of wall time. */
const clock: () => number =
  typeof process === 'object' && process.cpuUsage
    ? () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1000;
      }
    : () => performance.now();

/** Milliseconds of work that takes some ten on an idle machine of today. */
function yardstick(): number {
  const next = mulberry32(1);
  const start = clock();
  let sum = 0;
  for (let k = 0; k < 1_500_000; k++) sum += next();
  // a sum that nobody reads might not be computed
  expect(sum).toBeGreaterThan(0);
  return clock() - start;
}

/** Fails if `milliseconds` of work are a second or more, and that not because the machine is slow: of 100 yardsticks now. */
export function expectSoon(milliseconds: number, what = 'work'): void {
  if (milliseconds >= 1000) expect(milliseconds, `${what}: milliseconds`).toBeLessThan(100 * yardstick());
}

/** What `call` gives or throws, soon. */
export function soon<T>(call: () => T, what?: string): T {
  const start = clock();
  try {
    return call();
  } finally {
    expectSoon(clock() - start, what);
  }
}
