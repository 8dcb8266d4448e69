import { quantile } from '../../../../benchmarks/measure.mjs';
import type { Time } from './result.ts';

/** A measurement lasts so many steps of the clock, so that its error is below 4 %, and at least this many milliseconds. */
const CLOCK_STEPS = 25;
const LEAST_MS = 1;
/** A contestant whose call lasts longer than this share of the time for all has that share for its measurements. */
const SLOW_SHARE = 0.15;
/** While it is found how many calls a measurement takes, each try has at most so many times the calls of the one before. */
const MORE = 10;
/** Measurements of each at least; one is enough for what takes longer alone than there is time for all. */
const LEAST = 3;

export type Clock = () => number;

/** Milliseconds that one measurement lasts, by the smallest step of the clock: 0.005 to 1 in browsers. */
export function sampleMs(now: Clock): number {
  let step = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const start = now();
    let end = start;
    while (end === start) end = now();
    step = Math.min(step, end - start);
  }
  return Math.max(LEAST_MS, CLOCK_STEPS * step);
}

/** One that is measured. `call` answers at once or later. */
interface Runner {
  readonly call: () => unknown;
  readonly samples: number[];
  calls: number;
  /** Milliseconds that may still go into a slow one. */
  left: number;
}

/**
 * Times functions against each other in turns, A B C A B C, since a machine's speed drifts. Each is warmed first: engines compile what is called often.
 * @param ms for all of it, more where three measurements of each take longer
 * @returns microseconds of a call
 */
export async function inTurns<Name extends string>(
  contestants: ReadonlyMap<Name, () => unknown>,
  { ms, sample, now = () => performance.now() }: { ms: number; sample: number; now?: Clock },
): Promise<Map<Name, Time>> {
  const end = now() + ms;
  const runners = new Map<Name, Runner>();
  const warm = (0.3 * ms) / contestants.size;
  for (const [name, call] of contestants)
    runners.set(name, await warmed(call, { warm, sample, now, slow: SLOW_SHARE * ms }));
  const isDone = ({ samples, left }: Runner) => left <= 0 && (samples.length >= LEAST || left < -ms);
  for (let round = 0; round < LEAST || now() < end; round++) {
    const waiting = [...runners.values()].filter((runner) => !isDone(runner));
    if (waiting.length === 0) break;
    for (const runner of waiting) {
      const start = now();
      runner.samples.push(await measured(runner, now));
      runner.left -= now() - start;
    }
  }
  return new Map([...runners].map(([name, { samples }]) => [name, timesOf(samples)]));
}

const timesOf = (samples: readonly number[]): Time => ({ us: quantile(samples, 0.5), p95: quantile(samples, 0.95) });

/** Calls for a while, and finds how many calls a measurement takes. */
async function warmed(
  call: () => unknown,
  { warm, sample, slow, now }: { warm: number; sample: number; slow: number; now: Clock },
): Promise<Runner> {
  const runner: Runner = { call, samples: [], calls: 1, left: Number.POSITIVE_INFINITY };
  const start = now();
  let us = 0;
  do {
    const last = await measured(runner, now);
    const ms = (last * runner.calls) / 1000;
    // one that was interrupted does not count where another was not
    us = us > 0 && ms >= sample ? Math.min(us, last) : last;
    if (ms < sample) runner.calls *= ms > 0 ? Math.ceil(Math.min(MORE, sample / ms)) : MORE;
  } while (now() - start < warm);
  if (us > 1000 * slow) return { ...runner, calls: 1, left: slow };
  runner.calls = Math.max(1, Math.ceil((1000 * sample) / us));
  return runner;
}

/** Microseconds of a call, of all calls of one measurement. */
async function measured({ call, calls }: Runner, now: Clock): Promise<number> {
  const start = now();
  for (let i = 0; i < calls; i++) {
    const answer = call();
    if (answer instanceof Promise) await answer;
  }
  return ((now() - start) * 1000) / calls;
}
