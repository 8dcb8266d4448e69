import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

// Files of many small tensors: valid, so they are read as long as what they become fits into 3 times the file and 8 MiB, and with
// effort in proportion to their number. Each has a process of its own, whose memory nothing else has raised.

const root = fileURLToPath(new URL('..', import.meta.url));

const READERS = `
  import { WRITERS } from './scripts/many-of-one.mjs';
  import { parseCheckpoint } from 'lstm-wasm/pytorch';
  import { parseSafetensors, parseSafetensorsShards } from 'lstm-wasm/safetensors';
  const read = (kind, file) => {
    try {
      if (kind.endsWith('shards')) return parseSafetensorsShards(file.index, file.files).size;
      if (kind.startsWith('safetensors')) return parseSafetensors(file).size;
      return parseCheckpoint(file, kind.includes('dicts') ? { key: 'model' } : undefined).size;
    } catch (error) {
      return error.code ?? String(error);
    }
  };
`;

const run = (program: string) => {
  const args = ['--max-semi-space-size=1', '--input-type=module', '--eval', READERS + program];
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
    ['pytorch, dicts of tied tensors', 2000, 0, 'read'],
    ['pytorch, dicts of tied tensors', 30_000, 0, 'too-large'],
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
  test.each<[kind: string, count: number, bytes: number, refused?: 'too-large']>([
    ['safetensors', 2500, 300],
    ['safetensors of long names', 2500, 300],
    ['safetensors of many sizes', 2500, 100, 'too-large'],
    ['safetensors of metadata', 2500, 300],
    ['safetensors of unknown fields', 2500, 100],
    ['safetensors in shards', 400, 300],
    ['pytorch', 1000, 1500],
    ['pytorch before 1.6', 1000, 1500],
    ['pytorch, dicts in dicts', 400, 0],
    ['pytorch, dicts beside a long global', 2000, 20],
    ['pytorch, dicts beside a list that is called', 500, 0, 'too-large'],
    ['pytorch, dicts beside a memo with gaps', 4000, 0],
    ['pytorch, dicts beside a long text', 4000, 100],
    ['pytorch, dicts beside many tuples', 10_000, 0, 'too-large'],
    ['pytorch, dicts of one storage', 800, 1500],
    ['pytorch, dicts of tied tensors', 300, 0],
  ])('%s: 16 times the file takes 16 times the effort, not 256 times', (kind, count, bytes, refused) => {
    const { rounds, sizes } = run(`
      const effort = (file, times) => {
        const sizes = [];
        const start = process.cpuUsage();
        for (let i = 0; i < times; i++) sizes.push(read(${JSON.stringify(kind)}, file));
        // some engines count processor time in steps of milliseconds
        return [process.cpuUsage(start).user + 1000, sizes[0]];
      };
      const files = [1, 16].map((times) => WRITERS[${JSON.stringify(kind)}](${count} * times, ${bytes}));
      effort(files[0], 16);
      const rounds = Array.from({ length: 5 }, () => [effort(files[0], 16), effort(files[1], 1)]);
      console.log(JSON.stringify({ rounds: rounds.map(([a, b]) => b[0] / a[0]), sizes: rounds[0].map(([, size]) => size) }));
    `);
    // what is refused for its size is so after effort in proportion, too
    for (const size of sizes) if (size !== refused) expect(size).toEqual(expect.any(Number));
    // the same number of bytes: 1 if it is linear, 16 if it is quadratic; of rounds in turn, the one in the middle
    const ratio = rounds.toSorted((a: number, b: number) => a - b)[2];
    expect(1 + Math.log(ratio) / Math.log(16)).toBeLessThan(1.25);
  });
});
