import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { typeErrors } from './support/typecheck.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const CLIENT = path('support/ort-client.ts');
/** Uses int16, which only the original has. */
const HALVES = path('support/ort-halves.ts');
/** vad-web's own declarations, which name onnxruntime-web's types. */
const VAD = path('../node_modules/@ricky0123/vad-web/dist/index.d.ts');

const options = (declarations: string) => ({
  module: 'esnext',
  moduleResolution: 'bundler',
  target: 'es2022',
  lib: ['es2023', 'dom'],
  types: [],
  paths: { 'onnxruntime-web': [path(declarations)], 'onnxruntime-web/wasm': [path(declarations)] },
});
const ORIGINAL = options('../node_modules/onnxruntime-common/dist/esm/index.d.ts');
const OURS = options('../dist/ort.d.ts');

test('a program compiles with the types of onnxruntime-web', () => {
  expect(typeErrors(path('.'), [CLIENT], ORIGINAL)).toEqual([]);
});

test('the same program compiles with the types of lstm-wasm/ort', () => {
  expect(typeErrors(path('.'), [CLIENT], OURS)).toEqual([]);
});

test('the declarations of vad-web compile with the types of lstm-wasm/ort', () => {
  expect(typeErrors(path('.'), [VAD], OURS)).toEqual([]);
});

test('the types leave out what the module leaves out', () => {
  expect(typeErrors(path('.'), [HALVES], ORIGINAL)).toEqual([]);
  expect(typeErrors(path('.'), [HALVES], OURS).join('\n')).toMatch(/^\S*ort-halves\.ts:4 TS\d+ .*"?int16"?/s);
});
