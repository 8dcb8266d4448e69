// Files of the panel "How fast": onnxruntime-web as it is published, a model for both to begin with, and what they weigh. They go to
// public/ort/, which the page fetches when a visitor asks for it, and does not keep for use without a network.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

const root = new URL('../', import.meta.url);
const target = new URL('public/ort/', root);
const ort = new URL('node_modules/onnxruntime-web/', root);
const { version } = createRequire(import.meta.url)(new URL('package.json', ort).pathname);
const FILES = {
  'ort.wasm.bundle.min.mjs': new URL('dist/ort.wasm.bundle.min.mjs', ort),
  'ort-wasm-simd-threaded.wasm': new URL('dist/ort-wasm-simd-threaded.wasm', ort),
  'silero_vad_v5.onnx': new URL('../node_modules/@ricky0123/vad-web/dist/silero_vad_v5.onnx', root),
};

mkdirSync(target, { recursive: true });
const sizes = Object.entries(FILES).map(([name, from]) => {
  copyFileSync(from, new URL(name, target));
  const bytes = readFileSync(from);
  console.log(`${name.padEnd(28)} ${bytes.length.toLocaleString('en-US').padStart(10)} bytes`);
  return [name, { bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }];
});
writeFileSync(new URL('sizes.json', target), JSON.stringify({ version, files: Object.fromEntries(sizes) }));
