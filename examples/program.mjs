// What the examples share: the look of a report, comparing with a published answer, and how a program ends.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Something is wrong with what the user gave: one line on stderr, no stack trace. */
export class InputError extends Error {}

/**
 * Reads the command line and runs `main` on its arguments, if `url` is the file that Node was started with.
 * Exit codes: 0; 1 if `main` returns false, a check having failed; 2 if the arguments, or what they name, cannot be used.
 * @param {{ url: string, usage: string, maxArguments: number, main: (...args: string[]) => boolean }} program
 */
export function runProgram({ url, usage, maxArguments, main }) {
  if (!process.argv[1] || realpathSync(process.argv[1]) !== fileURLToPath(url)) return;
  try {
    const { values, positionals } = parseArgs({
      options: { help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    if (values.help) {
      console.log(usage);
      return;
    }
    if (positionals.length > maxArguments) {
      throw new InputError(`expected at most ${maxArguments} arguments, got ${positionals.length}; see --help`);
    }
    if (!main(...positionals)) process.exitCode = 1;
  } catch (error) {
    const wrongOption = String(error.code).startsWith('ERR_PARSE_ARGS');
    if (!wrongOption && !(error instanceof InputError)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = 2;
  }
}

/** @param {string} label @param {string[]} lines */
export function row(label, ...lines) {
  for (const [i, line] of lines.entries()) console.log(`  ${(i === 0 ? label : '').padEnd(8)}${line}`);
}

/** The row that counts. Gives `ok` back. */
export function check(ok, text) {
  row('check', `${ok ? 'ok' : 'WRONG'}: ${text}`);
  return ok;
}

/** NaN if there is a NaN, so that `largestDifference(...) <= tolerance` is false then. */
export function largestDifference(actual, expected) {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  return actual.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i])), 0);
}

/** Runs `work` once: its result and the milliseconds it took. */
export function timed(work) {
  const start = performance.now();
  const result = work();
  return { result, milliseconds: performance.now() - start };
}

export const count = (n) => n.toLocaleString('en');
export const tiny = (x) => x.toExponential(1);
