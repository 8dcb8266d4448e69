// A folder of recordings on 1 thread and on 2: how many a second, and whether the answers are the same to the last bit.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, memoryOf, readOptions } from '../figures.mjs';
import { writeRecordings } from '../recordings.mjs';
import { labelFiles } from './pool.mjs';

const USAGE = `usage: node examples/batch/load.mjs [--recordings 100] [--seconds 60] [--threads 2]

Makes recordings of 1 to --seconds seconds, labels them on 1, 2, 4 ... up to --threads threads, and reports.`;

const { recordings, seconds, threads } = readOptions(USAGE, { recordings: 100, seconds: 60, threads: 2 });
const folder = mkdtempSync(join(tmpdir(), 'recordings-'));
const paths = writeRecordings(folder, recordings, seconds).map((name) => join(folder, name));
console.log(`${recordings} recordings of 1 to ${seconds} s`);
let first;
for (let count = 1; count <= threads; count *= 2) {
  await labelFiles(paths.slice(0, count), count); // files are in the cache of the system, code is compiled
  const before = process.cpuUsage();
  const start = performance.now();
  const answers = await labelFiles(paths, count);
  const elapsed = (performance.now() - start) / 1000;
  const processor = process.cpuUsage(before).user / 1000;
  first ??= { elapsed, text: JSON.stringify(answers) };
  const audio = answers.reduce((sum, answer) => sum + answer.seconds, 0);
  const same = JSON.stringify(answers) === first.text;
  if (!same) process.exitCode = 1;
  console.log(`${count} thread${count > 1 ? 's' : ''}, ${same ? 'the same bits' : 'WRONG: other bits'}`);
  console.log(
    `  throughput  ${format(recordings / elapsed)} recordings/s, ${format(audio / elapsed)} s of audio a second, ${format(first.elapsed / elapsed)} times that of 1 thread`,
  );
  console.log(`  processor   ${format(processor / audio)} ms for a second of audio`);
  console.log(`  memory      ${memoryOf(process.pid).now} MB`);
}
rmSync(folder, { recursive: true, force: true });
