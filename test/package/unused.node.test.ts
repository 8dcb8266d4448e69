// What bundlers leave out of a program that uses a part of the package.
import { describe, expect, it } from 'vitest';
import { embed } from '../../scripts/embed.mjs';
import { bundleIn, bundlers } from '../support/bundle.ts';
import { makeConsumer } from '../support/consumer.ts';

const consumer = makeConsumer();

/** The beginning of lstm.wasm, lstm-int8.wasm, lstm-onnx.wasm and lstm-gru.wasm, as it is embedded. */
const WASM = embed(Uint8Array.of(0, ...new TextEncoder().encode('asm')));
const ENTRIES = ['', '/safetensors', '/pytorch', '/audio', '/onnx', '/ort', '/keras', '/gru', '/self-test'];

describe.each(bundlers)('%s', (bundler) => {
  const bundle = (program: string) => bundleIn(consumer, program, bundler);

  it('makes nothing of imports that nobody uses', async () => {
    for (const entry of ENTRIES) {
      expect(await bundle(`import * as all from 'lstm-wasm${entry}';`)).toBe('');
    }
    expect(await bundle(`import { LSTM } from 'lstm-wasm';`)).toBe('');
  });

  // bytes, a little above what is there; Rollup's own code is not minified
  it.each([
    ['ModelError', '', 250, 250],
    ['packSequence', '', 4_300, 4_300],
    ['parseSafetensors', '/safetensors', 16_000, 16_400],
    ['parseCheckpoint', '/pytorch', 39_500, 40_500],
    ['parseOnnx', '/onnx', 26_000, 26_400],
    ['Tensor', '/ort', 3_800, 5_300],
    ['ModelError', '/ort', 250, 250],
  ])('has no wasm in an import of %s from lstm-wasm%s', async (name, entry, minified, whole) => {
    const code = await bundle(`export { ${name} } from 'lstm-wasm${entry}';`);
    expect(code).toContain('Error');
    expect(code).not.toContain(WASM);
    expect(code).not.toMatch(/WebAssembly\./);
    expect(code.length).toBeLessThanOrEqual(bundler === 'rollup' ? whole : minified);
  });

  it('has the wasm once where it is used', async () => {
    for (const program of [`import { LSTM } from 'lstm-wasm'; new LSTM(1, 1);`, `export * from 'lstm-wasm';`]) {
      expect((await bundle(program)).split(WASM)).toHaveLength(3);
    }
  });

  it('has no reader of a format in the main entry', async () => {
    const main = await bundle(`export * from 'lstm-wasm';`);
    for (const piece of ['pytorch: ', 'safetensors', 'RTNeural', 'NAM', 'Onnx', 'keras'])
      expect(main).not.toContain(piece);
  });

  it('tells no foreign files where nothing is told of them', async () => {
    expect(await bundle(`export * from 'lstm-wasm/safetensors';`)).toContain('git-lfs');
    expect(await bundle(`export * from 'lstm-wasm';`)).not.toContain('git-lfs');
  });
});
