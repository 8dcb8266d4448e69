// WebKitGTK as Debian packs it, steered by WebDriver: `webkit2gtk-driver`, and `xvfb` where there is no display.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 20_000;
/** An expression is evaluated for as long as its script may run. */
const SCRIPT_MS = 600_000;

/** Keys without a letter, as WebDriver writes them. */
const KEYS = {
  Tab: '\uE004',
  Enter: '\uE007',
  Escape: '\uE00C',
  ArrowLeft: '\uE012',
  ArrowUp: '\uE013',
  ArrowRight: '\uE014',
  ArrowDown: '\uE015',
  End: '\uE010',
  Home: '\uE011',
};

/**
 * Starts WebKitGTK's MiniBrowser.
 * @param {string} driver the path of WebKitWebDriver
 * @param {string} browser the path of MiniBrowser
 * @returns {Promise<import('./browsers.mjs').Browser>}
 */
export async function startWebKit(driver, browser) {
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
    async open(address, _onError, { viewport } = {}) {
      await call('POST', '/window', { handle: home });
      const { handle } = await call('POST', '/window/new', { type: 'window' });
      const enter = () => call('POST', '/window', { handle });
      await enter();
      if (viewport) await call('POST', '/window/rect', viewport);
      await call('POST', '/url', { url: address });
      const find = async (selector) => {
        await enter();
        const found = await call('POST', '/element', { using: 'css selector', value: selector });
        return `/element/${Object.values(found)[0]}`;
      };
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
        async click(selector) {
          await call('POST', `${await find(selector)}/click`, {});
        },
        async press(key) {
          await enter();
          const value = KEYS[key] ?? key;
          const actions = ['keyDown', 'keyUp'].map((type) => ({ type, value }));
          await call('POST', '/actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
        },
        async choose(selector, paths) {
          await call('POST', `${await find(selector)}/value`, { text: paths.join('\n') });
        },
        async screenshot() {
          await enter();
          return Buffer.from(await call('GET', '/screenshot'), 'base64');
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
