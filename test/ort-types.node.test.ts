import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { typeErrors } from './support/typecheck.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const CLIENT = path('support/ort-client.ts');
/** Uses a type that is computed with there only. */
const HALVES = path('support/ort-halves.ts');
/** The declarations that vad-web has of itself: they name onnxruntime-web's types. */
const VAD = path('../node_modules/@ricky0123/vad-web/dist/index.d.ts');

const options = (declarations: string) => ({
  module: 'esnext',
  moduleResolution: 'bundler',
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable', 'dom'],
  types: [],
  paths: { 'onnxruntime-web': [path(declarations)], 'onnxruntime-web/wasm': [path(declarations)] },
});
const ORIGINAL = options('../node_modules/onnxruntime-common/dist/esm/index.d.ts');
const OURS = options('../dist/ort.d.ts');

test('a program with onnxruntime-web’s types compiles', () => {
  expect(typeErrors(path('.'), [CLIENT], ORIGINAL)).toEqual([]);
});

test('and with ours in their place', () => {
  expect(typeErrors(path('.'), [CLIENT], OURS)).toEqual([]);
});

test('and so do the declarations of vad-web', () => {
  expect(typeErrors(path('.'), [VAD], OURS)).toEqual([]);
});

test('which say what is not there', () => {
  expect(typeErrors(path('.'), [HALVES], ORIGINAL)).toEqual([]);
  expect(typeErrors(path('.'), [HALVES], OURS).join('\n')).toMatch(/^\S*ort-halves\.ts:4 TS\d+ .*"?float16"?/s);
});
