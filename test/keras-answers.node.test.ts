import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type KerasInput, type KerasSource, loadKeras } from '../src/keras.ts';
import type { Weight } from './support/keras-files.ts';

// Answers that Keras and TensorFlow.js gave: test/fixtures/keras/layers/README.md.

const folder = new URL('./fixtures/keras/layers/', import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));
const json = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));

/** A tensor as the files have it; NaN is null. */
interface Answer {
  dims: number[];
  data: (number | null)[];
}

/** How far a number of float32 arithmetic may be from another's. */
const BOUND = 3e-6;

function check(source: KerasSource, inputs: Answer[], outputs: Answer[]): void {
  const model = loadKeras(source);
  const given = inputs.map(({ dims, data }): KerasInput => ({ dims, data: data as number[] }));
  const results: Weight[] = model.predict(given) as Weight[];
  expect(results.map(({ dims }) => dims)).toEqual(outputs.map(({ dims }) => dims));
  for (const [k, { dims }] of model.outputs.entries()) {
    // the shape that was promised
    expect(dims.length).toBe(outputs[k]!.dims.length);
    for (const [i, size] of dims.entries()) if (size !== null) expect(size).toBe(outputs[k]!.dims[i]);
    for (const [i, right] of outputs[k]!.data.entries()) {
      const found = results[k]!.data[i]!;
      if (right === null) expect(found, `output ${k} [${i}]`).toBeNaN();
      else
        expect(Math.abs(found - right), `output ${k} [${i}]: ${found} for ${right}`).toBeLessThan(
          BOUND * Math.max(1, Math.abs(right)),
        );
    }
  }
  model.dispose();
}

describe('Keras 3', () => {
  const { models } = json('index.json') as { models: Record<string, { inputs: Answer[]; outputs: Answer[] }> };
  const files = readdirSync(folder).filter((name) => /\.(keras|h5\.gz)$/.test(name));

  test('each model of the list has a file', () => {
    expect(files.filter((name) => name.endsWith('.keras'))).toEqual(
      Object.keys(models)
        .map((name) => `${name}.keras`)
        .sort(),
    );
  });

  test.each(files)('%s', (file) => {
    const { inputs, outputs } = models[file.replace(/\..*/, '')]!;
    const source = file.endsWith('.keras') ? { keras: read(file) } : { h5: new Uint8Array(gunzipSync(read(file))) };
    check(source, inputs, outputs);
  });
});

describe('TensorFlow.js', () => {
  interface Saved {
    topology: object;
    specs: object[];
    weights: string;
    inputs: Answer[];
    outputs: Answer[];
  }
  const { models } = json('tfjs.json') as { models: Record<string, Saved> };

  test.each(Object.entries(models))('%s', (_, { topology, specs, weights, inputs, outputs }) => {
    const weightsManifest = [{ paths: ['weights.bin'], weights: specs }];
    const modelJson = { modelTopology: topology, weightsManifest };
    check({ modelJson, weights: new Uint8Array(Buffer.from(weights, 'base64')) }, inputs, outputs);
  });
});
