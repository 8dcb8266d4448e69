import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';

const LIBRARIES = '/usr/lib';
const START_MS = 20_000;
/** A question is asked for as long as its script may run. */
const SCRIPT_MS = 600_000;

/**
 * WebKitGTK as Debian packs it (`webkit2gtk-driver`, and `xvfb` where there is no display), which Playwright cannot steer.
 * @returns the paths of its programs, or undefined
 */
export function webKitPrograms() {
  const driver = '/usr/bin/WebKitWebDriver';
  const browser = below(LIBRARIES, /-linux-gnu$/)
    .flatMap((folder) => below(folder, /^webkit2gtk-/))
    .map((folder) => `${folder}/MiniBrowser`)
    .find((path) => existsSync(path));
  return existsSync(driver) && browser ? { driver, browser } : undefined;
}

function below(folder, pattern) {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => pattern.test(name)).map((name) => `${folder}/${name}`);
}

/** @returns {Promise<import('./engines.mjs').Browser>} */
export async function openWebKit({ driver, browser }) {
  const port = await freePort();
  const serve = [driver, `--port=${port}`, '--host=127.0.0.1'];
  const command = process.env.DISPLAY ? serve : ['xvfb-run', '-a', ...serve];
  // a group of its own, so that the display ends with it
  const child = spawn(command[0], command.slice(1), { stdio: 'ignore', detached: true });
  const end = () => child.pid && child.exitCode === null && process.kill(-child.pid);
  process.once('exit', end);
  let failure;
  child.on('error', (error) => {
    failure = error;
  });
  const url = `http://127.0.0.1:${port}`;
  const session = await begin(url, browser, () => failure);
  const call = (method, path, body) => request(method, `${url}/session/${session.sessionId}${path}`, body);
  await call('POST', '/timeouts', { script: SCRIPT_MS });
  // the window that it begins with stays: without any there can be no new one
  const home = await call('GET', '/window');
  return {
    runtime: `WebKitGTK ${session.capabilities.browserVersion}`,
    async open(address) {
      await call('POST', '/window', { handle: home });
      const { handle } = await call('POST', '/window/new', { type: 'window' });
      const enter = () => call('POST', '/window', { handle });
      await enter();
      await call('POST', '/url', { url: address });
      return {
        async ask(method, argument) {
          await enter();
          return revive(await call('POST', '/execute/async', { script: ASK, args: [method, argument] }));
        },
        async close() {
          await enter();
          await call('DELETE', '/window');
        },
      };
    },
    async close() {
      await call('DELETE', '').catch(() => {});
      process.off('exit', end);
      end();
    },
  };
}

/** JSON has neither Float32Arrays nor Infinity: an array of floats goes as an object. */
const ASK = `
  const [method, argument, done] = arguments;
  const ask = () => globalThis.ask ? globalThis.ask(method, argument) : new Promise((go) => setTimeout(go, 10)).then(ask);
  ask().then((answer) => done(JSON.stringify(answer, (key, value) =>
    value instanceof Float32Array ? { float32: Array.from(value, String) } : value)));`;

function revive(text) {
  return JSON.parse(text, (_, value) => (value?.float32 ? Float32Array.from(value.float32, Number) : value));
}

async function begin(url, binary, failure) {
  const capabilities = { 'webkitgtk:browserOptions': { binary, args: ['--automation'] } };
  for (const end = Date.now() + START_MS; ; ) {
    try {
      return await request('POST', `${url}/session`, { capabilities: { alwaysMatch: capabilities } });
    } catch (error) {
      if (failure()) throw failure();
      // the driver does not listen yet
      if (error.cause?.code !== 'ECONNREFUSED' || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function request(method, url, body) {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`WebKit: ${value.error}: ${value.message}`);
  return value;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
