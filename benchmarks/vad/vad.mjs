// A page with @ricky0123/vad-web, as it is and with lstm-wasm/ort in place of onnxruntime-web: bytes over the wire, time to
// the first probability, time a frame. Both must hear the same before anything is timed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright';
import { LAUNCH_OPTIONS, launch, processor } from '../launch.mjs';
import { bundle, RUNTIMES } from './bundle.mjs';

const { values } = parseArgs({ options: { ...LAUNCH_OPTIONS, models: { type: 'string', default: 'legacy,v5,v6' } } });
launch(values);

const at = (relative) => new URL(relative, import.meta.url);
const MODELS = values.models.split(',');
const ROUNDS = values.quick ? 3 : 7;
/** A line of 10 Mbit/s that takes 40 ms. */
const SLOW = { offline: false, latency: 40, downloadThroughput: 10e6 / 8, uploadThroughput: 10e6 / 8 };
const FOLDERS = [at('../../node_modules/@ricky0123/vad-web/dist/'), at('../peers/node_modules/onnxruntime-web/dist/')];
const TYPES = { html: 'text/html', js: 'text/javascript', mjs: 'text/javascript', wasm: 'application/wasm' };
const RECORDING = at('../../test/fixtures/vad/mixed.wav');
const HEARD = at('../../test/fixtures/vad/heard.json');

const names = Object.keys(RUNTIMES);
for (const name of names) {
  if (existsSync(RUNTIMES[name])) continue;
  throw new Error(`${name} is not there: npm run build, and npm ci --ignore-scripts in benchmarks/peers`);
}
const scripts = Object.fromEntries(
  await Promise.all(names.map(async (name) => [name, await bundle('page.mjs', name)])),
);
const files = new Map([['/recording.wav', encode(readFileSync(RECORDING))]]);
for (const name of names) {
  files.set(`/${name}.html`, encode(`<!doctype html><script type="module" src="${name}.js"></script>`));
  files.set(`/${name}.js`, encode(scripts[name]));
}
let sent = 0;
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  const body = files.get(pathname) ?? find(pathname);
  response.statusCode = body ? 200 : 404;
  response.setHeader('content-type', TYPES[pathname.split('.').at(-1)] ?? 'application/octet-stream');
  if (body) response.setHeader('content-encoding', 'gzip');
  if (pathname !== '/recording.wav') sent += body?.length ?? 0;
  response.end(body);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = places.find((path) => path && existsSync(path));
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });

/** Who heard what, by model and runtime. */
const answers = {};
try {
  const lines = [];
  for (const model of MODELS) {
    const samples = Object.fromEntries(names.map((name) => [name, { start: [], slow: [], frame: [] }]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of names) {
        const slow = await load(name, model, SLOW, () => undefined);
        const quick = await load(name, model, undefined, async (page) => {
          const first = await page.evaluate(() => globalThis.listen());
          if (round === 0) {
            const { events, probabilities } = first;
            const found = await page.evaluate(() => globalThis.listen('segments'));
            const frames = probabilities.map((value) => Math.round(value * 1e5) / 1e5);
            answers[model] = { ...answers[model], [name]: { events, segments: found, probabilities: frames } };
          }
          return (await page.evaluate(() => globalThis.listen())).ms / first.probabilities.length;
        });
        samples[name].start.push(quick.start);
        samples[name].slow.push(slow.start);
        samples[name].frame.push(quick.result * 1000);
        samples[name].bytes = quick.bytes;
      }
      if (round === 0) compare(model, answers[model]);
    }
    for (const name of names) {
      const { start, slow, frame, bytes } = samples[name];
      const rest = bytes - files.get(`/files/silero_vad_${model}.onnx`).length;
      lines.push([model, name, bytes, rest, median(start), median(slow), median(frame)]);
    }
  }
  console.log(
    `Chromium ${browser.version()}, ${processor()}, ${new Date().toISOString().slice(0, 10)}, ${ROUNDS} rounds, medians\n`,
  );
  console.log(
    '| model | runtime | bytes, gzip | without the model | start, ms | start at 10 Mbit/s, ms | a frame, us |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const [model, name, ...figures] of lines) {
    const cells = [model, name, ...figures.map((figure) => Math.round(figure).toLocaleString('en'))];
    console.log(`| ${cells.join(' | ')} |`);
  }
  const heard = Object.fromEntries(MODELS.map((model) => [model, answers[model].onnxruntime]));
  if (values.record) writeFileSync(HEARD, `${JSON.stringify(heard)}\n`);
} finally {
  await browser.close();
  server.close();
}

/** A page in a context of its own, with nothing in its cache. */
async function load(name, model, network, use) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`${name}: ${error.message}`));
  if (network) {
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', network);
  }
  sent = 0;
  await page.goto(`http://127.0.0.1:${server.address().port}/${name}.html?model=${model}`);
  const start = await page.evaluate(() => globalThis.start());
  const bytes = sent;
  const result = await use(page);
  await context.close();
  return { start, bytes, result };
}

function find(pathname) {
  for (const folder of FOLDERS) {
    const file = new URL(basename(pathname), folder);
    if (!existsSync(file)) continue;
    const body = encode(readFileSync(file));
    files.set(pathname, body);
    return body;
  }
  return undefined;
}

function encode(body) {
  return gzipSync(body, { level: 9 });
}

function median(list) {
  return list.toSorted((a, b) => a - b)[list.length >> 1];
}

/** @throws Error where the two hear different things */
function compare(model, { 'lstm-wasm': ours, onnxruntime: original }) {
  for (const part of ['events', 'segments']) {
    if (JSON.stringify(ours[part]) !== JSON.stringify(original[part])) throw new Error(`${model}: other ${part}`);
  }
  const apart = Math.max(...ours.probabilities.map((value, i) => Math.abs(value - original.probabilities[i])));
  const { events, segments } = ours;
  console.log(`${model}: ${segments.length} segments, ${events.length} events the same, probabilities within ${apart}`);
}
