// What the examples share: the look of a report, comparing with a published answer, and how a program ends.
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Something is wrong with what the user gave: one line on stderr, no stack trace. */
export class InputError extends Error {}

/**
 * Reads the command line and runs `main` on its arguments and options, if `url` is the file that Node was started with.
 * Exit codes: 0; 1 if `main` gives false, a check having failed; 2 if the arguments, or what they name, cannot be used.
 * @param {{
 *   url: string, usage: string, minArguments?: number, maxArguments: number, options?: import('node:util').ParseArgsConfig['options'],
 *   main: (positionals: string[], values: Record<string, any>) => boolean | Promise<boolean>,
 * }} program
 */
export async function runProgram({ url, usage, minArguments = 0, maxArguments, options = {}, main }) {
  if (!process.argv[1] || realpathSync(process.argv[1]) !== fileURLToPath(url)) return;
  // `| head` closes the pipe: nobody reads on
  process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    const { values, positionals } = parseArgs({
      options: { help: { type: 'boolean', short: 'h' }, ...options },
      allowPositionals: true,
    });
    if (values.help) {
      console.log(usage);
      return;
    }
    const wanted = positionals.length < minArguments ? `at least ${minArguments}` : `at most ${maxArguments}`;
    if (positionals.length < minArguments || positionals.length > maxArguments) {
      throw new InputError(`expected ${wanted} arguments, got ${positionals.length}; see --help`);
    }
    if (!(await main(positionals, values))) process.exitCode = 1;
  } catch (error) {
    const wrongOption = String(error.code).startsWith('ERR_PARSE_ARGS');
    if (!wrongOption && !(error instanceof InputError || error.name === 'ModelError')) throw error;
    // node's own message may go on in a second line
    console.error(`error: ${printable(error.message.replaceAll(/\s*\n\s*/g, ' '))}`);
    process.exitCode = 2;
  }
}

/** Reads a file that the user named. @param {string} path */
export function readInput(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InputError(`${path}: ${error.message}`);
  }
}

/** Writes a file that the user named. @param {string} path @param {string | Uint8Array} content */
export function writeOutput(path, content) {
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw new InputError(`${path}: ${error.message}`);
  }
}

/** A file of the repository, wherever this example lies in it. @param {string} path */
export const repository = (path) => new URL(`../${path}`, import.meta.resolve('lstm-wasm'));

/** Text whose control characters, as a file's name may have them, do nothing to a terminal. @param {string} text */
export function printable(text) {
  return [...text].map((c) => (c < ' ' || (c >= '\x7f' && c < '\xa0') ? '\ufffd' : c)).join('');
}

let isBrief = false;

/** Leaves out what models consist of: `npm start` prints one screen. */
export function beBrief() {
  isBrief = true;
}

/** @param {string} label @param {string[]} lines */
export function row(label, ...lines) {
  if (isBrief && label === 'model') return;
  for (const [i, line] of lines.entries()) console.log(`  ${(i === 0 ? label : '').padEnd(8)}${printable(line)}`);
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
