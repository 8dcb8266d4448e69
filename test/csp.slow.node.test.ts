// Pages, workers and extensions under a Content-Security-Policy, without a bundler: dist/ as it is.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { BROWSERS, type Browser, CHROMIUM_ARGUMENTS } from '../scripts/browsers.mjs';
import { root, temporaryFolder } from './support/consumer.ts';
import { needEngine } from './support/need.ts';

const ANSWER = `
  import { initialize, LSTM } from '/dist/index.js';
  import { loadRTNeural } from '/dist/audio.js';
  const attempt = async (body) => {
    try {
      return String(await body());
    } catch (error) {
      return error.name + ': ' + error.message;
    }
  };
  const run = () => new LSTM(2, 3, { seed: 1 }).forward({ data: Float32Array.of(1, 2), dims: [1, 2] }).output.data.join();
  const effect = () => {
    const layers = [{ type: 'dense', activation: 'elu', shape: [null, null, 1], weights: [[[1]], [0.5]] }];
    const output = new Float32Array(1);
    loadRTNeural({ in_shape: [null, null, 1], layers }).process(Float32Array.of(-1), output);
    return output[0];
  };
  export const answer = async () => [await attempt(run), await attempt(effect)];
`;
const FILES: Readonly<Record<string, string>> = {
  '/answer.js': ANSWER,
  '/page.html': '<script type="module" src="page.js"></script>',
  '/page.js': `import { answer } from './answer.js'; document.title = 'done' + JSON.stringify(await answer());`,
  '/worker.html': '<script type="module" src="start.js"></script>',
  '/start.js': `
    const worker = new Worker('worker.js', { type: 'module' });
    worker.onmessage = ({ data }) => (document.title = 'done' + data);
  `,
  '/worker.js': `import { answer } from './answer.js'; postMessage(JSON.stringify(await answer()));`,
};
const STRICT = "default-src 'self'; script-src 'self'";
const WITH_WASM = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

let server: Server;
let origin: string;

beforeAll(async () => {
  server = createServer(({ url = '' }, response) => {
    const { pathname } = new URL(url, 'http://x');
    const type = pathname.endsWith('.html') ? 'text/html' : 'text/javascript';
    // workers take the policy of their own response
    response.setHeader('content-type', type);
    if (policy) response.setHeader('content-security-policy', policy);
    if (pathname.startsWith('/dist/')) response.end(readFileSync(join(root, pathname)));
    else response.end(FILES[pathname] ?? '');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** The policy of all that the server sends. */
let policy = '';

const ADVICE = /^Error: lstm-wasm: Content-Security-Policy: add 'wasm-unsafe-eval' to script-src$/;

/** Waits until a title begins with 'done', by asking: a policy may forbid to evaluate anything in the page. @returns the rest of it */
async function titleOf(read: () => Promise<string>): Promise<string> {
  let title = '';
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    title = await read();
    if (title.startsWith('done')) return title.slice(4);
  }
  throw new Error(`a page has not set its title to 'done', but to ${JSON.stringify(title)}`);
}

describe.each(BROWSERS)('$name', ({ name, path, start }) => {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (path) browser = await start();
  }, 60_000);
  afterAll(() => browser?.close());
  beforeEach((context) => needEngine(context, name, path));

  it.each(['page', 'worker'])("runs in a %s with 'wasm-unsafe-eval', and names it without", async (place) => {
    const answerUnder = async (policyOfAll: string): Promise<string[]> => {
      policy = policyOfAll;
      const page = await browser!.open(`${origin}/${place}.html`);
      const answer = JSON.parse(await titleOf(() => page.title()));
      await page.close();
      return answer;
    };
    const free = await answerUnder('');
    expect(free).toEqual([expect.stringMatching(/^-?0\.\d+,/), expect.stringMatching(/^-0\.39/)]);
    expect(await answerUnder(WITH_WASM)).toEqual(free);
    const refused = expect.stringMatching(ADVICE);
    expect(await answerUnder(STRICT)).toEqual([refused, refused]);
  });
});

const executablePath = BROWSERS.find(({ name }) => name === 'Chromium')!.path;

describe('an extension of manifest version 3', () => {
  beforeEach((context) => needEngine(context, 'Chromium', executablePath));
  const folder = temporaryFolder();

  it.each([
    ['refuses by default, and names what to add', undefined],
    ["runs with 'wasm-unsafe-eval'", { extension_pages: "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'" }],
  ])('%s', async (_, contentSecurityPolicy) => {
    const extension = join(folder, contentSecurityPolicy ? 'with' : 'without');
    mkdirSync(extension);
    cpSync(join(root, 'dist'), join(extension, 'dist'), { recursive: true });
    for (const [path, text] of Object.entries(FILES)) writeFileSync(join(extension, path), text);
    writeFileSync(
      join(extension, 'background.js'),
      `import { answer } from './answer.js'; globalThis.answered = answer().then(JSON.stringify);`,
    );
    const manifest = {
      ...{
        manifest_version: 3,
        name: 'test',
        version: '1',
        background: { service_worker: 'background.js', type: 'module' },
      },
      ...{ action: { default_popup: 'page.html' }, content_security_policy: contentSecurityPolicy },
    };
    writeFileSync(join(extension, 'manifest.json'), JSON.stringify(manifest));
    const context = await chromium.launchPersistentContext(join(extension, 'profile'), {
      executablePath: executablePath!,
      args: [...CHROMIUM_ARGUMENTS, `--disable-extensions-except=${extension}`, `--load-extension=${extension}`],
      ignoreDefaultArgs: ['--disable-extensions'],
    });
    onTestFinished(() => context.close());
    const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
    const background = JSON.parse(await worker.evaluate(() => (globalThis as any).answered));
    const page = await context.newPage();
    await page.goto(`chrome-extension://${new URL(worker.url()).host}/page.html`);
    const popup = JSON.parse(await titleOf(() => page.title()));
    const refused = expect.stringMatching(ADVICE);
    const expected = contentSecurityPolicy
      ? [expect.stringMatching(/^-?0\.\d+,/), expect.stringMatching(/^-0\.39/)]
      : [refused, refused];
    expect([background, popup]).toEqual([expected, expected]);
  });
});
