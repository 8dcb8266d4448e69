// Recordings through the queue, by 1 worker and by 2: how many a second, how long each takes, how much memory.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, latencies, memoryOf, processorTimeOf, readOptions } from '../figures.mjs';
import { writeRecordings } from '../recordings.mjs';
import { startFleet } from './fleet.mjs';
import { addRecordings, collect, openQueue } from './queue.mjs';
import { startRedis } from './redis.mjs';

const USAGE = `usage: node examples/queue-workers/load.mjs [--recordings 200] [--seconds 60] [--workers 2]

Starts a server, makes recordings of 1 to --seconds seconds, labels them by 1, 2, 4 ... up to --workers workers, and reports.`;

const { recordings, seconds, workers } = readOptions(USAGE, { recordings: 200, seconds: 60, workers: 2 });
const folder = mkdtempSync(join(tmpdir(), 'recordings-'));
const names = writeRecordings(join(folder, 'audio'), recordings, seconds);
const server = await startRedis(join(folder, 'redis'));
const queue = openQueue(server.url);

console.log(`${recordings} recordings of 1 to ${seconds} s`);
let alone;
for (let count = 1; count <= workers; count *= 2) {
  const fleet = startFleet(count, server.url, join(folder, 'audio'));
  // the clock starts when all workers are there
  while ((await queue.getWorkersCount()) < count) await new Promise((resolve) => setTimeout(resolve, 50));
  const taken = () => fleet.pids.reduce((sum, pid) => sum + processorTimeOf(pid).user, 0);
  const before = taken();
  const start = performance.now();
  await addRecordings(queue, names);
  const answers = [...(await collect(queue, names)).values()];
  const elapsed = (performance.now() - start) / 1000;
  const processor = taken() - before;
  const jobs = await queue.getJobs(['completed']);
  const memory = fleet.pids.map((pid) => memoryOf(pid).most).join(' and ');
  const failed = answers.find(({ error }) => error !== undefined);
  if (failed) throw new Error(failed.error);
  alone ??= elapsed;
  const audio = answers.reduce((sum, answer) => sum + answer.seconds, 0);
  console.log(`${count} worker${count > 1 ? 's' : ''}`);
  console.log(
    `  throughput  ${format(recordings / elapsed)} recordings/s, ${format(audio / elapsed)} s of audio a second, ${format(alone / elapsed)} times that of 1 worker`,
  );
  console.log(`  processor   ${format((1000 * processor) / audio)} ms of the workers for a second of audio`);
  console.log(`  work        ${latencies(jobs.map((job) => job.finishedOn - job.processedOn))}`);
  console.log(`  with wait   ${latencies(jobs.map((job) => job.finishedOn - job.timestamp))}`);
  console.log(`  memory      ${memory} MB of the workers, ${memoryOf(server.pid).most} MB of the server, at most`);
  await fleet.stop();
  await queue.obliterate({ force: true });
}
await queue.close();
await server.stop();
rmSync(folder, { recursive: true, force: true });
