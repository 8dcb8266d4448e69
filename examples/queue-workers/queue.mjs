// The queue, as those who fill it, empty it and wait for it see it.
import { createHash } from 'node:crypto';
import { Queue } from 'bullmq';

export const QUEUE = 'recordings';

/** Commands wait for as long as the server is away. @param {string} url redis://... */
export const connectionTo = (url) => ({
  url,
  maxRetriesPerRequest: null,
  retryStrategy: (times) => Math.min(50 * times, 1000),
});

/** @param {string} url redis://... */
export function openQueue(url) {
  const queue = new Queue(QUEUE, {
    connection: connectionTo(url),
    defaultJobOptions: {
      // for a file server that is away; a file that is no recording is an answer
      attempts: 5,
      backoff: { type: 'exponential', delay: 200 },
    },
  });
  queue.on('error', () => {}); // the connection is lost, and will be back
  return queue;
}

/** A recording's job: what is there already is not added again. Ids may not have colons, names may. @param {string} name */
export const idOf = (name) => `sha256-${createHash('sha256').update(name).digest('hex')}`;

/** @param {Queue} queue @param {string[]} names of recordings: files in one folder */
export async function addRecordings(queue, names) {
  const wrong = names.find((name) => !/^[^/\\]+\.wav$/.test(name));
  if (wrong !== undefined)
    throw new RangeError(`expected names of .wav files without a folder, got ${JSON.stringify(wrong)}`);
  await queue.addBulk(names.map((name) => ({ name: 'label', data: { name }, opts: { jobId: idOf(name) } })));
}

/**
 * Waits until every recording has its answer.
 * @param {Queue} queue @param {string[]} names
 * @param {(progress: { done: number, active: { name: string, share: number }[] }) => void} [onProgress]
 * @param {number} [interval] ms between two looks
 * @returns {Promise<Map<string, { seconds: number, speech: number[][], probabilities: string } | { error: string }>>} by name
 */
export async function collect(queue, names, onProgress = () => {}, interval = 200) {
  for (;;) {
    const { completed, failed } = await queue.getJobCounts('completed', 'failed');
    const active = await queue.getJobs(['active']);
    onProgress({
      done: Math.min(names.length, completed + failed),
      active: active.filter(Boolean).map(({ data, progress }) => ({ name: data.name, share: Number(progress) })),
    });
    // there may be others' recordings in the queue
    const answers = completed + failed < names.length ? undefined : await readAnswers(queue, names);
    if (answers) return answers;
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

/** Undefined if one is missing. */
async function readAnswers(queue, names) {
  const answers = new Map();
  // the reason of an attempt that failed stays in a job that was completed later
  for (const { data, failedReason } of await queue.getJobs(['failed'])) answers.set(data.name, { error: failedReason });
  for (const { data, returnvalue } of await queue.getJobs(['completed'])) answers.set(data.name, returnvalue);
  return names.every((name) => answers.has(name)) ? new Map(names.map((name) => [name, answers.get(name)])) : undefined;
}
