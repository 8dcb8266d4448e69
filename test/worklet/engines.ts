import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, firefox } from 'playwright';

// Whole browsers, each with a page of this repository open, in which programs run: a page of its own, not one of a test runner.

/** A page in which functions run. */
export interface Page {
  /** Imports a module by its path in the repository, calls one of its exports with `argument`, and gives its result as JSON has it. */
  call(path: string, name: string, argument?: unknown): Promise<any>;
  close(): Promise<void>;
}

export interface Engine {
  readonly name: string;
  /** undefined if it is not on this machine */
  readonly program: string | undefined;
  open(program: string, url: string): Promise<Page>;
}

const find = (...paths: (string | undefined)[]) => paths.find((path) => path !== undefined && existsSync(path));

const call = `async ([path, name, argument]) => (await import(path))[name](argument)`;

async function openWith(launched: ReturnType<typeof chromium.launch>, url: string): Promise<Page> {
  const browser = await launched;
  const page = await browser.newPage();
  await page.goto(url);
  return {
    call: (path, name, argument) => page.evaluate(`(${call})(${JSON.stringify([path, name, argument])})`),
    close: () => browser.close(),
  };
}

/** WebKitGTK by its WebDriver, which needs a display. */
async function openWebKit(program: string, url: string): Promise<Page> {
  const port = 20_000 + (process.pid % 20_000);
  const host = '127.0.0.1';
  const args = ['-a', program, `--port=${port}`, `--host=${host}`];
  const driver = spawn('xvfb-run', args, { stdio: 'ignore', detached: true });
  const send = async (method: string, path: string, body?: unknown) => {
    const text = body === undefined ? null : JSON.stringify(body);
    const response = await fetch(`http://${host}:${port}${path}`, { method, body: text });
    const { value } = (await response.json()) as { value: any };
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
      process.kill(-driver.pid!, 'SIGTERM');
    },
  };
}

async function waitFor(driver: ChildProcess, isReady: () => Promise<unknown>): Promise<void> {
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

export const engines: readonly Engine[] = [
  {
    name: 'Chromium',
    program: find(process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'),
    open: (executablePath, url) => openWith(chromium.launch({ executablePath, args: CHROMIUM_ARGUMENTS }), url),
  },
  {
    name: 'Firefox',
    program: find(process.env.FIREFOX, '/usr/bin/firefox-esr'),
    open: (executablePath, url) => openWith(firefox.launch({ channel: 'moz-firefox', executablePath } as object), url),
  },
  {
    name: 'WebKit',
    program: existsSync('/usr/bin/xvfb-run') ? find('/usr/bin/WebKitWebDriver') : undefined,
    open: openWebKit,
  },
];

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
};

/** Serves the files below `root`; '/' is an empty page. */
export async function serve(root: string): Promise<{ url: string; server: Server }> {
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
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}
