// Bundles the page and the processor, and serves them with the models: node examples/denoise-worklet/serve.mjs [PORT]
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const DTLN = '../../test/fixtures/dtln';

/** The text of one file that needs no other. */
export async function bundle(name) {
  const { outputFiles } = await build({
    entryPoints: [here(name)],
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    // the page gives the processor's URL, so that the one of the package is not needed
    logOverride: { 'empty-import-meta': 'silent' },
  });
  return outputFiles[0].text;
}

/** What the page asks for: a type and a way to the contents. */
const FILES = {
  '/': ['text/html', () => readFile(here('index.html'))],
  '/page.js': ['text/javascript', () => bundle('page.mjs')],
  '/check.js': ['text/javascript', () => bundle('check.mjs')],
  '/processor.js': ['text/javascript', () => bundle('processor.mjs')],
  '/models/model_1.onnx': ['application/octet-stream', () => readFile(here(`${DTLN}/model_1.onnx`))],
  '/models/model_2.onnx': ['application/octet-stream', () => readFile(here(`${DTLN}/model_2.onnx`))],
  '/noisy.wav': ['audio/wav', () => readFile(here(`${DTLN}/austen-white-hum.wav`))],
};

/** Serves the page. Gives the server, once it listens. */
export function serveDenoiser(port = 0) {
  const server = createServer(async ({ url }, response) => {
    const file = FILES[new URL(url, 'http://localhost').pathname];
    if (!file) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': file[0] }).end(await file[1]());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await serveDenoiser(Number(process.argv[2] ?? 8080));
  console.log(`http://localhost:${server.address().port}/ — stop with Ctrl+C`);
}
