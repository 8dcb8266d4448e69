import { describe, expect, test } from 'vitest';
import { Config } from '../src/keras/config.ts';
import { arrangeShards, Shards, type WeightGroup } from '../src/keras/shards.ts';
import { loadKeras } from '../src/keras.ts';
import { lstmWeights, noise, sequential, tfjs } from './support/keras-files.ts';
import { refusal } from './support/refusals.ts';

// Weights of TensorFlow.js in several files: by path in any order; in a list only if its sizes tell the order.

const INPUT = noise([1, 3, 2], 5);
const MODEL = sequential(
  [
    ['LSTM', { name: 'lstm', units: 4, recurrent_activation: 'sigmoid' }],
    ['Dense', { name: 'dense', units: 1 }],
  ],
  [null, 3, 2],
);
// 16 * 2 + 16 * 4 + 16 + 4 + 1 = 117 numbers, 468 bytes
const WEIGHTS = { ...lstmWeights('lstm', 2, 4), 'dense/kernel': noise([4, 1], 6), 'dense/bias': noise([1], 7) };
const WHOLE = tfjs(MODEL, WEIGHTS, '2.15.0');
const WANTED = loadKeras(WHOLE).predict(INPUT);

/** The model in files of `size` bytes, and their paths. */
function split(size: number) {
  const files: Uint8Array[] = [];
  for (let at = 0; at < WHOLE.weights.length; at += size) files.push(WHOLE.weights.slice(at, at + size));
  const paths = files.map((_, k) => `group1-shard${k + 1}of${files.length}.bin`);
  const [group] = WHOLE.modelJson.weightsManifest;
  return { modelJson: { ...WHOLE.modelJson, weightsManifest: [{ ...group, paths }] }, files, paths };
}

/** The order that a directory has: 1, 10, 11, 2. */
const listing = (paths: readonly string[]) => [...paths.keys()].sort((a, b) => (paths[a]! < paths[b]! ? -1 : 1));

describe.each([44, 45, 50, 100, 200, 467])('files of %i bytes', (size) => {
  const { modelJson, files, paths } = split(size);

  test('in the order of weightsManifest', () => {
    expect(loadKeras({ modelJson, weights: files }).predict(INPUT)).toEqual(WANTED);
  });

  test('by path, in any order, from an object or a Map, beside other files', () => {
    const entries = listing(paths).map((k): [string, Uint8Array] => [paths[k]!, files[k]!]);
    for (const list of [entries, [...entries].reverse()]) {
      const more: [string, Uint8Array][] = [...list, ['other.bin', new Uint8Array(3)]];
      for (const weights of [Object.fromEntries(more), new Map(more)]) {
        expect(loadKeras({ modelJson, weights }).predict(INPUT)).toEqual(WANTED);
      }
    }
  });

  test('in the order of a directory: the same model if that is the same order, else refused', () => {
    const order = listing(paths);
    const load = () => loadKeras({ modelJson, weights: order.map((k) => files[k]!) });
    if (order.every((k, i) => k === i)) return expect(load().predict(INPUT)).toEqual(WANTED);
    const error = refusal(load);
    expect([error.code, error.path]).toEqual(['size-mismatch', 'weights']);
    expect(error.message).toContain('but that of a directory (1, 10, 11, 2)');
    expect(error.message).toContain(`give them by path: { weights: { "${paths[0]}": bytes`);
  });

  test('the last in another place is refused', () => {
    for (let at = 0; at < files.length - 1; at++) {
      const weights = files.slice(0, -1);
      weights.splice(at, 0, files.at(-1)!);
      expect(refusal(() => loadKeras({ modelJson, weights })).code).toBe('size-mismatch');
    }
  });

  test('a file too few, one too many, one of another size', () => {
    for (const weights of [files.slice(1), [...files, files[0]!], [...files.slice(0, -1), new Uint8Array(0)]]) {
      if (weights.length > 1) expect(refusal(() => loadKeras({ modelJson, weights })).code).toBe('size-mismatch');
    }
    const byPath = Object.fromEntries(paths.map((path, k) => [path, files[k]!]));
    const { [paths[0]!]: one, ...rest } = byPath;
    const missing = refusal(() => loadKeras({ modelJson, weights: rest }));
    expect([missing.code, missing.path]).toEqual(['missing-file', paths[0]]);
    const longer = { ...byPath, [paths[0]!]: new Uint8Array(one!.length + 1) };
    expect(refusal(() => loadKeras({ modelJson, weights: longer })).code).toBe('size-mismatch');
  });
});

