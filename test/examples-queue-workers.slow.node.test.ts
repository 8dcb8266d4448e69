// examples/queue-workers on a real server: workers and the server are killed, and every recording has its one answer all the same.
import { type ExecFileException, execFile } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, expect, it, onTestFinished, type TestContext } from 'vitest';
import { loadOnnx } from '../src/onnx.ts';
import { importExample, needServer, readModel, root, seeded, temporary } from './support/servers.ts';

const { label } = await importExample('label.mjs');
const { readRecording, writeRecordings } = await importExample('recordings.mjs');
const { startFleet } = await importExample('queue-workers/fleet.mjs');
const { addRecordings, collect, idOf, openQueue } = await importExample('queue-workers/queue.mjs');
const { findRedis, startRedis } = await importExample('queue-workers/redis.mjs');

const hasRedis = findRedis() !== undefined;
const need = (context: TestContext) => needServer(context, 'redis-server or valkey-server', hasRedis);
const session = loadOnnx(await readModel());
const [folder, remove] = temporary('queue-workers');
afterAll(remove);

interface Progress {
  done: number;
  active: { name: string; share: number }[];
}

const alone = (path: string) => label(session, readRecording(readFileSync(path)));

/** How often the log of the queue has an event of each recording. */
async function countEvents(url: string, event: string): Promise<Map<string, number>> {
  const redis = new Redis(url);
  const counts = new Map<string, number>();
  for (const [, fields] of await redis.xrange('bull:recordings:events', '-', '+')) {
    const { event: name, jobId } = Object.fromEntries(
      fields.map((key, i) => [key, fields[i + 1]]).filter((_, i) => i % 2 === 0),
    );
    if (name === event) counts.set(jobId!, (counts.get(jobId!) ?? 0) + 1);
  }
  redis.disconnect();
  return counts;
}

it.for([1, 2])(
  'kill -9 on workers and the server, seed %i: one answer each, as one process gives it',
  {
    timeout: 240_000,
  },
  async (seed, context) => {
    need(context);
    const random = seeded(seed);
    const audio = join(folder, `audio-${seed}`);
    const names: string[] = writeRecordings(audio, 16, 30);
    const log = join(folder, `redis-${seed}`);
    let server = await startRedis(log);
    onTestFinished(() => server.stop('SIGKILL'));
    const fleet = startFleet(2, server.url, audio);
    onTestFinished(() => fleet.stop());
    const queue = openQueue(server.url);
    await addRecordings(queue, names);

    // places in the work, in recordings done
    const places = (count: number) => Array.from({ length: count }, () => 13 * random()).sort((a, b) => a - b);
    const killWorker = places(5);
    const killServer = places(1);
    let killed = 0;
    let last = 0;
    let restart: Promise<void> | undefined;
    const onProgress = ({ done, active }: Progress) => {
      expect(done).toBeGreaterThanOrEqual(last);
      last = done;
      const place = done + active.reduce((sum, { share }) => sum + share, 0);
      for (; place >= killWorker[0]!; killWorker.shift()) killed += kill(fleet.pids[Math.floor(2 * random())]);
      if (place < killServer[0]! || restart) return;
      restart = server.stop('SIGKILL').then(async () => {
        server = await startRedis(log, server.port);
      });
    };
    const answers = await collect(queue, names, onProgress, 10);
    expect(killed).toBeGreaterThanOrEqual(3);
    expect(restart).toBeDefined();
    await restart;
    expect([...answers]).toEqual(names.map((name) => [name, alone(join(audio, name))]));
    expect([...answers.values()].some(({ speech }) => speech.length > 1)).toBe(true);

    // the server's own log: it took one answer for each, and workers began some again
    expect([...(await countEvents(server.url, 'completed'))].sort()).toEqual(
      names.map((name) => [idOf(name), 1]).sort(),
    );
    const begun = [...(await countEvents(server.url, 'active')).values()].reduce((a, b) => a + b, 0);
    expect(begun).toBeGreaterThan(names.length);

    // what is added again is answered already
    await addRecordings(queue, names);
    expect(await queue.getJobCounts('wait', 'active', 'completed')).toEqual({ wait: 0, active: 0, completed: 16 });
    await queue.close();
  },
);

/** 1 if there was such a process. */
function kill(pid: number): number {
  try {
    process.kill(pid, 'SIGKILL');
    return 1;
  } catch {
    return 0; // killed before, and not started again yet
  }
}

