import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { embed } from '../scripts/embed.mjs';
import { embeddedOnnx } from '../src/cells/embedded.ts';
import { decode } from '../src/memory/compile.ts';
import { embedded, embeddedInt8 } from '../src/memory/embedded.ts';

it.each([
  ['lstm', embedded],
  ['lstm-int8', embeddedInt8],
  ['lstm-onnx', embeddedOnnx],
])('%s.wasm is what its text decodes to', (name, text) => {
  expect(decode(text)).toEqual(new Uint8Array(readFileSync(new URL(`../dist/${name}.wasm`, import.meta.url))));
});

it('gives every byte back, after any other', () => {
  const bytes = Uint8Array.from({ length: 2 * 65_536 }, (_, i) => (i % 2 ? i >> 1 : i >> 9));
  expect(decode(embed(bytes))).toEqual(bytes);
  expect(decode('')).toHaveLength(0);
});

it('writes no character that ends a string, a template or a script, or needs an escape', () => {
  const text = embed(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  expect([...new Set(text)].sort().join('')).toBe(
    '()*+,-./0123456789:;=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~',
  );
});
