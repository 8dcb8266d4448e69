// The browsers on this machine, in which tests and benchmarks open pages: Chromium and Firefox by Playwright, WebKit too where Playwright's own
// build is there, else WebKitGTK as Debian packs it (`webkit2gtk-driver`, and `xvfb` where there is no display), by WebDriver.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, firefox, webkit } from 'playwright';

/**
 * A page. evaluate() gives what an expression gives, or the promise that it is: JSON, or an object with Float32Arrays.
 * @typedef {{ evaluate(expression: string): Promise<any>, title(): Promise<string>, close(): Promise<void> }} Page
 */

/**
 * A browser that runs: pages that do not share a process, where it can do that. `onError` hears what a page throws, but in WebKitGTK.
 * @typedef {{ runtime: string, open(url: string, onError?: (error: Error) => void): Promise<Page>, close(): Promise<void> }} Browser
 */

/**
 * A kind of browser. `path` is undefined where none is on this machine.
 * @typedef {{ name: 'Chromium' | 'Firefox' | 'WebKit', path: string | undefined, start(): Promise<Browser> }} BrowserKind
 */

export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

const START_MS = 20_000;
/** An expression is evaluated for as long as its script may run. */
const SCRIPT_MS = 600_000;

function usual(...names) {
  return names.map((name) => `/usr/bin/${name}`);
}

function find(...paths) {
  return paths.find((path) => path && existsSync(path));
}

/** @type {readonly BrowserKind[]} */
export const BROWSERS = [chromiumKind(), firefoxKind(), webkitKind()];

/** @returns {BrowserKind} */
function chromiumKind() {
  const names = usual('chromium', 'chromium-browser', 'google-chrome');
  const path = find(process.env.CHROMIUM, ...names, chromium.executablePath());
  const launch = () => chromium.launch({ executablePath: path, args: CHROMIUM_ARGUMENTS });
  return { name: 'Chromium', path, start: async () => steered('Chromium', await launch()) };
}

/** @returns {BrowserKind} */
function firefoxKind() {
  const installed = find(process.env.FIREFOX, ...usual('firefox-esr', 'firefox'));
  const path = installed ?? find(firefox.executablePath());
  // a Firefox that is not Playwright's own build speaks WebDriver BiDi
  const launch = () => firefox.launch({ executablePath: path, ...(installed && { channel: 'moz-firefox' }) });
  return { name: 'Firefox', path, start: async () => steered('Firefox', await launch()) };
}

/** @returns {BrowserKind} */
function webkitKind() {
  const own = find(webkit.executablePath());
  if (own) return { name: 'WebKit', path: own, start: async () => steered('WebKit', await webkit.launch()) };
  const driver = '/usr/bin/WebKitWebDriver';
  const isThere = existsSync(driver) && (process.env.DISPLAY || existsSync('/usr/bin/xvfb-run'));
  const browser = below('/usr/lib', /-linux-gnu$/)
    .flatMap((folder) => below(folder, /^webkit2gtk-/))
    .map((folder) => `${folder}/MiniBrowser`)
    .find((path) => existsSync(path));
  return { name: 'WebKit', path: isThere ? browser : undefined, start: () => startWebKit(driver, browser) };
}

function below(folder, pattern) {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => pattern.test(name)).map((name) => `${folder}/${name}`);
}

/** @returns {Browser} */
function steered(name, browser) {
  return {
    runtime: `${name} ${browser.version()}`,
    async open(url, onError = () => {}) {
      // a context of its own, and with it a process
      const context = await browser.newContext();
      const page = await context.newPage();
      page.on('pageerror', onError);
      await page.goto(url);
      return {
        evaluate: (expression) => page.evaluate(expression),
        title: () => page.title(),
        close: () => context.close(),
      };
    },
    close: () => browser.close(),
  };
}

/** @returns {Promise<Browser>} */
async function startWebKit(driver, browser) {
  const port = await freePort();
  const serve = [driver, `--port=${port}`, '--host=127.0.0.1'];
  const command = process.env.DISPLAY ? serve : ['xvfb-run', '--auto-servernum', ...serve];
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
        async evaluate(expression) {
          await enter();
          const { value, error } = JSON.parse(
            await call('POST', '/execute/async', { script: scriptOf(expression), args: [] }),
            revive,
          );
          if (error !== undefined) throw new Error(error);
          return value;
        },
        async title() {
          await enter();
          return call('GET', '/title');
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
function scriptOf(expression) {
  return `
    const done = arguments[0];
    const write = (key, value) => value instanceof Float32Array ? { float32: Array.from(value, String) } : value;
    Promise.resolve().then(() => (${expression})).then(
      (value) => done(JSON.stringify({ value }, write)),
      (error) => done(JSON.stringify({ error: String(error) })),
    );`;
}

function revive(_, value) {
  return value?.float32 ? Float32Array.from(value.float32, Number) : value;
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
      await sleep(100);
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
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}
