import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// Valid but absurd files of weights, in a process of its own with little memory: a crash of it is seen as one. Needs dist/.

const script = fileURLToPath(new URL('../scripts/absurd-weights.mjs', import.meta.url));

test('absurd files of weights are read right or refused for their size, each soon and in little memory', {
  timeout: 120_000,
}, () => {
  const args = ['--max-old-space-size=256', script, '600', '0'];
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const last = stderr.trim().split('\n').slice(-3).join('\n');
  expect({ status, signal, stdout }, last).toEqual({ status: 0, signal: null, stdout: '' });
  const outcomes = JSON.parse(last.split('\n').at(-1)!);
  for (const what of ['a checkpoint', 'safetensors', 'safetensors in shards']) {
    expect(outcomes[`${what} read`], what).toBeGreaterThan(100);
  }
  expect(outcomes['a checkpoint too-large']).toBeGreaterThan(5);
});
