// Files of safetensors and of PyTorch with much of one thing, valid all of them: effort in proportion to the file reads each.
import { largeZip } from './large-files.mjs';

export const u32 = (value) => {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(value);
  return b;
};
export const join = (...parts) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
export const text = (value) => join('X', u32(value.length), value);
export const int = (value) => join('J', u32(value));
export const pickle = (value) => join('\x80\x02', value, '.');
const storage = (i, count, last) =>
  join('((', text('storage'), 'ctorch\nByteStorage\n', text(String(i)), text('cpu'), int(count), last, 'tQ');
const tensor = (i, count, last) =>
  join(
    'ctorch._utils\n_rebuild_tensor_v2\n',
    storage(i, count, last),
    int(0),
    '(',
    int(count),
    't(',
    int(1),
    't\x89ccollections\nOrderedDict\n)RtR',
  );
const stateDict = (count, bytes, last) =>
  pickle(
    join(
      '}(',
      ...Array.from({ length: count }, (_, i) => join(text(`layers.${i}.scale`), tensor(i, bytes, last))),
      'u',
    ),
  );
/** A checkpoint of a state dict at the key `model`, and `value` beside it. */
const beside = (value) =>
  largeZip(
    pickle(join('}(', text('model'), '}', text('w'), tensor(0, 4, ''), 's', text('rest'), value, 'u')),
    ['a/data/0'],
    Buffer.alloc(4, 1),
  );

