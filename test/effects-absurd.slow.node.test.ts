import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { SHAPES } from '../scripts/effect-shapes.mjs';

// Files of effects in the shapes that cost most for their size, and valid but absurd ones. Each has a process of its own: a crash is
// seen as one, and memory is that of one file. Needs dist/.

const root = fileURLToPath(new URL('..', import.meta.url));
const shapes = Object.entries(SHAPES).flatMap(([who, list]) => Object.keys(list).map((name) => [who, name] as const));

/**
 * Reads a shape with growing counts. Prints what reading takes at most, in bytes beyond three times the file, then the processor time
 * of 16 files of a count and of one of 16 times the count.
 */
const program = (who: string, name: string) => `
  import * as audio from 'lstm-wasm/audio';
  import { ModelError } from 'lstm-wasm';
  import { SHAPES } from './scripts/effect-shapes.mjs';
  const make = SHAPES[${JSON.stringify(who)}][${JSON.stringify(name)}];
  const load = { NAM: audio.loadNam, RTNeural: audio.loadRTNeural, GuitarML: audio.loadGuitarML }[${JSON.stringify(who)}];
  const read = (file) => {
    try {
      load(file).dispose();
      return 'loaded';
    } catch (error) {
      return error instanceof ModelError ? error.code : error.stack;
    }
  };
  // the engine compiles the reader once, whatever the file
  for (const other of [SHAPES.NAM['layers of one unit'], make]) for (let i = 0; i < 3; i++) read(other(2));
  const memory = [120, 500, 1500, 8000].map((count) => {
    const file = make(count);
    const before = process.resourceUsage().maxRSS;
    const outcome = read(file);
    return [count, outcome, 1024 * (process.resourceUsage().maxRSS - before) - 3 * file.length];
  });
  const effort = (file, times) => {
    const start = process.cpuUsage();
    for (let i = 0; i < times; i++) read(file);
    return process.cpuUsage(start).user;
  };
  // 128 LSTMs are loaded; longer lists of other things show more
  const ratios = [8, 60].map((count) => {
    const files = [make(count), make(16 * count)];
    const rounds = Array.from({ length: count === 8 ? 5 : 3 }, () => [effort(files[0], 16), effort(files[1], 1)]);
    const [small, large] = [0, 1].map((i) => rounds.reduce((sum, round) => sum + round[i], 1));
    return large / small;
  });
  console.log(JSON.stringify({ memory, ratios }));
`;

describe.each(shapes)('%s: %s', (who, name) => {
  test('takes memory and effort in proportion to the file', { timeout: 60_000 }, () => {
    const args = ['--max-semi-space-size=1', '--input-type=module', '--eval', program(who, name)];
    const { memory, ratios } = JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }));
    for (const [count, outcome, beyond] of memory) {
      expect(outcome, `${count}`).toMatch(/^[a-z-]+$/);
      expect(beyond, `${count}: ${outcome}`).toBeLessThan(2 ** 23);
    }
    // the same number of bytes: 1 if it is linear, 16 if it is quadratic
    for (const ratio of ratios) expect(ratio).toBeLessThan(4);
  });
});

test('absurd files are refused or played, each soon and in little memory', { timeout: 120_000 }, () => {
  const script = `${root}scripts/absurd-effects.mjs`;
  const args = ['--max-old-space-size=256', script, '1000', '0'];
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const last = stderr.trim().split('\n').slice(-3).join('\n');
  expect({ status, signal, stdout }, last).toEqual({ status: 0, signal: null, stdout: '' });
  // most get past the checks of a file: some play, some are refused for their sizes
  const outcomes = JSON.parse(last.split('\n').at(-1)!);
  expect(outcomes.ran).toBeGreaterThan(200);
  expect(outcomes['too-large']).toBeGreaterThan(20);
});

test('more layers than an LSTM may have are refused, not a RangeError of the LSTM', async () => {
  const { loadNam, ModelError } = await import('lstm-wasm/audio');
  const layers = 10_001;
  const config = { input_size: 1, hidden_size: 1, num_layers: layers };
  const file = { version: '0.5.4', architecture: 'LSTM', config, weights: Array(14 * layers + 2).fill(0) };
  expect(() => loadNam(file)).toThrow(ModelError);
  expect(() => loadNam(file)).toThrow('NAM: "weights" expected at most 10000 layers, got 10001');
});
