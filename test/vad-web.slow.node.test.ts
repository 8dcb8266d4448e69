// @ricky0123/vad-web, a program that others wrote, over a recording: its onnxruntime-web replaced by lstm-wasm/ort in the
// bundler. It hears what it hears with the original (test/fixtures/vad). In place of the original's package is one that can run no
// model (`overrides` in package.json), so that nothing passes here without the alias. dist/ must have been built.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { bundle } from '../benchmarks/vad/bundle.mjs';
import { readFixture, readJson } from './support/fixtures.ts';

type Client = typeof import('../benchmarks/vad/client.mjs');

const MODELS = new URL('../node_modules/@ricky0123/vad-web/dist/', import.meta.url);

let folder: string;
let server: Server;
let files: string;
let client: Client;
let samples: Float32Array;

beforeAll(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {}); // vad-web tells what it does
  folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-vad-'));
  const path = join(folder, 'client.mjs');
  writeFileSync(path, await bundle('client.mjs', 'lstm-wasm'));
  client = await import(/* @vite-ignore */ pathToFileURL(path).href);
  server = createServer(({ url }, response) => response.end(readFileSync(new URL(`.${url}`, MODELS))));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  files = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const wav = await readFixture('vad/mixed.wav');
  samples = Float32Array.from(new Int16Array(wav.slice(44).buffer), (sample) => sample / 32768);
});

afterAll(() => {
  vi.restoreAllMocks();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

test.each(['legacy', 'v5', 'v6'])('the microphone VAD with the model %s', async (model) => {
  const heard = (await readJson('vad/heard.json'))[model];
  const session = await client.open(model, files);
  const { events, probabilities } = await client.listen(session, samples);
  expect(events).toEqual(heard.events);
  expect(events.length).toBeGreaterThan(8);
  expect(probabilities).toHaveLength(heard.probabilities.length);
  const apart = probabilities.map((value, i) => Math.abs(value - heard.probabilities[i]));
  expect(apart.reduce((a, b) => Math.max(a, b), 0)).toBeLessThanOrEqual(5e-5);
});

test('the VAD for recordings', async () => {
  const { segments } = (await readJson('vad/heard.json')).legacy;
  expect(await client.segments(files, samples)).toEqual(segments);
  expect(segments).toHaveLength(6);
});
