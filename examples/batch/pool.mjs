import Tinypool from 'tinypool';

/**
 * Labels files by threads of this process.
 * @param {string[]} paths of WAV files @param {number} threads
 * @param {(done: number) => void} [onProgress]
 * @returns {Promise<object[]>} answers in the order of the paths, whichever thread gave them: each has the bits it has alone
 */
export async function labelFiles(paths, threads, onProgress = () => {}) {
  const filename = new URL('worker.mjs', import.meta.url).href;
  // a thread is kept until the end, and so is its model
  const pool = new Tinypool({ filename, minThreads: threads, maxThreads: threads, isolateWorkers: false });
  let done = 0;
  try {
    return await Promise.all(
      paths.map(async (path) => {
        const answer = await pool.run(path);
        onProgress(++done);
        return answer;
      }),
    );
  } finally {
    await pool.destroy();
  }
}
