// The API reference: typedoc reads every door and document without a warning. `npm run docs` writes it, and looks at its links.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DOORS } from '../scripts/docs/doors.mjs';
import { root } from './support/programs.ts';

test('every source of a door is a module, under the name by which it is imported', () => {
  const sources = readdirSync(join(root, 'src')).filter((name) => name.endsWith('.ts'));
  expect([...DOORS.keys()].map((source) => `${source}.ts`).sort()).toEqual(sources.sort());
  expect(DOORS.get('index')!.name).toBe('lstm-wasm');
  expect(DOORS.get('worklet-processor')!.name).toBe('lstm-wasm/worklet-processor.js');
});

test('types, links and documents give no warning', { timeout: 300_000 }, () => {
  const typedoc = join(root, 'node_modules/typedoc/bin/typedoc');
  const args = [typedoc, '--options', 'scripts/docs/typedoc.mjs', '--emit', 'none', '--logLevel', 'Warn'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});
