// Labels the recordings of a folder by worker processes, and shows how far they are.
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, readOptions, refuse } from '../figures.mjs';
import { listRecordings, writeRecordings } from '../recordings.mjs';
import { startFleet } from './fleet.mjs';
import { addRecordings, collect, openQueue } from './queue.mjs';
import { startRedis } from './redis.mjs';

const USAGE = `usage: node examples/queue-workers/main.mjs [FOLDER] [--workers 2] [--redis redis://host:6379] [--results FILE.json]

Labels every .wav of FOLDER (16 kHz, mono, 16 bits) and writes the answers, by default to output/results.json beside this program.
Without FOLDER it makes 24 recordings. Without --redis it starts a server of its own. To go on after an interruption, start it again.`;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const { positionals, workers, redis, results } = readOptions(USAGE, {
  workers: 2,
  redis: '',
  results: here('output/results.json'),
});
const folder = positionals[0] ?? here('output/recordings');
let server;
let fleet;
let queue;
let ended;
/** Stops what was started, once; each worker finishes its recording. */
function end() {
  ended ??= (async () => {
    await fleet?.stop();
    await queue?.close();
    await server?.stop();
  })();
  return ended;
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => end().finally(() => process.exit(1)));
// whoever reads has closed the pipe
process.stdout.once('error', () => end().finally(() => process.exit(1)));

let names;
try {
  mkdirSync(dirname(results), { recursive: true });
  closeSync(openSync(results, 'a'));
  if (!positionals[0]) writeRecordings(folder, 24, 30);
  names = listRecordings(folder);
  if (!redis) server = await startRedis(here('output/redis'));
} catch (error) {
  refuse(error);
}
let answers;
try {
  const url = redis || server.url;
  fleet = startFleet(workers, url, folder);
  queue = openQueue(url);
  await addRecordings(queue, names);
  let shown = '';
  answers = await collect(queue, names, ({ done, active }) => {
    const now = active.map(({ name, share }) => `${name} ${Math.round(100 * share)} %`).join(', ');
    const line = `${done} of ${names.length}${now && `: ${now}`}`;
    if (line !== shown) process.stdout.write(process.stdout.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
    shown = line;
  });
  if (process.stdout.isTTY) console.log();
  const lines = Array.from(answers, ([name, answer]) => `${JSON.stringify(name)}: ${JSON.stringify(answer)}`);
  writeFileSync(results, `{\n${lines.join(',\n')}\n}\n`);
} finally {
  await end();
}

const good = [...answers.values()].filter(({ error }) => error === undefined);
const sum = (values) => values.reduce((a, b) => a + b, 0);
const speech = sum(good.flatMap((answer) => answer.speech.map(([start, end]) => end - start))) / 16_000;
console.log(
  `${good.length} recordings of ${format(sum(good.map(({ seconds }) => seconds)))} s, ${format(speech)} s of speech: ${results}`,
);
for (const [name, { error }] of answers) if (error !== undefined) console.log(`${name}: ${error}`);
if (good.length < answers.size) process.exitCode = 1;
