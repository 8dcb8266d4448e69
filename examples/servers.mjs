// Servers as child processes, on ports of this machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A TCP port that nobody listens to. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Programs that run: none outlives this process, however it ends. */
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a program and waits until it answers.
 * @param {string} program @param {string[]} args @param {() => Promise<boolean>} isUp
 * @returns {Promise<{ pid: number, stop: (signal?: NodeJS.Signals) => Promise<void> }>} `stop` resolves when the process is gone
 */
export async function startProgram(program, args, isUp) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  running.add(child);
  const over = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(`ended with ${code ?? signal}`));
    child.once('error', (error) => resolve(error.message));
  });
  let end;
  over.then((how) => {
    running.delete(child);
    end = how;
  });
  while (!(await isUp().catch(() => false))) {
    if (end) throw new Error(`${program}: ${end}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const stop = async (signal = 'SIGTERM') => {
    child.kill(signal);
    await over;
  };
  return { pid: child.pid, stop };
}
