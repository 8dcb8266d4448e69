import { expect, it } from 'vitest';
import { ModelError } from '../src/base/errors.ts';
import { explainRefusal } from '../src/files/what-file.ts';
import { readFixture } from './support/fixtures.ts';

const DETAILS = { code: 'malformed', path: 'graph', expected: 2, found: 4 };

/** What the message says of a file that is refused; nothing if it is left as it is. */
function explain(bytes: Uint8Array): string | undefined {
  const refuse = () =>
    explainRefusal('read', bytes, [], () => {
      throw new ModelError('', DETAILS);
    });
  try {
    refuse();
  } catch (error) {
    return (error as ModelError).message.replace('read: ', '') || undefined;
  }
  throw new Error('not refused');
}

const text = (words: string) => new TextEncoder().encode(words);
const zip = (name: string) =>
  Uint8Array.from([0x50, 0x4b, 3, 4, ...Array(22).fill(0), name.length, 0, 0, 0, ...text(name)]);

it.each<[string, Uint8Array]>([
  ['an HTML page', text('<!DOCTYPE html><html><head><title>App</title></head></html>')],
  ['an HTML page', text('\ufeff\n <html lang="en">')],
  ['an XML document', text('<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>')],
  ['a Git LFS pointer', text(`version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`)],
  [
    'JSON, an index of shards',
    text('{"metadata":{"total_size":8},"weight_map":{"a":"model-00001-of-00002.safetensors"}}'),
  ],
  ['JSON, a model of TensorFlow.js', text('{"modelTopology": {}}')],
  ['JSON', text('\ufeff{ "error": "not found" }')],
  ['JSON', text('[1, 2]')],
  ['a model in the ORT format', Uint8Array.from([0x20, 0, 0, 0, ...text('ORTM'), 0, 0])],
  ['a TensorFlow Lite model', Uint8Array.from([0x1c, 0, 0, 0, ...text('TFL3')])],
  ['a gzip file', Uint8Array.from([0x1f, 0x8b, 8, 0])],
  ['a Python pickle', Uint8Array.from([0x80, 2, 0x8a, 10])],
  ['a safetensors file', Uint8Array.from([2, 0, 0, 0, 0, 0, 0, 0, ...text('{}')])],
  // headers of 1152 and of 526,623 bytes, whose sizes begin as a pickle and a gzip file do
  ['a safetensors file', Uint8Array.from([0x80, 4, 0, 0, 0, 0, 0, 0, ...text('{"a"')])],
  ['a safetensors file', Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, ...text('{"a"')])],
  ['an ONNX model', Uint8Array.from([8, 8, 0x12, 7, ...text('pytorch')])],
  ['a zip file of torch.save', zip('archive/data.pkl')],
  ['a .keras file', zip('metadata.json')],
  ['a zip file of NumPy arrays', zip('x.npy')],
  ['a zip file', zip('a.txt')],
  ['a text that begins with "404: Not Found"', text('404: Not Found')],
  ['an empty file', new Uint8Array()],
])('tells %s', (what, bytes) => {
  expect(explain(bytes)).toMatch(new RegExp(`^this is ${what.replace(/[.?]/g, '\\$&')}: .+`));
});

it('says nothing about bytes that do not tell', () => {
  for (const bytes of [Uint8Array.of(0), Uint8Array.of(255, 254, 253), text('text'), new Uint8Array(600)]) {
    expect(explain(bytes)).toBeUndefined();
  }
});

it.each<[string, string]>([
  ['an ONNX model', 'onnx-ort/opset7_float_data.onnx'],
  ['a safetensors file', 'torch/edge_all_1.safetensors'],
  ['a zip file of torch.save', 'pytorch/lstm.pt'],
  ['an HDF5 file', 'keras/model.h5'],
  ['a .keras file', 'keras/model.keras'],
])('tells %s from a fixture', async (what, path) => {
  expect(explain(await readFixture(path))).toContain(`this is ${what}: `);
});

it('explains a refusal by the kind of the file, with the same code and details', () => {
  const refuse = () => {
    throw new ModelError('read: graph expected 2, got 4', DETAILS);
  };
  const page = text('<html></html>');
  const read = (bytes: Uint8Array, own: string[]) => () => explainRefusal('read', bytes, own, refuse);
  const message =
    'read: this is an HTML page: the server answered with a page in place of the file, so check its address';
  expect(read(page, [])).toThrow(expect.objectContaining({ message, ...DETAILS }));
  expect(read(page, ['an HTML page'])).toThrow('read: graph expected 2, got 4');
  expect(read(Uint8Array.of(0), [])).toThrow('read: graph expected 2, got 4');
  expect(explainRefusal('read', page, [], () => 1)).toBe(1);
});
