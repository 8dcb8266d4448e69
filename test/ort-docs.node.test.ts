import { readFileSync } from 'node:fs';
import * as original from 'onnxruntime-common';
import { expect, test } from 'vitest';
import * as ours from '../src/ort.ts';
import { onnxFile } from './support/onnx-files.ts';

const page = readFileSync(new URL('../docs/formats/ort.md', import.meta.url), 'utf8');

/** The names in the first column of a table, each with whether it exists here, if only to throw. */
function table(heading: string): [string, boolean][] {
  const rows = page.split(`| ${heading} | here | |\n| --- | --- | --- |\n`)[1]!.split('\n\n')[0]!;
  return [...rows.matchAll(/^\| `(\w+)` \| (yes|no) \| (throws)?/gm)].map(([, name, here, throws]) => [
    name!,
    here === 'yes' || throws !== undefined,
  ]);
}

const members = (...objects: object[]): string[] =>
  objects
    .flatMap((object) => Object.getOwnPropertyNames(object))
    .filter((name) => !['constructor', 'length', 'name', 'prototype'].includes(name))
    .sort();

test('docs/formats/ort.md lists the exports of onnxruntime-common, and which of them are here', () => {
  const listed = table('export');
  expect(listed.map(([name]) => name).sort()).toEqual(Object.keys(original).sort());
  for (const [name, here] of listed) expect([name, name in ours]).toEqual([name, here]);
});

test('docs/formats/ort.md lists the members of Tensor', () => {
  const listed = table('`Tensor`');
  const { Tensor } = original as any;
  expect(listed.map(([name]) => name).sort()).toEqual(members(Tensor, Tensor.prototype));
  const tensor = new ours.Tensor('float32', [1]);
  for (const [name, here] of listed) expect([name, name in tensor || name in ours.Tensor]).toEqual([name, here]);
});

test('docs/formats/ort.md lists the members of InferenceSession', async () => {
  const listed = table('`InferenceSession`');
  const { InferenceSession } = original as any;
  expect(listed.map(([name]) => name).sort()).toEqual(members(InferenceSession, InferenceSession.prototype));
  const file = onnxFile({ nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }], inputs: { x: [1] } });
  const session = await ours.InferenceSession.create(file);
  for (const [name, here] of listed) {
    expect([name, name in session || name in ours.InferenceSession]).toEqual([name, here]);
  }
});
