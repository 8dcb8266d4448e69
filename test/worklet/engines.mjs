import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, firefox } from 'playwright';

// Whole browsers, each with a page of this repository open, in which programs run: a page of its own, not one of a test runner.

/**
 * A page in which functions run: call() imports a module by its path in the repository, calls one of its exports with an argument, and
 * gives its result as JSON has it.
 * @typedef {{ call(path: string, name: string, argument?: unknown): Promise<any>, close(): Promise<void> }} Page
 */

/** @param {(string | undefined)[]} paths */
const find = (...paths) => paths.find((path) => path !== undefined && existsSync(path));

const call = `async ([path, name, argument]) => (await import(path))[name](argument)`;

/** @returns {Promise<Page>} */
async function openWith(launched, url) {
  const browser = await launched;
  const page = await browser.newPage();
  await page.goto(url);
  return {
    call: (path, name, argument) => page.evaluate(`(${call})(${JSON.stringify([path, name, argument])})`),
    close: () => browser.close(),
  };
}

/** WebKitGTK by its WebDriver, which needs a display. @returns {Promise<Page>} */
async function openWebKit(program, url) {
  const port = 20_000 + (process.pid % 20_000);
  const host = '127.0.0.1';
  const args = ['-a', program, `--port=${port}`, `--host=${host}`];
  const driver = spawn('xvfb-run', args, { stdio: 'ignore', detached: true });
  const send = async (method, path, body = undefined) => {
    const text = body === undefined ? null : JSON.stringify(body);
    const response = await fetch(`http://${host}:${port}${path}`, { method, body: text });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
    return value;
  };
  await waitFor(driver, () => send('GET', '/status'));
  const binary = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';
  const options = { 'webkitgtk:browserOptions': { binary, args: ['--automation'] } };
  const { sessionId } = await send('POST', '/session', { capabilities: { alwaysMatch: options } });
  const session = `/session/${sessionId}`;
  await send('POST', `${session}/timeouts`, { script: 300_000, pageLoad: 60_000 });
  await send('POST', `${session}/url`, { url });
  return {
    async call(path, name, argument) {
      const script = `const done = arguments[arguments.length - 1];
        (${call})(arguments).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
      const result = await send('POST', `${session}/execute/async`, { script, args: [path, name, argument ?? null] });
      if (result.error !== undefined) throw new Error(result.error);
      return result.value;
    },
    async close() {
      await send('DELETE', session).catch(() => undefined);
      process.kill(-driver.pid, 'SIGTERM');
    },
  };
}

async function waitFor(driver, isReady) {
  for (let k = 0; k < 100 && driver.exitCode === null; k++) {
    try {
      await isReady();
      return;
    } catch {
      await sleep(100);
    }
  }
  throw new Error('WebKitWebDriver does not answer');
}

const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--autoplay-policy=no-user-gesture-required',
];

/**
 * `program` is undefined if it is not on this machine.
 * @type {readonly { name: string, program: string | undefined, open(program: string, url: string): Promise<Page> }[]}
 */
export const engines = [
  {
    name: 'Chromium',
    program: find(process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'),
    open: (executablePath, url) => openWith(chromium.launch({ executablePath, args: CHROMIUM_ARGUMENTS }), url),
  },
  {
    name: 'Firefox',
    program: find(process.env.FIREFOX, '/usr/bin/firefox-esr'),
    open: (executablePath, url) => openWith(firefox.launch({ channel: 'moz-firefox', executablePath }), url),
  },
  {
    name: 'WebKit',
    program: existsSync('/usr/bin/xvfb-run') ? find('/usr/bin/WebKitWebDriver') : undefined,
    open: openWebKit,
  },
];

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
};

/** Serves the files below `root`; '/' is an empty page. @param {string} root */
export async function serve(root) {
  const server = createServer(async ({ url = '/' }, response) => {
    const path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname));
    try {
      const body = path === '/' ? '<!doctype html><title>page</title>' : await readFile(join(root, path));
      response.setHeader('content-type', TYPES[extname(path) || '.html'] ?? 'application/octet-stream');
      response.end(body);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  return { url: `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/`, server };
}
