import { encodeUtf8 } from '../../src/files/utf8.ts';

// Checkpoints made by hand: a zip writer that can be told to write anything, and pickles as lists of their opcodes. Nothing
// here is shared with the reader.

export interface Entry {
  name: string;
  data: Uint8Array;
  /** What stands for the data in the file; the data themselves if it is not given */
  zipped?: Uint8Array;
  method?: number;
  flags?: number;
  /** In place of what the data have */
  crc?: number;
  size?: number;
  zippedSize?: number;
  offset?: number;
  /** In the local header alone */
  localName?: string;
  /** Bytes between the local header and the data, and after them */
  extra?: number;
  gap?: number;
}

export interface ZipOptions {
  count?: number;
  begin?: number;
  size?: number;
  comment?: string;
}

/** A zip as torch.save writes it, but for what `entries` and `options` change. */
export function zip(entries: readonly Entry[], options: ZipOptions = {}): Uint8Array<ArrayBuffer> {
  const file: number[] = [];
  const directory: number[] = [];
  const u16 = (to: number[], ...values: number[]) => values.forEach((v) => void to.push(v & 255, (v >> 8) & 255));
  const u32 = (to: number[], ...values: number[]) => {
    for (const v of values) u16(to, v & 0xffff, v >>> 16);
  };
  for (const entry of entries) {
    const { data, method = 0, flags = 0, extra = 0, gap = 0 } = entry;
    const zipped = entry.zipped ?? data;
    const offset = entry.offset ?? file.length;
    const sizes = [entry.crc ?? crc32(data), entry.zippedSize ?? zipped.length, entry.size ?? data.length] as const;
    const localName = encodeUtf8(entry.localName ?? entry.name);
    u32(file, 0x04034b50);
    u16(file, 20, flags, method, 0, 0);
    u32(file, ...(flags & 8 ? [0, 0, 0] : sizes));
    u16(file, localName.length, extra);
    for (const byte of [localName, new Uint8Array(extra), zipped].flatMap((part) => [...part])) file.push(byte);
    if (flags & 8) u32(file, 0x08074b50, ...sizes);
    file.push(...new Uint8Array(gap));
    const name = encodeUtf8(entry.name);
    u32(directory, 0x02014b50);
    u16(directory, 20, 20, flags, method, 0, 0);
    u32(directory, ...sizes);
    u16(directory, name.length, 0, 0, 0, 0);
    u32(directory, 0, offset);
    directory.push(...name);
  }
  const begin = options.begin ?? file.length;
  const count = options.count ?? entries.length;
  for (const byte of directory) file.push(byte);
  u32(file, 0x06054b50);
  u16(file, 0, 0, count, count);
  u32(file, options.size ?? directory.length, begin);
  const comment = encodeUtf8(options.comment ?? '');
  u16(file, comment.length);
  file.push(...comment);
  return new Uint8Array(file);
}

/** Bit by bit. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Bytes of a pickle: opcodes as their characters, the rest as numbers. */
export type Code = string | number | readonly Code[];

export function bytes(...code: Code[]): Uint8Array<ArrayBuffer> {
  const list = (code as unknown[]).flat(Number.POSITIVE_INFINITY) as (string | number)[];
  return new Uint8Array(
    list.flatMap((part) => (typeof part === 'number' ? [part] : [...part].map((c) => c.charCodeAt(0)))),
  );
}

/** BINUNICODE */
export function text(value: string): Code {
  const utf8 = encodeUtf8(value);
  return ['X', utf8.length & 255, utf8.length >> 8, 0, 0, [...utf8]];
}

/** BININT, or LONG1 of eight bytes */
export function int(value: number | bigint): Code {
  const big = BigInt.asUintN(64, BigInt(value));
  const small = BigInt.asIntN(32, BigInt(value)) === BigInt(value);
  const list = Array.from({ length: small ? 4 : 8 }, (_, i) => Number((big >> BigInt(8 * i)) & 255n));
  return small ? ['J', list] : ['\x8a', 8, list];
}

export const tuple = (...items: Code[]): Code => ['(', items, 't'];
export const global = (module: string, name: string): Code => ['c', module, 10, name, 10];
export const ORDERED_DICT: Code = [global('collections', 'OrderedDict'), ')', 'R'];

export interface TensorFields {
  type?: string;
  key?: Code;
  elements?: number | bigint;
  offset?: number | bigint;
  dims?: readonly (number | bigint)[];
  strides?: readonly (number | bigint)[];
  /** After the strides: requires_grad, hooks */
  rest?: Code;
}

/** A tensor of 4 float32, but for the fields given. */
export function tensor(fields: TensorFields = {}): Code {
  const { type = 'FloatStorage', key = text('0'), elements = 4, offset = 0, dims = [4], strides = [1] } = fields;
  const storage = [tuple(text('storage'), global('torch', type), key, text('cpu'), int(elements)), 'Q'];
  const args = [
    storage,
    int(offset),
    tuple(...dims.map(int)),
    tuple(...strides.map(int)),
    fields.rest ?? ['\x89', ORDERED_DICT],
  ];
  return [global('torch._utils', '_rebuild_tensor_v2'), tuple(...args), 'R'];
}

export const dict = (...items: [key: Code, value: Code][]): Code => ['}(', items, 'u'];

/** The pickle of `value`, protocol 2. */
export const pickle = (value: Code) => bytes('\x80', 2, value, '.');

/** A storage of 4 float32. */
export const STORAGE: Entry = { name: 'archive/data/0', data: new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer) };

/** A checkpoint of this pickle and storages. */
export function checkpoint(data: Uint8Array, ...storages: Entry[]): Uint8Array<ArrayBuffer> {
  return zip([{ name: 'archive/data.pkl', data }, ...(storages.length ? storages : [STORAGE])]);
}
