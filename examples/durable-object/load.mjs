// Voices by the thousand against one server: how many frames a second, how long an answer takes, how much memory.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, latencies, memoryOf, processorTimeOf, readOptions } from '../figures.mjs';
import { cut, readSource } from '../recordings.mjs';
import { FRAME, SAMPLE_RATE } from '../speech-events.mjs';
import { buildWorker } from './build.mjs';
import { VoiceClient } from './client.mjs';
import { startServer } from './server.mjs';

const USAGE = `usage: node examples/durable-object/load.mjs [--voices 1000] [--seconds 4] [--frames 8] [--paced] [--url http://host]

Opens voices, sends each its seconds of audio, --frames of 32 ms in a message, and reports. As fast as answers come; with --paced
as a microphone would. Without --url it builds the Worker and starts workerd on this machine, and reports its memory too.`;

const { voices, seconds, frames, paced, url } = readOptions(USAGE, {
  voices: 1000,
  seconds: 4,
  frames: 8,
  paced: false,
  url: '',
});
const storage = mkdtempSync(join(tmpdir(), 'voices-'));
if (!url) await buildWorker();
const server = url ? undefined : await startServer(storage);
const memory = () => server && memoryOf(server.pid);
const before = memory();

const source = readSource();
const perVoice = Math.ceil((seconds * SAMPLE_RATE) / FRAME);
const times = [];
let events = 0;
const onAnswer = ({ event }, milliseconds) => {
  times.push(milliseconds);
  if (event) events++;
};
const start = performance.now();
let atOnce;
await Promise.all(Array.from({ length: voices }, (_, k) => speak(k)));
const elapsed = (performance.now() - start) / 1000;

async function speak(k) {
  const client = new VoiceClient(`${url || server.url}/voices/load-${process.pid}-${k}`, {
    framesPerMessage: () => frames,
    onAnswer,
  });
  const samples = cut(source, k, perVoice * FRAME);
  const piece = frames * FRAME;
  const interval = (1000 * piece) / SAMPLE_RATE;
  // microphones do not start all at the same time
  const begin = performance.now() + (interval * k) / voices;
  for (let at = 0, n = 0; at < samples.length; at += piece, n++) {
    if (paced) await new Promise((resolve) => setTimeout(resolve, begin + n * interval - performance.now()));
    else await client.drained();
    client.push(samples.subarray(at, at + piece));
  }
  await client.drained();
  atOnce ??= memory();
  await client.end();
}

const heard = voices * perVoice;
console.log(
  `${voices} voices, ${seconds} s each, ${frames} frames of 32 ms in a message, ${paced ? 'paced' : 'as fast as answers come'}`,
);
console.log(
  `  throughput  ${format(heard / elapsed)} frames/s: ${format((heard / elapsed) * (FRAME / SAMPLE_RATE))} voices in real time`,
);
if (server) {
  const { user, kernel } = processorTimeOf(server.pid);
  console.log(
    `  processor   ${format((1e6 * user) / heard)} us of workerd a frame, and ${format((1e6 * kernel) / heard)} us in the kernel`,
  );
}
console.log(`  latency     ${latencies(times)}`);
if (server)
  console.log(
    `  memory      ${before.now} MB of workerd before, ${atOnce.now} MB with all voices, ${memory().most} MB at most`,
  );
console.log(`  events      ${events}`);
if (times.length !== heard) throw new Error(`${heard} frames were sent, ${times.length} answered`);
await server?.stop();
rmSync(storage, { recursive: true, force: true });
