// Puts what the Worker consists of into output/: one module, the WebAssembly modules and the model. For workerd, wrangler and tests.
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const require = createRequire(import.meta.url);

/** @param {string} [folder] */
export async function buildWorker(folder = here('output')) {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [here('worker.mjs')],
    outfile: `${folder}/worker.mjs`,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker'],
    external: ['cloudflare:*', './silero_vad.onnx'],
    plugins: [{ name: 'wasm modules beside the worker', setup: keepWasm }],
    logLevel: 'warning',
  });
  for (const name of ['lstm.wasm', 'lstm-onnx.wasm'])
    copyFileSync(require.resolve(`lstm-wasm/${name}`), `${folder}/${name}`);
  copyFileSync(require.resolve('@ricky0123/vad-web/dist/silero_vad_v6.onnx'), `${folder}/silero_vad.onnx`);
  return folder;
}

/** Leaves imports of .wasm files to the runtime. */
function keepWasm({ onResolve }) {
  onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: `./${path.split('/').at(-1)}`, external: true }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`built ${await buildWorker()}`);
