import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
/** Collects garbage now. */
export const gc: () => void = runInNewContext('gc');

const CALLS = 5000;

/**
 * Bytes of the JS heap that one call takes: the least of some measurements, as other threads of the engine allocate too. So few
 * calls at a time that even small garbage is not collected in between.
 */
export function bytesPerCall(call: () => void): number {
  for (let k = 0; k < 10_000; k++) call();
  let least = Infinity;
  for (let k = 0; k < 40 && least >= 1; k++) {
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let k = 0; k < CALLS; k++) call();
    least = Math.min(least, (process.memoryUsage().heapUsed - before) / CALLS);
  }
  return least;
}
