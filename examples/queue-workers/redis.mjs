// Redis or Valkey as a process that writes every command to a log on disk before it answers.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { freePort, startProgram } from '../servers.mjs';

/** The server's program on this machine, if there is one. */
export const findRedis = () =>
  ['redis-server', 'valkey-server'].find((program) => spawnSync(program, ['--version']).status === 0);

/** @param {string} folder of the log @param {number} [port] default: a free one */
export async function startRedis(folder, port) {
  const program = findRedis();
  if (!program) throw new Error('expected redis-server or valkey-server on this machine: apt-get install redis-server');
  port ??= await freePort();
  mkdirSync(folder, { recursive: true });
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  args.push('--appendonly', 'yes', '--appendfsync', 'always');
  const server = await startProgram(program, args, () => ping(port));
  return { url: `redis://127.0.0.1:${port}`, port, ...server };
}

/** Whether the server has read its log and answers. */
async function ping(port) {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  try {
    socket.write('PING\r\n');
    const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(1000) });
    return String(answer).startsWith('+PONG');
  } finally {
    socket.destroy();
  }
}
