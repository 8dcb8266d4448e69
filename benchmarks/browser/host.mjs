import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { ROOT } from '../models/files.mjs';
import { answerOf } from '../turn.mjs';

const PAGE = fileURLToPath(new URL('page.mjs', import.meta.url));
const PEERS = new URL('../peers/node_modules/', import.meta.url);
/** What a page may load, by the beginning of its path. */
const FOLDERS = { '/peers/': PEERS, [ROOT]: new URL('../../', import.meta.url) };
const TYPES = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  ...Object.fromEntries(['.onnx', '.tflite', '.wav', '.f32'].map((name) => [name, 'application/octet-stream'])),
};
/** With these two a page's clock has steps of 5 us, not 100, in Chromium. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/** Runs contestants in a headless browser, each in a page of its own. */
export class BrowserHost {
  where = 'browser';
  #ready;

  /** @param {() => Promise<import('./engines.mjs').Browser>} start */
  constructor(start, page = PAGE) {
    this.#ready = open(start, page);
  }

  async runtime() {
    return (await this.#ready).browser.runtime;
  }

  async start() {
    const { browser, url } = await this.#ready;
    const page = await browser.open(url);
    return {
      ask: async (method, argument) => answerOf(await page.ask(method, argument)),
      end: () => page.close(),
    };
  }

  async end() {
    const { browser, server } = await this.#ready;
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
}

async function open(start, page) {
  const script = await bundle(page);
  const server = createServer((request, response) => serve(script, request.url, response));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, browser: await start(), url: `http://127.0.0.1:${server.address().port}/` };
}

async function bundle(input) {
  // an import that nobody follows: what only Node can load, and all peers if they are not installed
  const external = existsSync(PEERS) ? /brain\.mjs$|onnxruntime-node|^node:/ : /\/peers\/|^node:/;
  const build = await rolldown({ input, platform: 'browser', external, logLevel: 'silent' });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  await build.close();
  return output[0].code;
}

function serve(script, url, response) {
  response.setHeader('content-type', TYPES[extname(url)] ?? 'text/html');
  for (const [name, value] of Object.entries(ISOLATED)) response.setHeader(name, value);
  if (url === '/') response.end('<!doctype html><body><script type="module" src="page.js"></script>');
  else if (url === '/page.js') response.end(script);
  else {
    const file = fileOf(url);
    if (!file) response.statusCode = 404;
    response.end(file ? readFileSync(file) : '');
  }
}

function fileOf(url) {
  for (const [prefix, folder] of Object.entries(FOLDERS)) {
    if (!url.startsWith(prefix)) continue;
    const file = new URL(url.slice(prefix.length), folder);
    if (TYPES[extname(url)] && file.href.startsWith(folder.href) && existsSync(file)) return file;
  }
  return undefined;
}
