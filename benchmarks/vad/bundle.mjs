import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** What takes the place of both names that vad-web imports, which are two copies of 73 KB and two wasm files of one library. */
export const RUNTIMES = {
  'lstm-wasm': path('../../dist/ort.js'),
  onnxruntime: path('../peers/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs'),
};

/** One minified file of a program that uses vad-web, its `onnxruntime-web` replaced. */
export async function bundle(program, runtime) {
  const build = await rolldown({
    input: path(program),
    platform: 'browser',
    resolve: { alias: { 'onnxruntime-web/wasm': RUNTIMES[runtime], 'onnxruntime-web': RUNTIMES[runtime] } },
    logLevel: 'silent',
  });
  const { output } = await build.generate({ format: 'esm', minify: true, codeSplitting: false });
  await build.close();
  return output[0].code;
}