it('workers take recordings from a file server, come back to it when it fails, and answer for what is none', async (context) => {
  need(context);
  const audio = join(folder, 'served');
  const names: string[] = writeRecordings(audio, 4, 3);
  const good = readFileSync(join(audio, names[0]!));
  names.push('12:30 Straße & 100 %.wav');
  copyFileSync(join(audio, names[2]!), join(audio, names[4]!));
  writeFileSync(join(audio, 'text.wav'), 'no sound, only words');
  const fast = Buffer.from(good);
  fast.writeUInt32LE(48_000, 24);
  writeFileSync(join(audio, 'fast.wav'), fast);
  let failures = 2;
  const files = createServer((request, response) => {
    const name = decodeURIComponent(basename(request.url!));
    if (name === 'gone.wav') return response.writeHead(404).end();
    if (name === names[1] && failures-- > 0) return response.writeHead(503).end();
    response.end(readFileSync(join(audio, name)));
  }).listen(0, '127.0.0.1');
  const server = await startRedis(join(folder, 'redis-served'));
  const url = `http://127.0.0.1:${(files.address() as AddressInfo).port}/audio`;
  onTestFinished(() => server.stop('SIGKILL'));
  const fleet = startFleet(1, server.url, `${url}/`);
  onTestFinished(() => fleet.stop());
  const queue = openQueue(server.url);
  await addRecordings(queue, [...names, 'text.wav', 'fast.wav', 'gone.wav']);
  const answers = await collect(queue, [...names, 'text.wav', 'fast.wav', 'gone.wav']);
  for (const name of names) expect(answers.get(name)).toEqual(alone(join(audio, name)));
  expect(failures).toBeLessThan(0);
  expect(answers.get('text.wav').error).toMatch(/^not a WAV file: /);
  expect(answers.get('fast.wav')).toEqual({
    error: 'expected 16000 Hz, 1 channels, 16 bits, format 1, got 48000 Hz, 1 channels, 16 bits, format 1',
  });
  expect(answers.get('gone.wav')).toEqual({ error: `${url}/gone.wav: 404` });
  for (const name of ['../a.wav', 'a/b.wav', 'a\\b.wav', '.wav', 'a.mp3', '']) {
    await expect(addRecordings(queue, [name])).rejects.toThrow(/^expected names of \.wav files without a folder, got /);
  }
  await queue.close();
  files.close();
}, 120_000);

/** Runs a program of the example. */
const run = (program: string, ...args: string[]) =>
  new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    const path = join(root, 'examples/queue-workers', program);
    execFile(process.execPath, [path, ...args], (error: ExecFileException | null, stdout, stderr) => {
      resolve({ status: Number(error?.code ?? 0), stdout, stderr });
    });
  });

it('main.mjs labels a folder and tells of each file that is no recording', async (context) => {
  need(context);
  const audio = join(folder, 'main');
  const names: string[] = writeRecordings(audio, 5, 8);
  writeFileSync(join(audio, 'text.wav'), 'no sound, only words');
  const server = await startRedis(join(folder, 'redis-main'));
  onTestFinished(() => server.stop('SIGKILL'));
  const results = join(folder, 'results.json');
  const { status, stdout, stderr } = await run(
    'main.mjs',
    audio,
    '--redis',
    server.url,
    '--results',
    results,
    '--workers',
    '1',
  );
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
  expect(stdout).toContain('6 of 6\n');
  expect(stdout).toMatch(/^5 recordings of [\d.]+ s, [\d.]+ s of speech: .*results\.json$/m);
  expect(stdout).toMatch(/^text\.wav: not a WAV file: /m);
  const written = JSON.parse(readFileSync(results, 'utf8'));
  for (const name of names) expect(written[name]).toEqual(alone(join(audio, name)));
}, 120_000);

it('main.mjs refuses in one line what it cannot use', async () => {
  for (const [args, message] of [
    [[join(folder, 'nowhere')], /^error: ENOENT.*\n$/],
    [[join(root, 'src')], /^error: .*src: no \.wav files\n$/],
    [['--workers', 'two'], /^error: --workers: expected a whole number from 1 on, got "two"\n$/],
    [['--fast'], /^error: .*--fast.*\n$/],
  ] as const) {
    expect(await run('main.mjs', ...args)).toEqual({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
  }
  expect((await run('main.mjs', '--help')).stdout).toMatch(/^usage: node examples\/queue-workers\/main\.mjs /);
});

it('load.mjs prints throughput, latency and memory', async (context) => {
  need(context);
  const { status, stdout, stderr } = await run('load.mjs', '--recordings', '6', '--seconds', '2');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const numbers = stdout.replaceAll(/\d[\d,.]*/g, '0');
  const workers = (count: string) => `${count}
  throughput  0 recordings/s, 0 s of audio a second, 0 times that of 0 worker
  processor   0 ms of the workers for a second of audio
  work        0 %: 0 ms, 0 %: 0 ms, 0 %: 0 ms, longest: 0 ms
  with wait   0 %: 0 ms, 0 %: 0 ms, 0 %: 0 ms, longest: 0 ms
`;
  expect(numbers).toBe(
    `0 recordings of 0 to 0 s\n${workers('0 worker')}  memory      0 MB of the workers, 0 MB of the server, at most\n` +
      `${workers('0 workers')}  memory      0 and 0 MB of the workers, 0 MB of the server, at most\n`,
  );
}, 120_000);
