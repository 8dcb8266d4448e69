import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { rolldown } from 'rolldown';
import { answerOf } from '../turn.mjs';

const PAGE = fileURLToPath(new URL('page.mjs', import.meta.url));
const PEERS = new URL('../peers/node_modules/', import.meta.url);
const PLACES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
/** With these two a page's clock has steps of 5 us, not 100. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/** Runs contestants in headless Chromium, each in a page of its own. */
export class BrowserHost {
  where = 'browser';
  #ready = this.#open();

  async #open() {
    const executablePath = PLACES.find((path) => path && existsSync(path));
    if (!executablePath) throw new Error('no Chromium in the usual places or at $CHROMIUM');
    const script = await bundle();
    const server = createServer((request, response) => serve(script, request.url, response));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    return { server, browser, url: `http://127.0.0.1:${server.address().port}/` };
  }

  async runtime() {
    const { browser } = await this.#ready;
    return `Chromium ${browser.version()}`;
  }

  async start() {
    const { browser, url } = await this.#ready;
    // a context of its own, and with it a process
    const context = await browser.newContext();
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error(`page: ${error.message}`));
    await page.goto(url);
    return {
      ask: async (method, argument) =>
        answerOf(await page.evaluate(([method, argument]) => globalThis.ask(method, argument), [method, argument])),
      end: () => context.close(),
    };
  }

  async end() {
    const { browser, server } = await this.#ready;
    await browser.close();
    server.close();
  }
}

async function bundle() {
  // an import that nobody follows: what only Node can load, and all peers if they are not installed
  const external = existsSync(PEERS) ? /brain\.mjs$|onnxruntime-node/ : /\/peers\//;
  const build = await rolldown({ input: PAGE, platform: 'browser', external, logLevel: 'silent' });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  await build.close();
  return output[0].code;
}

function serve(script, url, response) {
  const type = TYPES[extname(url)];
  response.setHeader('content-type', type ?? 'text/html');
  for (const [name, value] of Object.entries(ISOLATED)) response.setHeader(name, value);
  if (url === '/') response.end('<!doctype html><script type="module" src="page.js"></script>');
  else if (url === '/page.js') response.end(script);
  else {
    const file = new URL(url.replace(/^\/peers\//, ''), PEERS);
    const found = type && file.href.startsWith(PEERS.href) && existsSync(file);
    if (!found) response.statusCode = 404;
    response.end(found ? readFileSync(file) : '');
  }
}
