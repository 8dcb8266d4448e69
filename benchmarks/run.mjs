import { CONTESTANTS } from './contestants.mjs';
import { median, quantile } from './measure.mjs';
import { errorOf, oracle } from './oracle.mjs';
import { flopsOf, inputOf, nameOf, weightsOf } from './shapes.mjs';
import { Unavailable } from './unavailable.mjs';

/**
 * Milliseconds. V8's compilers are done with tfjs and onnxruntime-web after a second of work (measured, Node 20 and 24): a
 * quick run flatters us. A contestant whose rounds last longer than `slowMs` gets three of them that count.
 */
export const FULL = { rounds: 15, roundMs: 30, warmMs: 1500, slowMs: 400 };
export const QUICK = { rounds: 5, roundMs: 15, warmMs: 500, slowMs: 200 };
const SLOW_ROUNDS = 3;

/**
 * Measures contestants at one shape: each is checked against the oracle, then all that are right are timed in turns,
 * A B C A B C, since the machine's speed drifts.
 * @returns {Promise<object>} the shape with a result for each contestant
 */
export async function measureShape(shape, names, host, { quick, progress }) {
  const timing = quick ? QUICK : FULL;
  const weights = weightsOf(shape);
  const input = inputOf(shape);
  const expected = oracle(shape, weights, input);
  const entries = [];
  for (const name of names) {
    const { bound, brain, note } = CONTESTANTS[name];
    progress(`${name}: checking`);
    const entry = { result: { name, ...(note && { note }) }, runner: await host.start(), samples: [], rounds: 0 };
    entries.push(entry);
    await attempt(entry, async ({ result, runner }) => {
      const { version, output } = await runner.ask('open', { name, shape });
      result.version = version;
      result.error = errorOf(output, brain ? oracle(shape, weights, input, { brain }) : expected);
      result.status = result.error <= bound ? 'right' : 'wrong';
      if (result.status === 'wrong') return;
      await runner.ask('warm', { ms: timing.warmMs });
      entry.rounds = timing.rounds + 1;
    });
  }
  await takeTurns(entries, timing, progress);
  const results = entries.map(({ result }) => result);
  const ours = results.find(({ name }) => name === 'ours')?.median;
  for (const result of results) if (ours && result.median) result.ratio = result.median / ours;
  return { name: nameOf(shape), ...shape, flops: flopsOf(shape), results };
}

/**
 * Times entries in turns, and adds what was found to their results.
 * @param entries `rounds`: how many of them count, and one; 0 for one that is out
 */
export async function takeTurns(entries, { rounds, roundMs, slowMs }, progress) {
  // round 0 is not counted: compilers in the background may still be busy
  for (let round = 0; round <= rounds; round++) {
    for (const entry of entries) {
      if (round >= entry.rounds) continue;
      progress(`round ${round} of ${rounds}: ${entry.result.name}`);
      await attempt(entry, async ({ runner, samples }) => {
        const start = performance.now();
        const taken = await runner.ask('round', { ms: roundMs });
        if (round > 0) samples.push(...taken);
        if (performance.now() - start > slowMs) entry.rounds = SLOW_ROUNDS + 1;
      });
    }
  }
  for (const { result, runner, samples } of entries) {
    await runner.end();
    if (result.status !== 'right') continue;
    Object.assign(result, {
      p10: quantile(samples, 0.1),
      median: median(samples),
      p95: quantile(samples, 0.95),
      samples: samples.length,
    });
  }
}

/** A contestant that cannot go on is out, and the result says why. */
export async function attempt(entry, action) {
  try {
    await action(entry);
  } catch (error) {
    entry.rounds = 0;
    entry.result.status = error instanceof Unavailable ? 'skipped' : 'failed';
    entry.result.reason = error.message.split('\n')[0];
  }
}
