import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { bytesUsed } from '../../src/index.ts';
import { loadOnnx, type OnnxSession } from '../../src/onnx.ts';

setFlagsFromString('--expose-gc');
const gc: () => void = runInNewContext('gc');

/** Feeds of the dims that a file says, `open` where it leaves a size open. */
const feedsOf = ({ inputs }: OnnxSession, open: number) =>
  Object.fromEntries(
    inputs.map(({ name, dims }) => {
      const sizes = dims!.map((size) => (typeof size === 'number' ? size : open));
      return [name, { data: new Float32Array(sizes.reduce((a, b) => a * b, 1)), dims: sizes }];
    }),
  );

test('models without a reference give their memory back when they are collected', async () => {
  const files = ['torch_tagger_2l_bi', 'clip'].map((name) =>
    readFileSync(new URL(`../fixtures/onnx-ort/${name}.onnx`, import.meta.url)),
  );
  const before = bytesUsed();
  const forget = () => {
    for (const file of files) {
      const session = loadOnnx(file);
      for (const T of [2, 3]) session.run(feedsOf(session, T));
    }
  };
  forget();
  expect(bytesUsed()).toBeGreaterThan(before);
  for (let i = 0; i < 100 && bytesUsed() > before; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(bytesUsed()).toBe(before);
});
