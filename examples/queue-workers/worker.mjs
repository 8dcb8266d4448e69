// A worker: takes recordings from the queue, one at a time, until it is stopped. Start as many as there are cores, on any machine:
// REDIS_URL=redis://host:6379 RECORDINGS=https://host/recordings node examples/queue-workers/worker.mjs
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'bullmq';
import { loadOnnx } from 'lstm-wasm/onnx';
import { labelInPieces } from '../label.mjs';
import { RecordingError, readRecording } from '../recordings.mjs';
import { connectionTo, QUEUE } from './queue.mjs';

const { REDIS_URL = 'redis://127.0.0.1:6379', RECORDINGS = '.' } = process.env;
const MODEL = createRequire(import.meta.url).resolve('@ricky0123/vad-web/dist/silero_vad_v6.onnx');
const session = loadOnnx(await readFile(MODEL));

const worker = new Worker(QUEUE, work, {
  connection: connectionTo(REDIS_URL),
  // a job of a worker that says nothing for so long is another worker's
  lockDuration: 4000,
  stalledInterval: 2000,
  // a recording that takes so many workers with it is given up
  maxStalledCount: 20,
});
worker.on('error', (error) => console.error(`worker ${process.pid}: ${error.message || error.code}`));

async function work(job) {
  const bytes = await readBytes(job.data.name);
  try {
    const pieces = labelInPieces(session, readRecording(bytes));
    for (;;) {
      const { done, value } = pieces.next();
      if (done) return value;
      // nobody waits for it to be on the server's disk
      job.updateProgress(value).catch(() => {});
      // the lock is renewed in between
      await setImmediate();
    }
  } catch (error) {
    // trying again would not help
    if (error instanceof RecordingError) return { error: error.message };
    throw error;
  }
}

/** From a folder, or from a server of files. */
async function readBytes(name) {
  if (!/^https?:/.test(RECORDINGS)) return readFile(join(RECORDINGS, name));
  const response = await fetch(`${RECORDINGS.replace(/\/$/, '')}/${encodeURIComponent(name)}`);
  if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Finishes the recording it has, and takes no other. */
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => worker.close().then(() => process.exit(0)));
