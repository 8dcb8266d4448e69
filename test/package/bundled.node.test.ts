// What is in one file that a bundler makes of each entry point, and whether it runs where there is little.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { embeddedOnnx } from '../../src/cells/embedded.ts';
import { embeddedGRU } from '../../src/gru/embedded.ts';
import { embedded, embeddedInt8 } from '../../src/memory/embedded.ts';
import { bundleIn } from '../support/bundle.ts';
import { makeConsumer, root, runIn, TOOLS } from '../support/consumer.ts';

const consumer = makeConsumer();

const MAIN = `export * from 'lstm-wasm';`;
const SAFETENSORS = `export * from 'lstm-wasm/safetensors';`;
const PYTORCH = `export * from 'lstm-wasm/pytorch';`;
const AUDIO = `export * from 'lstm-wasm/audio';`;
const ONNX = `export * from 'lstm-wasm/onnx';`;
const ORT = `export * from 'lstm-wasm/ort';`;
const KERAS = `export * from 'lstm-wasm/keras';`;
const GRU = `export * from 'lstm-wasm/gru';`;

describe('bundled', () => {
  it('evaluates no strings, loads nothing, and takes from Math only what has the same bits everywhere', async () => {
    for (const program of [MAIN, SAFETENSORS, PYTORCH, AUDIO, ONNX, ORT, KERAS, GRU]) {
      const whole = await bundleIn(consumer, program);
      expect(whole.includes(embedded)).toBe(![SAFETENSORS, PYTORCH].includes(program));
      const code = [embedded, embeddedInt8, embeddedOnnx, embeddedGRU].reduce(
        (text, module) => text.replaceAll(module, ''),
        whole,
      );
      // but for the lines that errors tell to write, and a model whose URL a program gives to InferenceSession.create
      const calls = /\bimport\b(?! (?:wasm|onnx|gru) from 'lstm-wasm)|\brequire\b|https?:/g;
      const loading = program === ORT ? calls : new RegExp(`${calls.source}|\\bfetch\\(`, 'g');
      const notInWorklets = /\batob\b|\bbtoa\b|\bText(De|En)coder\b/g;
      const strings = /(?<![-.\w])eval\b(?!\(\)\{)|\bFunction\b/g; // but for the method eval() and wasm-unsafe-eval
      const powers = /(?<!\b2)\*\*|\*\*(?!-?\d)/g; // but for 2 to a constant
      for (const forbidden of [loading, notInWorklets, strings, powers])
        expect(code.match(forbidden) ?? []).toEqual([]);
      const exact = ['abs', 'ceil', 'clz32', 'floor', 'fround', 'imul', 'max', 'min', 'round', 'sign', 'sqrt', 'trunc'];
      // of sizes in heaps of HDF5 files, which are powers of 2 or rounded
      if (program === KERAS) exact.push('log2');
      // a seed for hashes of keys, which no result shows
      if (program === SAFETENSORS) exact.push('random');
      const math = [...code.matchAll(/\bMath\b(?:\s*\.\s*(\w+))?/g)].map((match) => match[1] ?? match[0]);
      expect(math.length).toBeGreaterThan(0);
      expect(math.filter((name) => !exact.includes(name))).toEqual([]);
    }
  });

  it('runs as one file without any global that is not of the language, as in an AudioWorklet', async () => {
    const code = await bundleIn(
      consumer,
      `${MAIN} export { parseSafetensors, serializeSafetensors } from 'lstm-wasm/safetensors';
      export { loadOnnx } from 'lstm-wasm/onnx';`,
    );
    writeFileSync(join(consumer, 'bundle.mjs'), code);
    const program = (prepare: string) => `
      import { runInNewContext } from 'node:vm';
      const { stdout } = process;
      ${prepare} ${TOOLS}
      const { loadOnnx, LSTM, parseSafetensors, serializeSafetensors } = await import('./bundle.mjs');
      const lstm = new LSTM(10, 20, { numLayers: 2, seed: 1 });
      const copy = LSTM.fromStateDict(parseSafetensors(serializeSafetensors(lstm.stateDict('é.'), { é: '😀' })), { prefix: 'é.' });
      const stream = copy.stream();
      stream.input.fill(1);
      stream.step();
      stream.load(stream.save());
      const model = loadOnnx(Uint8Array.from(${JSON.stringify([...readFileSync(join(root, 'test/fixtures/onnx-ort/clip.onnx'))])}));
      const feeds = model.inputs.map(({ name, dims }) => [name, { data: new Float32Array(dims.reduce((a, b) => a * b)).fill(0.5), dims }]);
      const onnx = [...model.run(new Map(feeds)).Y.data];
      const names = ['fetch', 'atob', 'btoa', 'TextDecoder', 'TextEncoder', 'URL', 'performance', 'process', 'Buffer', 'crypto',
        'setTimeout', 'queueMicrotask', 'structuredClone', 'navigator', 'Event', 'AbortController'];
      const left = names.filter((name) => name in globalThis).length;
      stdout.write(JSON.stringify({ left, bits: [hash(lstm), hash(copy)], output: [...stream.output], onnx }));
    `;
    const everywhere = runIn(consumer, program(''));
    const worklet = runIn(
      consumer,
      program(`
        const language = new Set(runInNewContext('Object.getOwnPropertyNames(globalThis)'));
        for (const name of Object.getOwnPropertyNames(globalThis)) if (!language.has(name)) delete globalThis[name];
      `),
      '--disallow-code-generation-from-strings',
    );
    expect(everywhere.left).toBeGreaterThan(10);
    expect(worklet).toEqual({ ...everywhere, left: 0 });
    expect(worklet.bits[0]).toBe(worklet.bits[1]);
  });
});
