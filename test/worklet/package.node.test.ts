import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { embeddedOnnx } from '../../src/cells/embedded.ts';
import { embeddedGRU } from '../../src/gru/embedded.ts';
import { embedded } from '../../src/memory/embedded.ts';
import { PROTOCOL } from '../../src/worklet/messages.ts';
import { readModel } from '../../src/worklet/read-model.ts';
import { guitarML, nam } from '../support/audio-files.ts';
import { root } from '../support/consumer.ts';

// The built files. dist/ must have been built.

const read = (name: string) => readFileSync(join(root, 'dist', name), 'utf8');

describe('worklet-processor.js', () => {
  const code = read('worklet-processor.js');

  test('needs no other file, no strings to evaluate, and no global but those of the language and of a worklet', async () => {
    // but for the lines that errors tell to write
    const written = code.replace(/import \w+ from '[^']*'/g, '');
    expect(
      written.match(/\bimport\b|\brequire\b|\bfetch\(|\bexport\b|\batob\b|\bText(De|En)coder\b|\bnew URL\b/g),
    ).toBeNull();
    expect(code).toContain(embedded);
    expect(code).not.toContain(embeddedOnnx);
    expect(code).not.toContain(embeddedGRU);
    const processors = new Map<string, any>();
    const said: any[] = [];
    const scope = {
      AudioWorkletProcessor: class {
        port = { postMessage: (message: any) => said.push(message) };
      },
      registerProcessor: (name: string, type: unknown) => processors.set(name, type),
      sampleRate: 48_000,
      WebAssembly,
    };
    runInNewContext(code, scope);
    expect([...processors.keys()]).toEqual(Array.from({ length: 17 }, (_, k) => `lstm-wasm/${k}`));
    expect(processors.get('lstm-wasm/2').parameterDescriptors).toEqual([
      { name: 'knob0', defaultValue: 0, automationRate: 'k-rate' },
      { name: 'knob1', defaultValue: 0, automationRate: 'k-rate' },
    ]);
    // the page sends the kernels of a GRU
    for (const file of [nam(), guitarML({ unit: 'GRU' })]) {
      const model = await readModel('LstmNode', file, undefined);
      const processorOptions = { protocol: PROTOCOL, model, channels: 1, knobs: 0, fade: 0.01, bypass: false };
      const processor = new (processors.get('lstm-wasm/0'))({ processorOptions });
      expect(said.pop()).toEqual({ type: 'ready', latency: 0 });
      const output = new Float32Array(128);
      expect(processor.process([[new Float32Array(128).fill(0.5)]], [[output]], {})).toBe(true);
      expect(output.some((y) => y !== 0)).toBe(true);
    }
    // options that nobody has given
    new (processors.get('lstm-wasm/0'))();
    expect(said[0]).toMatchObject({ type: 'failed', error: { name: 'TypeError' } });
  });

  test('may be loaded under two URLs, and does nothing outside of a worklet', () => {
    const registerProcessor = () => {
      throw Object.assign(new Error('registered'), { name: 'NotSupportedError' });
    };
    const scope = { AudioWorkletProcessor: class {}, registerProcessor, WebAssembly };
    expect(() => runInNewContext(code, scope)).not.toThrow();
    expect(() => runInNewContext(code, { WebAssembly })).not.toThrow();
  });

  test('tells when a node is made that there is no WebAssembly, and not before', () => {
    const said: any[] = [];
    let type: any;
    const AudioWorkletProcessor = class {
      port = { postMessage: (message: any) => said.push(message) };
    };
    const registerProcessor = (_: string, each: unknown) => {
      type ??= each;
    };
    runInNewContext(`delete globalThis.WebAssembly; ${code}`, {
      AudioWorkletProcessor,
      registerProcessor,
      sampleRate: 48_000,
    });
    const stateDict = new Map(
      ['weight_ih_l0', 'weight_hh_l0'].map((key) => [key, { data: new Float32Array(4), dims: [4, 1] }]),
    );
    const model = { stages: [{ kind: 'lstm', stateDict }], skip: false };
    new type({ processorOptions: { protocol: PROTOCOL, model, channels: 1, knobs: 0, fade: 0, bypass: false } });
    expect(said).toEqual([
      { type: 'failed', error: expect.objectContaining({ message: expect.stringMatching(/WebAssembly is needed/) }) },
    ]);
  });
});

test('a page has readers and no kernels: those of elu and of a GRU are files that it loads if they are needed', async () => {
  const { outputFiles } = await build({
    stdin: { contents: `export { LstmNode } from 'lstm-wasm/worklet';`, resolveDir: root },
    ...{ bundle: true, minify: true, format: 'esm', splitting: true, write: false, outdir: '/' },
  } as const);
  const lazy = [embeddedOnnx, embeddedGRU];
  const isLazy = (text: string) => Number(lazy.some((kernels) => text.includes(kernels)));
  const [page, ...others] = outputFiles.map(({ text }) => text).sort((a, b) => isLazy(a) - isLazy(b));
  expect(page).toContain('LstmNode');
  expect(page).not.toContain(embedded);
  expect(page!.length).toBeLessThan(34_000);
  // neither comes with the other
  for (const kernels of lazy) expect(others.filter((text) => text.includes(kernels))).toHaveLength(1);
  expect(others.some((text) => lazy.every((kernels) => text.includes(kernels)))).toBe(false);
});
