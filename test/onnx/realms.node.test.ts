import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { loadOnnx } from '../../src/onnx.ts';
import { onnxFile } from '../support/onnx-files.ts';

test('feeds, options and tensors to write to may be of another realm', () => {
  const session = loadOnnx(onnxFile({ nodes: [{ op: 'Add', inputs: ['a', 'b'] }], inputs: { a: ['n'], b: ['n'] } }));
  const all = runInNewContext(`
    const vector = (...values) => ({ data: Float32Array.from(values), dims: [values.length] });
    ({ feeds: { a: vector(1, 2), b: vector(10, 20) }, options: { out: { y: vector(0, 0) }, outputs: ['y'] } })
  `);
  const { feeds, options } = all;
  expect(session.run(feeds, options)).toBe(options.out);
  expect([...options.out.y.data]).toEqual([11, 22]);
  const map = runInNewContext('new Map(entries)', { entries: Object.entries(feeds) });
  expect([...session.run(map, { out: { y: feeds.a } }).y!.data]).toEqual([11, 22]);
  expect([...feeds.a.data]).toEqual([11, 22]);
  session.dispose();
});
