import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));

/**
 * Worker processes on this machine. One that ends is started again, whatever it died of.
 * @param {number} count @param {string} redis its URL @param {string} recordings a folder or URL
 */
export function startFleet(count, redis, recordings) {
  const env = { ...process.env, REDIS_URL: redis, RECORDINGS: recordings };
  let stopping = false;
  const workers = Array.from({ length: count }, start);
  function start() {
    const child = spawn(process.execPath, [WORKER], { env, stdio: ['ignore', 'inherit', 'ignore'] });
    child.once('exit', () => {
      const place = workers.indexOf(child);
      if (!stopping) workers[place] = start();
    });
    return child;
  }
  return {
    /** The processes that run now. */
    get pids() {
      return workers.map(({ pid }) => pid);
    },
    /** Lets each finish its recording. */
    async stop() {
      stopping = true;
      const over = workers.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit'));
      for (const child of workers) child.kill();
      await Promise.all(over);
    },
  };
}