test('where sizes cannot tell, a list is refused and paths are taken', () => {
  // 13 files of 36 bytes
  const { modelJson, files, paths } = split(36);
  expect(paths.length).toBe(13);
  for (const order of [[...paths.keys()], listing(paths)]) {
    const error = refusal(() => loadKeras({ modelJson, weights: order.map((k) => files[k]!) }));
    expect(error.code).toBe('ambiguous-order');
    expect(error.message).toContain('give them by path');
    const weights = Object.fromEntries(order.map((k) => [paths[k], files[k]!]));
    expect(loadKeras({ modelJson, weights }).predict(INPUT)).toEqual(WANTED);
  }
});

describe('groups of one file each, as the first converters wrote them', () => {
  const names = Array.from({ length: 12 }, (_, k) => `d${k}`);
  const units = (k: number) => 1 + (k % 5);
  const layers = names.map((name, k): [string, object] => ['Dense', { name, units: units(k) }]);
  const weights = Object.fromEntries(
    names.flatMap((name, k) => [
      [`${name}/kernel`, noise([k ? units(k - 1) : 2, units(k)], 2 * k)],
      [`${name}/bias`, noise([units(k)], 2 * k + 1)],
    ]),
  );
  const whole = tfjs(sequential(layers, [null, 2]), weights);
  const all = whole.modelJson.weightsManifest[0].weights as { name: string; shape: number[] }[];
  const paths = names.map((_, k) => `group${k + 1}-shard1of1`);
  let at = 0;
  const files = names.map((_, k) => {
    const bytes = all.slice(2 * k, 2 * k + 2).reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
    at += bytes;
    return whole.weights.slice(at - bytes, at);
  });
  const weightsManifest = names.map((_, k) => ({ paths: [paths[k]], weights: all.slice(2 * k, 2 * k + 2) }));
  const modelJson = { ...whole.modelJson, weightsManifest };
  const input = noise([1, 2], 99);
  const wanted = loadKeras(whole).predict(input);

  test('in order, by path, as one file, but not in that of a directory', () => {
    expect(loadKeras({ modelJson, weights: files }).predict(input)).toEqual(wanted);
    expect(loadKeras({ modelJson, weights: whole.weights }).predict(input)).toEqual(wanted);
    const byPath = Object.fromEntries(listing(paths).map((k) => [paths[k], files[k]!]));
    expect(loadKeras({ modelJson, weights: byPath }).predict(input)).toEqual(wanted);
    const order = listing(paths);
    const error = refusal(() => loadKeras({ modelJson, weights: order.map((k) => files[k]!) }));
    expect(error.code).toBe('size-mismatch');
  });
});

test('a path twice, and one that objects inherit', () => {
  const { modelJson, files } = split(400);
  const [group] = modelJson.weightsManifest;
  const twice = { ...modelJson, weightsManifest: [{ ...group, paths: ['a', 'a'] }] };
  expect(refusal(() => loadKeras({ modelJson: twice, weights: files })).code).toBe('duplicate-name');
  const odd = { ...modelJson, weightsManifest: [{ ...group, paths: ['a', 'toString'] }] };
  expect(refusal(() => loadKeras({ modelJson: odd, weights: { a: files[0]! } })).code).toBe('missing-file');
});

test('slices across any borders', () => {
  const bytes = Uint8Array.from({ length: 20 }, (_, i) => i);
  for (const sizes of [[20], [0, 20], [7, 0, 0, 13], [1, 1, 1, 1, 16, 0], Array(20).fill(1)]) {
    let at = 0;
    const parts = sizes.map((size: number) => {
      at += size;
      return bytes.slice(at - size, at);
    });
    const shards = new Shards(parts);
    expect(shards.length).toBe(20);
    for (let begin = 0; begin <= 20; begin++) {
      for (let end = begin; end <= 20; end++) expect(shards.slice(begin, end)).toEqual(bytes.slice(begin, end));
    }
  }
});

test('a group without weights has no files, or empty ones', () => {
  const group = (paths: string[], bytes: number): WeightGroup => ({ paths: new Config('paths', paths), bytes });
  const groups = [group([], 0), group(['a'], 3), group(['b', 'c'], 5), group(['d'], 0)];
  const sizes = [3, 4, 1, 0];
  expect(
    arrangeShards(
      groups,
      sizes.map((size) => new Uint8Array(size)),
    ).length,
  ).toBe(8);
});
