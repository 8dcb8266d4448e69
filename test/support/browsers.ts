// Browsers other than that of vitest.config.ts, which open a page and give what it puts into its title: Debian's own builds.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { chromium, firefox } from 'playwright';

const MINI_BROWSERS = [
  '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser',
  '/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser',
];
const CHROMIUMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const CHROMIUM_FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'];
/** How long a page has for its title, in ms. */
const PATIENCE = 30_000;

export interface Browser {
  /** Opens a page and waits until its title begins with 'done'. @returns the rest of the title */
  open(url: string): Promise<string>;
  close(): Promise<void>;
}

const found = (paths: readonly (string | undefined)[]) => paths.find((path) => path && existsSync(path));

/** The paths of what each browser needs; undefined where that is missing. */
export const BROWSER_PATHS = {
  Chromium: found([process.env.CHROMIUM, ...CHROMIUMS]),
  Firefox: found([process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox']),
  WebKit: existsSync('/usr/bin/WebKitWebDriver') && existsSync('/usr/bin/xvfb-run') ? found(MINI_BROWSERS) : undefined,
} as const;

export async function start(name: keyof typeof BROWSER_PATHS): Promise<Browser> {
  const executablePath = BROWSER_PATHS[name]!;
  if (name === 'WebKit') return startWebKit(executablePath);
  const browser =
    name === 'Chromium'
      ? await chromium.launch({ executablePath, args: CHROMIUM_FLAGS })
      : await firefox.launch({ executablePath, channel: 'moz-firefox' });
  return {
    async open(url) {
      const page = await browser.newPage();
      try {
        await page.goto(url);
        return await titleOf(() => page.title());
      } finally {
        await page.close();
      }
    },
    close: () => browser.close(),
  };
}

/** Waits until a title begins with 'done', by asking: a policy may forbid to evaluate anything in the page. */
export async function titleOf(read: () => Promise<string>): Promise<string> {
  let title = '';
  for (const end = Date.now() + PATIENCE; Date.now() < end; await wait(50)) {
    title = await read();
    if (title.startsWith('done')) return title.slice(4);
  }
  throw new Error(`a page has not set its title to 'done', but to ${JSON.stringify(title)}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** WebKitGTK by its WebDriver, which needs a display. */
async function startWebKit(binary: string): Promise<Browser> {
  const port = await freePort();
  const driver: ChildProcess = spawn('xvfb-run', ['-a', 'WebKitWebDriver', `--port=${port}`, '--host=127.0.0.1'], {
    stdio: 'ignore',
    detached: true,
  });
  const call = async (method: string, path: string, body?: unknown): Promise<any> => {
    const init = body ? { method, body: JSON.stringify(body) } : { method };
    const { value } = (await (await fetch(`http://127.0.0.1:${port}${path}`, init)).json()) as { value: any };
    if (value?.error) throw new Error(`WebKit: ${value.error}: ${value.message}`);
    return value;
  };
  const stop = () => {
    // with the display and the driver that it started
    if (driver.pid) process.kill(-driver.pid);
  };
  try {
    for (let tries = 0; ; tries++) {
      try {
        await call('GET', '/status');
        break;
      } catch (cause) {
        if (tries === 100) throw new Error('WebKitWebDriver does not answer', { cause });
        await wait(100);
      }
    }
    const options = { binary, args: ['--automation'] };
    const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': options } };
    const { sessionId } = await call('POST', '/session', { capabilities });
    return {
      async open(url) {
        await call('POST', `/session/${sessionId}/url`, { url });
        return titleOf(() => call('GET', `/session/${sessionId}/title`));
      },
      async close() {
        await call('DELETE', `/session/${sessionId}`).finally(stop);
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}
