// Labels the recordings of a folder on all cores of one machine.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { readOptions, refuse } from '../figures.mjs';
import { listRecordings } from '../recordings.mjs';
import { labelFiles } from './pool.mjs';

const USAGE = `usage: node examples/batch/main.mjs FOLDER [--threads N]

Labels every .wav of FOLDER (16 kHz, mono, 16 bits) and prints a line of JSON for each, in the order of their names. N is by
default the number of cores.`;

const { positionals, threads } = readOptions(USAGE, { threads: availableParallelism() });
let names = [];
try {
  if (positionals.length !== 1) throw new Error(`expected one folder, got ${positionals.length} arguments; see --help`);
  names = listRecordings(positionals[0]);
} catch (error) {
  refuse(error);
}
const show = (done) =>
  process.stderr.isTTY && process.stderr.write(`\r${done} of ${names.length}${done === names.length ? '\n' : ''}`);
const answers = await labelFiles(
  names.map((name) => join(positionals[0], name)),
  threads,
  show,
);
for (const [i, name] of names.entries()) console.log(JSON.stringify({ name, ...answers[i] }));
if (answers.some(({ error }) => error !== undefined)) process.exitCode = 1;
