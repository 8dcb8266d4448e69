import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

// Files of many small tensors: valid, so they are read as long as what they become fits into 3 times the file and 8 MiB, and with
// effort in proportion to their number. Each has a process of its own, whose memory nothing else has raised.

const root = fileURLToPath(new URL('..', import.meta.url));

/** Makes files of `count` tensors of `bytes` bytes each. */
const WRITERS = `
  import { largeZip } from './scripts/large-files.mjs';
  const u32 = (value) => { const b = Buffer.alloc(4); b.writeUInt32LE(value); return b; };
  const join = (...parts) => Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
  const text = (value) => join('X', u32(value.length), value);
  const int = (value) => join('J', u32(value));
  const pickle = (value) => join('\\x80\\x02', value, '.');
  const storage = (i, count, last) => join('((', text('storage'), 'ctorch\\nByteStorage\\n', text(String(i)), text('cpu'), int(count), last, 'tQ');
  const tensor = (i, count, last) => join('ctorch._utils\\n_rebuild_tensor_v2\\n', storage(i, count, last), int(0), '(', int(count), 't(', int(1),
    't\\x89ccollections\\nOrderedDict\\n)RtR');
  const stateDict = (count, bytes, last) =>
    pickle(join('}(', ...Array.from({ length: count }, (_, i) => join(text('layers.' + i + '.scale'), tensor(i, bytes, last))), 'u'));
  const WRITERS = {
    safetensors(count, bytes) {
      const entries = Array.from({ length: count }, (_, i) =>
        '"' + i + '":{"dtype":"U8","shape":[' + bytes + '],"data_offsets":[' + i * bytes + ',' + (i + 1) * bytes + ']}');
      const header = '{' + entries.join(',') + '}';
      return join(u32(header.length), u32(0), header, Buffer.alloc(count * bytes));
    },
    'safetensors of long names'(count, bytes) {
      const header = '{"' + 'k'.repeat(count * bytes) + '":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}';
      return join(u32(header.length), u32(0), header);
    },
    pytorch(count, bytes) {
      const names = Array.from({ length: count }, (_, i) => 'a/data/' + i);
      return largeZip(stateDict(count, bytes, ''), names, Buffer.alloc(bytes, 1));
    },
    'pytorch before 1.6'(count, bytes) {
      const magic = Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex');
      const keys = join('](', ...Array.from({ length: count }, (_, i) => text(String(i))), 'e');
      const storages = Array.from({ length: count }, () => join(u32(bytes), u32(0), Buffer.alloc(bytes, 1)));
      const machine = join('}', text('little_endian'), '\\x88s');
      return join(pickle(magic), pickle(int(1001)), pickle(machine), stateDict(count, bytes, 'N'), pickle(keys), ...storages);
    },
    'pytorch, dicts in dicts'(count) {
      const dicts = join(...Array.from({ length: count }, (_, i) => join('}', text(String(i)))));
      const value = join('}', text('model'), '}', text('w'), tensor(0, 4, ''), 'ss', text('rest'), dicts, 'N', 's'.repeat(count), 's');
      return largeZip(pickle(value), ['a/data/0'], Buffer.alloc(4, 1));
    },
  };
`;

const READERS = `
  import { parseCheckpoint } from 'lstm-wasm/pytorch';
  import { parseSafetensors } from 'lstm-wasm/safetensors';
  const read = (kind, file) => {
    try {
      if (kind.startsWith('safetensors')) return parseSafetensors(file).size;
      return parseCheckpoint(file, kind.includes('dicts') ? { key: 'model' } : undefined).size;
    } catch (error) {
      return error.code ?? String(error);
    }
  };
`;

const run = (program: string) => {
  const args = ['--max-semi-space-size=1', '--input-type=module', '--eval', WRITERS + READERS + program];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }));
};

describe('memory', () => {
  test.each<[kind: string, count: number, bytes: number, outcome: string]>([
    ['safetensors', 10_000, 1, 'read'],
    ['safetensors', 10_000, 0, 'read'],
    ['safetensors', 100_000, 0, 'read'],
    ['safetensors', 100_000, 1, 'too-large'],
    ['safetensors', 100_000, 200, 'read'],
    ['pytorch', 2000, 4, 'read'],
    ['pytorch', 3000, 1, 'read'],
    ['pytorch', 60_000, 1, 'too-large'],
    ['pytorch', 10_000, 400, 'read'],
    ['pytorch before 1.6', 2000, 4, 'read'],
    ['pytorch before 1.6', 100_000, 1, 'too-large'],
    ['pytorch before 1.6', 10_000, 600, 'read'],
  ])('%s: %i tensors of %i bytes', (kind, count, bytes, outcome) => {
    const { size, beyond } = run(`
      const file = WRITERS[${JSON.stringify(kind)}](${count}, ${bytes});
      const before = process.resourceUsage().maxRSS;
      const size = read(${JSON.stringify(kind)}, file);
      const beyond = 1024 * (process.resourceUsage().maxRSS - before) - 3 * file.length;
      console.log(JSON.stringify({ size, beyond }));
    `);
    expect(size).toBe(outcome === 'read' ? count : outcome);
    expect(beyond).toBeLessThan(2 ** 23);
  });
});

describe('effort', () => {
  test.each<[kind: string, count: number, bytes: number]>([
    ['safetensors', 2500, 300],
    ['safetensors of long names', 2500, 300],
    ['pytorch', 1000, 1500],
    ['pytorch before 1.6', 1000, 1500],
    ['pytorch, dicts in dicts', 400, 0],
  ])('%s: 16 times the file takes 16 times the effort, not 256 times', (kind, count, bytes) => {
    const { small, large, sizes } = run(`
      const effort = (file, times) => {
        const sizes = [];
        const start = process.cpuUsage();
        for (let i = 0; i < times; i++) sizes.push(read(${JSON.stringify(kind)}, file));
        return [process.cpuUsage(start).user, sizes[0]];
      };
      const files = [1, 16].map((times) => WRITERS[${JSON.stringify(kind)}](${count} * times, ${bytes}));
      effort(files[0], 16);
      // ten rounds together: some engines count processor time in steps of milliseconds
      const rounds = Array.from({ length: 10 }, () => [effort(files[0], 16), effort(files[1], 1)]);
      const [small, large] = [0, 1].map((i) => rounds.reduce((sum, round) => sum + round[i][0], 1));
      console.log(JSON.stringify({ small, large, sizes: rounds[0].map(([, size]) => size) }));
    `);
    for (const size of sizes) expect(size).toEqual(expect.any(Number));
    // the same number of bytes: 1 if it is linear, 16 if it is quadratic
    expect(large / small).toBeLessThan(4);
  });
});
