// The suite in browsers: in a page, a worker, an AudioWorklet and a service worker, served from this machine.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BrowserType, chromium, firefox } from 'playwright';

/** Runs an expression of the page that gives a promise. */
export type Evaluate = (expression: string) => Promise<unknown>;

export interface Browser {
  readonly evaluate: Evaluate;
  close(): Promise<unknown>;
}

export interface BrowserKind {
  readonly name: string;
  /** What it needs to be installed; undefined if it is there. */
  readonly missing: string | undefined;
  open(url: string): Promise<Browser>;
}

/** Where the suite runs in a browser, and the function of the page that runs it there. */
export const PLACES = {
  page: 'inPage()',
  worker: 'inWorker()',
  'audio worklet': 'inWorklet()',
  'service worker': 'inServiceWorker()',
} as const;

/**
 * The places whose thread makes subnormal numbers zeros while it computes sound, which the processor can do and WebAssembly does not
 * foresee: floats below 2^-126 come out as zeros there.
 */
export const FLUSHING: readonly string[] = ['Firefox, audio worklet', 'WebKit, audio worklet'];

const PAGE = `<!doctype html><meta charset="utf-8"><title>suite</title><link rel="icon" href="data:,">
<script src="suite.js"></script>
<script>
  const answer = (port) => new Promise((resolve, reject) => {
    port.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.results));
  });
  const inPage = () => runSuite();
  const inWorker = () => answer(new Worker('worker.js'));
  async function inWorklet() {
    const context = new OfflineAudioContext(1, 128, 48000);
    await context.audioWorklet.addModule('suite.js');
    await context.audioWorklet.addModule('worklet.js');
    const node = new AudioWorkletNode(context, 'suite');
    const results = answer(node.port);
    node.connect(context.destination);
    await context.startRendering();
    return results;
  }
  async function inServiceWorker() {
    const registration = await navigator.serviceWorker.register('service-worker.js');
    await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    const results = answer(port1);
    (registration.active ?? registration.waiting ?? registration.installing).postMessage({}, [port2]);
    return results;
  }
</script>`;

const SEND = (port: string) => `runSuite().then(
  (results) => ${port}.postMessage({ results }),
  (error) => ${port}.postMessage({ error: String(error) }),
);`;

/** The files of the server by path. */
function filesOf(suite: string): Record<string, readonly [type: string, text: string]> {
  const script = (text: string) => ['text/javascript', text] as const;
  return {
    '/': ['text/html', PAGE],
    '/suite.js': script(suite),
    '/worker.js': script(`importScripts('suite.js'); ${SEND('self')}`),
    '/worklet.js': script(`registerProcessor('suite', class extends AudioWorkletProcessor {
      process() {
        if (this.started) return true;
        this.started = true;
        ${SEND('this.port')}
        return true;
      }
    });`),
    '/service-worker.js': script(`importScripts('suite.js');
      onmessage = ({ ports: [port] }) => { ${SEND('port')} };`),
  };
}

/** Serves the suite. */
export async function serve(suite: string): Promise<{ url: string; close(): void }> {
  const files = filesOf(suite);
  const server = createServer(({ url }, response) => {
    const file = files[url!];
    response.writeHead(file ? 200 : 404, { 'content-type': file?.[0] ?? 'text/plain' });
    response.end(file?.[1]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => void server.close() };
}

function byPlaywright(
  name: string,
  type: BrowserType,
  paths: readonly (string | undefined)[],
  options: object,
): BrowserKind {
  const executablePath = paths.find((path) => path && existsSync(path));
  return {
    name,
    missing: executablePath ? undefined : `${name}: none at ${paths.filter(Boolean).join(', ')}`,
    async open(url) {
      const browser = await type.launch({ executablePath: executablePath!, ...options });
      const page = await browser.newPage();
      await page.goto(url);
      return { evaluate: (expression) => page.evaluate(expression), close: () => browser.close() };
    },
  };
}

const WEBKIT_DRIVER = '/usr/bin/WebKitWebDriver';
const MINI_BROWSER = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';
const XVFB = '/usr/bin/xvfb-run';

/** WebKitGTK's MiniBrowser on a screen in memory, by WebDriver (https://www.w3.org/TR/webdriver2/). */
const webkit: BrowserKind = {
  name: 'WebKit',
  missing: [WEBKIT_DRIVER, MINI_BROWSER, XVFB].every((path) => existsSync(path))
    ? undefined
    : `WebKit: needs ${WEBKIT_DRIVER}, ${MINI_BROWSER} and ${XVFB}`,
  async open(url) {
    const port = await freePort();
    const args = ['--auto-servernum', WEBKIT_DRIVER, `--port=${port}`, '--host=127.0.0.1'];
    const driver = spawn(XVFB, args, { stdio: 'ignore', detached: true });
    const call = async (method: string, path: string, body?: object): Promise<any> => {
      const request = { method, ...(body && { body: JSON.stringify(body) }) };
      const response = await fetch(`http://127.0.0.1:${port}${path}`, request);
      const { value } = (await response.json()) as { value: any };
      if (!response.ok) throw new Error(`WebDriver: ${value.error}: ${value.message}`);
      return value;
    };
    try {
      await until(() => call('GET', '/status'), driver);
      const options = { binary: MINI_BROWSER, args: ['--automation'] };
      const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': options } };
      const { sessionId } = await call('POST', '/session', { capabilities });
      const session = `/session/${sessionId}`;
      await call('POST', `${session}/timeouts`, { script: 120_000 });
      await call('POST', `${session}/url`, { url });
      return {
        async evaluate(expression) {
          const script = `const done = arguments[0];
            Promise.resolve().then(() => ${expression}).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
          const { value, error } = await call('POST', `${session}/execute/async`, { script, args: [] });
          if (error) throw new Error(error);
          return value;
        },
        async close() {
          await call('DELETE', session).catch(() => undefined);
          process.kill(-driver.pid!);
        },
      };
    } catch (error) {
      process.kill(-driver.pid!);
      throw error;
    }
  },
};

async function freePort(): Promise<number> {
  const socket = createSocket().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address() as AddressInfo;
  socket.close();
  await once(socket, 'close');
  return port;
}

/** Waits for a server to answer. */
async function until(ask: () => Promise<unknown>, { exitCode }: ChildProcess): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await ask();
      return;
    } catch (error) {
      if (tries === 100 || exitCode !== null) throw error;
      await sleep(100);
    }
  }
}

const CHROMIUM = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FIREFOX = [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'];

export const BROWSERS: readonly BrowserKind[] = [
  byPlaywright('Chromium', chromium, CHROMIUM, { args: ['--no-sandbox', '--disable-gpu'] }),
  byPlaywright('Firefox', firefox, FIREFOX, { channel: 'moz-firefox' }),
  webkit,
];
