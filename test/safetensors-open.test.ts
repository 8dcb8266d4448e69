import { expect, test } from 'vitest';
import { LSTM, ModelError } from '../src/index.ts';
import { type FileHandleLike, openSafetensors, parseSafetensors, serializeSafetensors } from '../src/safetensors.ts';
import { entry, pack, refusal } from './support/safetensors-files.ts';

// One tensor at a time from a Blob or file handle: the same tensors and the same refusals as of the whole file.

const file = serializeSafetensors(new Map<string, any>([...new LSTM(3, 5, { seed: 1 }).quantizedStateDict('a.')]));

/** A handle that gives seven bytes at a time, as files may, and says what was read. */
function handle(bytes: Uint8Array, size = bytes.length): FileHandleLike & { reads: number[] } {
  const reads: number[] = [];
  return {
    reads,
    stat: async () => ({ size }),
    async read(buffer, offset, length, position) {
      const part = bytes.subarray(position, position + Math.min(7, length));
      buffer.set(part, offset);
      reads.push(position);
      return { bytesRead: part.length };
    },
  };
}

const blob = (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>]);

test.each([
  ['a Blob', blob],
  ['a file handle', handle],
])('gives the tensors that parseSafetensors gives: %s', async (_, source) => {
  const expected = parseSafetensors(file);
  const opened = await openSafetensors(source(file));
  expect([...opened.tensors.keys()]).toEqual([...expected.keys()]);
  for (const [name, tensor] of [...expected].reverse()) {
    expect(opened.tensors.get(name)).toEqual({ dtype: tensor.dtype, dims: tensor.dims });
    expect(await opened.read(name)).toEqual(tensor);
  }
  await expect(opened.read('b')).rejects.toThrow(
    new RangeError('openSafetensors: "name" expected the name of a tensor in the file, got "b"'),
  );
});

test('reads the header, and then no more than the tensor asked for', async () => {
  const big = pack({ a: entry('U8', [1000], 0, 1000), b: entry('U8', [9], 1000, 1009) }, new Uint8Array(1009).fill(3));
  const source = handle(big);
  const opened = await openSafetensors(source);
  const dataStart = big.length - 1009;
  expect(Math.max(...source.reads)).toBeLessThan(dataStart);
  source.reads.length = 0;
  expect((await opened.read('b')).data).toEqual(new Uint8Array(9).fill(3));
  expect(source.reads).toEqual([dataStart + 1000, dataStart + 1007]);
});

test('what the caller does to dims does not reach the file', async () => {
  const opened = await openSafetensors(blob(file));
  const { dims } = await opened.read('a.bias_ih_l0');
  (dims as number[])[0] = 7;
  expect((await opened.read('a.bias_ih_l0')).dims).toEqual([20]);
});

test('every prefix is refused as parseSafetensors refuses it', async () => {
  const valid = pack({ a: entry('F32', [2], 0, 8), b: entry('U8', [3], 8, 11) }, new Uint8Array(11));
  for (let size = 0; size < valid.length; size++) {
    const cut = valid.slice(0, size);
    const { code, message } = refusal(cut);
    for (const source of [blob(cut), handle(cut)]) {
      await expect(openSafetensors(source)).rejects.toThrow(expect.objectContaining({ code, message }));
    }
  }
});

test('a file that has become shorter', async () => {
  const opened = await openSafetensors(handle(file.slice(0, -5), file.length));
  const last = [...opened.tensors.keys()].at(-1)!;
  await expect(opened.read(last)).rejects.toThrow(ModelError);
  await expect(opened.read(last)).rejects.toThrow(`the file ends at byte ${file.length - 5}`);
});

test.each([
  [undefined, 'undefined'],
  ['model.safetensors', '"model.safetensors"'],
  [file, 'a Uint8Array'],
  [{ stat: async () => ({ size: 1 }) }, '{ "stat" }'],
])('refuses what is neither: %s', async (source, got) => {
  await expect(openSafetensors(source as any)).rejects.toThrow(
    new TypeError(`openSafetensors: "source" expected a Blob or a FileHandle, got ${got}`),
  );
});
