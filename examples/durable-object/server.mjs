// workerd as a process: started, killed, started again on the same storage.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { freePort, startProgram } from '../servers.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The path of workerd; undefined where npm has none for this machine. */
export function findWorkerd() {
  try {
    return createRequire(import.meta.url)('workerd').default;
  } catch {
    return undefined;
  }
}

/**
 * Starts the Worker that build.mjs has built.
 * @param {string} storage folder of the objects' storage
 * @param {number} [port] default: a free one
 */
export async function startServer(storage, port) {
  port ??= await freePort();
  mkdirSync(storage, { recursive: true });
  const args = [
    'serve',
    here('workerd.capnp'),
    `--socket-addr=http=127.0.0.1:${port}`,
    `--directory-path=storage=${storage}`,
  ];
  const url = `http://127.0.0.1:${port}`;
  const server = await startProgram(findWorkerd(), args, async () => (await fetch(url)).status === 404);
  return { url, port, ...server };
}
