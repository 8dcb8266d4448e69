// Puts what the Worker consists of into output/: one module, the WebAssembly modules and the model. For workerd, wrangler and tests.
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const MODEL = createRequire(import.meta.url).resolve('@ricky0123/vad-web/dist/silero_vad_v6.onnx');

/** @param {string} [folder] */
export async function buildWorker(folder = here('output')) {
  mkdirSync(folder, { recursive: true });
  /** Leaves imports of .wasm files to the runtime, which compiles them when the Worker is deployed. */
  const setup = ({ onResolve }) => {
    onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path, resolveDir }) => {
      const name = basename(path).replace('?module', '');
      copyFileSync(join(resolveDir, path).replace('?module', ''), join(folder, name));
      return { path: `./${name}`, external: true };
    });
  };
  await build({
    entryPoints: [here('worker.mjs')],
    outfile: join(folder, 'worker.mjs'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd'],
    external: ['cloudflare:*', './silero_vad.onnx'],
    plugins: [{ name: 'wasm modules beside the worker', setup }],
    logLevel: 'error',
  });
  copyFileSync(MODEL, join(folder, 'silero_vad.onnx'));
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`built ${await buildWorker()}`);
