import { median } from '../measure.mjs';
import { errorOf } from '../oracle.mjs';
import { rest } from '../rest.mjs';
import { attempt, FULL, QUICK, takeTurns } from '../run.mjs';
import { CONTESTANTS } from './contestants.mjs';

/**
 * Of a form with 8-bit weights the root mean square of the error, as a part of that of the output. LiteRT's own files of DTLN are off
 * by 0.06; another model would be by about 1.
 */
const EIGHT_BIT = 0.1;

/** Warm-up ends when nobody took less than this part of the best time before. */
const STEADY = 0.9;
const MOST_PASSES = 6;

/** Those that run where `host` runs. */
export function contestantsAt(host) {
  return Object.keys(CONTESTANTS).filter((name) => [undefined, host.where].includes(CONTESTANTS[name].only));
}

/**
 * Measures contestants at one model, all in one process or page: each is compared with what is expected, then all that are
 * right are timed in turns, A B C A B C, since the machine's speed drifts.
 * @param {import('./list.mjs').Model} model
 * @returns {Promise<object>} the model's name and what was asked, with a result for each contestant
 */
export async function measureModel(model, names, host, { quick, progress }) {
  const timing = quick ? QUICK : FULL;
  const expected = await model.expected();
  const runner = await host.start();
  const entries = [];
  for (const name of names) {
    progress(`${name}: checking`);
    const ask = (method, argument) => runner.ask(method, { name, ...argument });
    const entry = { result: { name }, runner: { ask, end: async () => {} }, samples: [], rounds: 0 };
    entries.push(entry);
    await attempt(entry, async ({ result }) => {
      const { version, output } = await ask('open', { model: model.name });
      result.version = version;
      result.error = errorOf(output, expected);
      const isEightBit = CONTESTANTS[name].eightBit;
      if (isEightBit) result.relative = relativeError(output, expected);
      const isRight = isEightBit ? result.relative <= EIGHT_BIT : result.error <= model.bound;
      result.status = isRight ? 'right' : 'wrong';
    });
  }
  for (const entry of entries) if (entry.result.status === 'right') entry.rounds = timing.rounds + 1;
  await warmUp(entries, timing, progress);
  await takeTurns(entries, timing, progress);
  await runner.end();
  return { name: model.name, asked: model.asked, results: entries.map(({ result }) => result) };
}

/**
 * Calls all contestants, one after the other, until none gets faster: code that one makes the engine throw away is made again, and
 * what was found hot is compiled while they rest.
 */
async function warmUp(entries, { warmMs, roundMs }, progress) {
  const best = new Map();
  for (let pass = 0, isSteady = false; pass < MOST_PASSES && !isSteady; pass++) {
    progress('waiting for compilers');
    await rest();
    isSteady = true;
    for (const entry of entries) {
      if (entry.rounds === 0) continue;
      progress(`${entry.result.name}: warming up`);
      await attempt(entry, async ({ runner }) => {
        await runner.ask('warm', { ms: warmMs / 2 });
        const time = median(await runner.ask('round', { ms: roundMs }));
        const before = best.get(entry) ?? Number.POSITIVE_INFINITY;
        if (time < STEADY * before) isSteady = false;
        best.set(entry, Math.min(time, before));
      });
    }
  }
  await rest();
}

/** Root mean square of the difference by that of `expected`. */
function relativeError(output, expected) {
  if (output.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let all = 0;
  for (let i = 0; i < output.length; i++) {
    difference += (output[i] - expected[i]) ** 2;
    all += expected[i] ** 2;
  }
  return Math.sqrt(difference / all);
}
