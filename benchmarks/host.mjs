import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { NODE } from './launch.mjs';
import { answerOf } from './turn.mjs';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));

/** Runs a contestant in a process of its own, so that nobody's garbage or crash is another's. */
export class ProcessHost {
  where = 'node';
  #child;

  constructor(child = CHILD) {
    this.#child = child;
  }

  async runtime() {
    return NODE;
  }

  async start() {
    const child = fork(this.#child, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let complaints = '';
    child.stderr.on('data', (text) => {
      complaints += text;
    });
    return {
      async ask(method, argument) {
        child.send({ method, argument });
        const abort = new AbortController();
        const [answer] = await Promise.race([
          once(child, 'message', { signal: abort.signal }),
          once(child, 'exit', { signal: abort.signal }).then(() => {
            throw new Error(`its process ended: ${complaints.trim().split('\n').at(-1)}`);
          }),
        ]).finally(() => abort.abort());
        return answerOf(answer);
      },
      async end() {
        child.kill();
      },
    };
  }

  async end() {}
}