/** Writers of files of `count` tensors of `bytes` bytes each, or of as much of something else. */
export const WRITERS = {
  safetensors(count, bytes) {
    const entries = Array.from(
      { length: count },
      (_, i) => `"${i}":{"dtype":"U8","shape":[${bytes}],"data_offsets":[${i * bytes},${(i + 1) * bytes}]}`,
    );
    const header = `{${entries.join(',')}}`;
    return join(u32(header.length), u32(0), header, Buffer.alloc(count * bytes));
  },
  'safetensors of long names'(count, bytes) {
    const header = `{"${'k'.repeat(count * bytes)}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`;
    return join(u32(header.length), u32(0), header);
  },
  pytorch(count, bytes) {
    const names = Array.from({ length: count }, (_, i) => `a/data/${i}`);
    return largeZip(stateDict(count, bytes, ''), names, Buffer.alloc(bytes, 1));
  },
  'pytorch before 1.6'(count, bytes) {
    const magic = Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex');
    const keys = join('](', ...Array.from({ length: count }, (_, i) => text(String(i))), 'e');
    const storages = Array.from({ length: count }, () => join(u32(bytes), u32(0), Buffer.alloc(bytes, 1)));
    const machine = join('}', text('little_endian'), '\x88s');
    return join(
      pickle(magic),
      pickle(int(1001)),
      pickle(machine),
      stateDict(count, bytes, 'N'),
      pickle(keys),
      ...storages,
    );
  },
  'safetensors of many sizes'(count, bytes) {
    const header = `{"a":{"dtype":"U8","shape":[0${',1'.repeat((count * bytes) / 2)}],"data_offsets":[0,0]}}`;
    return join(u32(header.length), u32(0), header);
  },
  'safetensors of metadata'(count, bytes) {
    const pairs = Array.from({ length: count }, (_, i) => `"${i}":"${'\\u00e4'.repeat(bytes / 6)}"`);
    const header = `{"__metadata__":{${pairs.join(',')}}}`;
    return join(u32(header.length), u32(0), header);
  },
  'safetensors of unknown fields'(count, bytes) {
    const header =
      '{"a":{"dtype":"U8","shape":[0],"x":' +
      `[${'[],'.repeat(bytes)}0],`.repeat(count).replace(/^/, '[') +
      '0],"data_offsets":[0,0]}}';
    return join(u32(header.length), u32(0), header);
  },
  'safetensors in shards'(count, bytes) {
    const names = Array.from({ length: count }, (_, i) => `layers.${i}.weight`);
    const files = names.map((name) => {
      const header = `{"${name}":{"dtype":"U8","shape":[${bytes}],"data_offsets":[0,${bytes}]}}`;
      return join(u32(header.length), u32(0), header, Buffer.alloc(bytes));
    });
    const weight_map = Object.fromEntries(names.map((name, i) => [name, `${i}.safetensors`]));
    return { index: { weight_map }, files: Object.fromEntries(files.map((file, i) => [`${i}.safetensors`, file])) };
  },
  'pytorch, dicts in dicts'(count) {
    const dicts = join(...Array.from({ length: count }, (_, i) => join('}', text(String(i)))));
    const value = join(
      '}',
      text('model'),
      '}',
      text('w'),
      tensor(0, 4, ''),
      'ss',
      text('rest'),
      dicts,
      'N',
      's'.repeat(count),
      's',
    );
    return largeZip(pickle(value), ['a/data/0'], Buffer.alloc(4, 1));
  },
  'pytorch, dicts beside a long global'(count, bytes) {
    // a text of the memo as the module of every object
    const global = join('X', u32(count * bytes), Buffer.alloc(count * bytes, 'm'), 'q\x00', text('C'), 'q\x01');
    return beside(join(global, 'h\x00h\x01\x930'.repeat(count), '0'));
  },
  'pytorch, dicts beside a list that is called'(count) {
    const pairs = Array.from({ length: count }, (_, i) => join('](', text(String(i)), 'Ne'));
    const list = join('](', ...pairs, 'e', '\x85q\x00', 'ccollections\nOrderedDict\nq\x01');
    return beside(join(list, 'h\x01h\x00R0'.repeat(count), '0'));
  },
  'pytorch, dicts beside a memo with gaps'(count) {
    const puts = Array.from({ length: count }, (_, i) =>
      join('r', u32(2 * (count - i)), 'j', u32(2 * (count - i)), '0'),
    );
    return beside(join('N', ...puts));
  },
  'pytorch, dicts beside a long text'(count, bytes) {
    return beside(join('X', u32(count * bytes), Buffer.alloc(count * bytes, 'm')));
  },
  'pytorch, dicts beside many tuples'(count) {
    return beside(join(`N${'\x85'.repeat(count)}`, `(${'N'.repeat(count)}t\x86`));
  },
  'pytorch, dicts of tied tensors'(count) {
    const ones = join('(', ...Array.from({ length: 60 }, () => int(1)), 't');
    const view = join(
      '((',
      text('storage'),
      'ctorch\nByteStorage\n',
      text('0'),
      text('cpu'),
      int(4),
      'tQ',
      int(0),
      ones,
      ones,
    );
    const tied = join('ctorch._utils\n_rebuild_tensor_v2\n', view, '\x89ccollections\nOrderedDict\n)RtRq\x000');
    const entries = Array.from({ length: count }, (_, i) => join(text(String(i)), 'h\x00'));
    return largeZip(pickle(join(tied, '}', text('model'), '}(', ...entries, 'us')), ['a/data/0'], Buffer.alloc(4, 1));
  },
  'pytorch, dicts of one storage'(count, bytes) {
    // two names of each view, in a storage with a long name
    const [size, name] = [bytes * count, 'k'.repeat(4 * count)];
    const key = join('X', u32(name.length), name, 'q\x00');
    const view = (key, offset) =>
      join(
        'ctorch._utils\n_rebuild_tensor_v2\n((',
        text('storage'),
        'ctorch\nByteStorage\n',
        key,
        text('cpu'),
        int(size),
        'tQ',
        int(offset),
        int(bytes),
        '\x85',
        int(1),
        '\x85\x89ccollections\nOrderedDict\n)RtR',
      );
    const entries = Array.from({ length: count }, (_, i) =>
      join(text(String(i)), view(i ? 'h\x00' : key, (i >> 1) * bytes)),
    );
    return largeZip(
      pickle(join('}', text('model'), '}(', ...entries, 'us')),
      [`a/data/${name}`],
      Buffer.alloc(size, 1),
    );
  },
};
