// The builds for runtimes that compile no bytes: bundled as their tools do, run where nothing can be compiled.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { rtneural } from '../support/audio-files.ts';
import { FORBID_COMPILING, makeConsumer, root, runIn, TOOLS } from '../support/consumer.ts';
import { sequential, tfjs } from '../support/keras-files.ts';

const consumer = makeConsumer();
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const fixture = (path: string) =>
  `Uint8Array.from(${JSON.stringify([...readFileSync(join(root, 'test/fixtures', path))])})`;
const keras = tfjs(sequential([['Activation', { activation: 'elu' }]], [null, 3]), {});

/** What each entry point that has kernels computes. */
const ANSWERS: Readonly<Record<string, string>> = {
  'lstm-wasm': `
    ${TOOLS}
    import { LSTM } from 'lstm-wasm';
    export const answer = async () => {
      const lstm = new LSTM(10, 20, { seed: 1 });
      return [hash(lstm), hash(lstm.quantize())];
    };
  `,
  'lstm-wasm/gru': `
    import { GRU } from 'lstm-wasm/gru';
    export const answer = async () => {
      const { output } = new GRU(3, 4, { seed: 1 }).forward({ data: new Float32Array(6).fill(0.5), dims: [2, 3] });
      return [...output.data];
    };
  `,
  'lstm-wasm/onnx': `
    import { loadOnnx } from 'lstm-wasm/onnx';
    export const answer = async () => {
      const model = loadOnnx(${fixture('onnx-ort/clip.onnx')});
      const feeds = model.inputs.map(({ name, dims }) => [name, { data: new Float32Array(dims.reduce((a, b) => a * b)).fill(0.5), dims }]);
      return [...model.run(new Map(feeds)).Y.data];
    };
  `,
  'lstm-wasm/ort': `
    import ort, { InferenceSession, Tensor } from 'lstm-wasm/ort';
    export const answer = async () => {
      const session = await ort.InferenceSession.create(${fixture('onnx-ort/clip.onnx')});
      const feeds = session.inputMetadata.map(({ name, shape }) => [name, new Tensor('float32', new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5), shape)]);
      return [ort.InferenceSession === InferenceSession, ...(await session.run(Object.fromEntries(feeds))).Y.data];
    };
  `,
  'lstm-wasm/self-test': `
    import { selfTest } from 'lstm-wasm/self-test';
    export const answer = async () => (selfTest(), ['passed']);
  `,
  'lstm-wasm/keras': `
    import { loadKeras } from 'lstm-wasm/keras';
    export const answer = async () => {
      const model = loadKeras({ modelJson: ${JSON.stringify(keras.modelJson)}, weights: new Uint8Array(0) });
      return [...model.predict({ data: [-1, 0, 1], dims: [1, 3] }).data];
    };
  `,
  'lstm-wasm/audio': `
    import { loadRTNeural } from 'lstm-wasm/audio';
    export const answer = async () => {
      const output = new Float32Array(3);
      loadRTNeural(${JSON.stringify(rtneural({ dense: [[1, 'elu']] }))}).process(Float32Array.of(-1, 0, 1), output);
      return [...output];
    };
  `,
};

let bundles = 0;

/** Prints the answer of a program that a tool with these conditions has bundled; its .wasm files are compiled before it starts. */
async function run(program: string, conditions: string[], forbid: string) {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: consumer },
    bundle: true,
    format: 'esm',
    write: false,
    conditions,
    plugins: [
      {
        name: 'compiled-wasm',
        setup(tool) {
          tool.onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({
            path: join(resolveDir, path.slice(0, -7)),
            namespace: 'module',
          }));
          tool.onLoad({ filter: /./, namespace: 'module' }, ({ path }) => ({
            contents: `export default globalThis.compiled(${JSON.stringify(path)});`,
          }));
        },
      },
    ],
  });
  const file = `bundle-${bundles++}.mjs`;
  writeFileSync(join(consumer, file), outputFiles[0]!.text);
  return runIn(
    consumer,
    `
    import { readFileSync, writeFileSync } from 'node:fs';
    const { Module } = WebAssembly;
    globalThis.compiled = (path) => new Module(readFileSync(path));
    ${forbid}
    const { answer } = await import('./${file}');
    console.log(JSON.stringify(await answer().catch((error) => error.message)));
  `,
    // workerd has it, and Node from 22 on
    ...(process.version.startsWith('v20.') ? ['--experimental-wasm-relaxed-simd'] : []),
  );
}

describe.each(Object.entries(ANSWERS))('%s', (_, program) => {
  it.each([
    ['workerd'],
    ['edge-light'],
    // Nitro's, with its option experimental.wasm
    ['wintercg', 'workerd', 'edge-light', 'unwasm'],
  ])('runs where nothing is compiled, with the conditions %s %s %s %s', async (...conditions) => {
    const answer = await run(program, [], '');
    expect(answer).not.toEqual([]);
    expect(await run(program, conditions.filter(Boolean), FORBID_COMPILING)).toEqual(answer);
  });

  it('tells otherwise what to write, and compiles bytes for Nitro without wasm', async () => {
    const lines =
      /^lstm-wasm: compiling bytes is forbidden here: write import (wasm|gru|onnx) from 'lstm-wasm\/lstm(-gru|-onnx)?\.wasm'; initialize\(wasm/;
    expect(await run(program, [], FORBID_COMPILING)).toMatch(lines);
    expect(await run(program, ['wintercg', 'workerd', 'edge-light'], '')).toEqual(await run(program, [], ''));
  });
});

it('every entry point that instantiates kernels has such a build, and the others compile nothing', async () => {
  // worklets are of pages
  const doors = Object.keys(exports).filter(
    (door) => exports[door].default?.endsWith('.js') && !door.includes('worklet'),
  );
  for (const door of doors) {
    const name = `lstm-wasm${door.slice(1)}`;
    const bundle = {
      stdin: { contents: `export * from '${name}'`, resolveDir: consumer },
      bundle: true,
      write: false,
    } as const;
    const { outputFiles } = await build({ ...bundle, format: 'esm', treeShaking: true });
    expect(name in ANSWERS, name).toBe(outputFiles[0]!.text.includes('WebAssembly.Instance'));
    expect(Object.keys(exports[door])).toEqual(
      name in ANSWERS ? ['types', 'wintercg', 'workerd', 'edge-light', 'default'] : ['types', 'default'],
    );
  }
});
