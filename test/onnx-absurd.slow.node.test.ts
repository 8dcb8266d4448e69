import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// Valid but absurd models, in a process of its own with little memory: a crash of it is seen as one. Needs dist/.

const script = fileURLToPath(new URL('../scripts/absurd-onnx.mjs', import.meta.url));

test('absurd models are refused or run, each soon and in little memory', { timeout: 120_000 }, () => {
  const { stdout, stderr, status, signal } = spawnSync(
    process.execPath,
    ['--max-old-space-size=256', script, '800', '0'],
    { encoding: 'utf8' },
  );
  const last = stderr.trim().split('\n').slice(-3).join('\n');
  expect({ status, signal, stdout }, last).toEqual({ status: 0, signal: null, stdout: '' });
  // most get past the checks of a file: some run, some are refused for their sizes
  const outcomes = JSON.parse(last.split('\n').at(-1)!);
  expect(outcomes.ran).toBeGreaterThan(100);
  expect(outcomes['too-large']).toBeGreaterThan(20);
});
