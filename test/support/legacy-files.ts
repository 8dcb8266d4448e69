import { bytes, type Code, dict, global, int, ORDERED_DICT, pickle, text, tuple } from './checkpoint-files.ts';

// Files of torch.save before 1.6, made by hand: five pickles, then the storages.

const MAGIC: Code = ['\x8a', 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const MACHINE: Code = dict([text('little_endian'), '\x88']);

export interface LegacyParts {
  magic?: Code;
  version?: Code;
  machine?: Code;
  value?: Code;
  keys?: Code;
  /** The elements of each storage, in the order of the keys, or its bytes as they are. */
  storages?: readonly (Float32Array | Uint8Array)[];
}

/** A list: EMPTY_LIST and APPENDS. */
export const list = (...items: Code[]): Code => [']', '(', items, 'e'];

/** A tensor of two float32, on the storage `key` of `elements`. */
export function legacyTensor(
  key: string,
  { elements = 2, offset = 0, part = 'N' as Code, type = 'FloatStorage' } = {},
): Code {
  const id = [tuple(text('storage'), global('torch', type), text(key), text('cpu'), int(elements), part), 'Q'];
  const args = [id, int(offset), tuple(int(2)), tuple(int(1)), '\x89', ORDERED_DICT];
  return [global('torch._utils', '_rebuild_tensor_v2'), tuple(...args), 'R'];
}

/** A storage: the number of its elements in 8 bytes, then the elements. */
export function stored(data: Float32Array, count: number | bigint = data.length): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(8 + data.byteLength);
  new DataView(file.buffer).setBigInt64(0, BigInt(count), true);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8);
  return file;
}

/** A file with the tensors w = [1, 2] and v = [3, 4], but for what `parts` change. */
export function legacy(parts: LegacyParts = {}): Uint8Array<ArrayBuffer> {
  const value = parts.value ?? dict([text('w'), legacyTensor('11')], [text('v'), legacyTensor('10')]);
  const pickles = [parts.magic ?? MAGIC, parts.version ?? int(1001), parts.machine ?? MACHINE, value];
  const storages = parts.storages ?? [Float32Array.of(3, 4), Float32Array.of(1, 2)];
  const data = storages.map((one) => [...(one instanceof Float32Array ? stored(one) : one)]);
  return bytes(
    pickles.map((code) => [...pickle(code)]),
    [...pickle(parts.keys ?? list(text('10'), text('11')))],
    data,
  );
}
