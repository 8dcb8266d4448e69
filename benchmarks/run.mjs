import { CONTESTANTS } from './contestants.mjs';
import { median, quantile } from './measure.mjs';
import { errorOf, oracle } from './oracle.mjs';
import { flopsOf, inputOf, nameOf, weightsOf } from './shapes.mjs';
import { Unavailable } from './unavailable.mjs';

/** How long things take, in milliseconds. A contestant whose rounds last longer gets fewer of them, three at least. */
const FULL = { rounds: 15, roundMs: 30, warmMs: 300, slowMs: 400 };
const QUICK = { rounds: 5, roundMs: 15, warmMs: 100, slowMs: 200 };

/**
 * Measures contestants at one shape: each is checked against the oracle, then all that are right are timed in turns,
 * A B C A B C, since the machine's speed drifts.
 * @returns {Promise<object>} the shape with a result for each contestant
 */
export async function measureShape(shape, names, host, { quick = false, progress }) {
  const { rounds, roundMs, warmMs, slowMs } = quick ? QUICK : FULL;
  const weights = weightsOf(shape);
  const input = inputOf(shape);
  const expected = oracle(shape, weights, input);
  const results = [];
  const running = [];
  for (const name of names) {
    progress(`${name}: checking`);
    const result = { name };
    results.push(result);
    const process = await host.start();
    try {
      const { version, output } = await process.ask('open', { name, shape });
      result.version = version;
      const { bound, note, brain } = CONTESTANTS[name];
      if (note) result.note = note;
      result.error = errorOf(output, brain ? oracle(shape, weights, input, { brain }) : expected);
      result.status = result.error <= bound ? 'right' : 'wrong';
      if (result.status === 'right') {
        await process.ask('warm', { ms: warmMs });
        running.push({ result, process, samples: [], left: rounds + 1 });
        continue;
      }
    } catch (error) {
      result.status = error instanceof Unavailable ? 'skipped' : 'failed';
      result.reason = error.message.split('\n')[0];
    }
    await process.end();
  }
  // round 0 is not counted: compilers in the background may still be busy
  for (let round = 0; round <= rounds; round++) {
    for (const turn of running) {
      if (turn.left-- <= 0) continue;
      progress(`round ${round} of ${rounds}: ${turn.result.name}`);
      const start = performance.now();
      const samples = await turn.process.ask('round', { ms: roundMs });
      if (round > 0) turn.samples.push(...samples);
      if (performance.now() - start > slowMs) turn.left = Math.min(turn.left, 3 - round);
    }
  }
  for (const { result, process, samples } of running) {
    Object.assign(result, { median: median(samples), p95: quantile(samples, 0.95), samples: samples.length });
    await process.end();
  }
  const ours = results.find(({ name }) => name === 'ours')?.median;
  for (const result of results) if (ours && result.median) result.ratio = result.median / ours;
  return { name: nameOf(shape), ...shape, flops: flopsOf(shape), results };
}
