// The built command as a process. dist/ must have been built.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const COMMAND = join(root, 'dist/cli/main.js');
export const fixture = (name: string) => join(root, 'test/fixtures', name);

interface Call {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs `lstm-wasm`; what it prints is not a terminal's. */
export function call(args: readonly string[], { input = '', env = {}, cwd }: Call = {}) {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/COLOR|COLUMNS|^CI$/.test(name)));
  const options = { input, env: { ...own, ...env }, cwd: cwd ?? root, maxBuffer: 1 << 28 };
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], options);
  return { status, bytes: stdout, stdout: String(stdout), stderr: String(stderr) };
}

/** Runs a call that succeeds, and gives what it prints. */
export function succeed(args: readonly string[], options?: Call): string {
  const { status, stdout, stderr } = call(args, options);
  expect({ status, stderr }, args.join(' ')).toEqual({ status: 0, stderr: '' });
  return stdout;
}

/** Expects a call to end with a status and one line on standard error, without escape codes and without a stack. */
export function refuse(args: readonly string[], status: 1 | 2, message: RegExp, options?: Call): void {
  const result = call(args, options);
  expect({ status: result.status, args }).toEqual({ status, args });
  expect(result.stderr).toMatch(/^lstm-wasm: [\x20-\x7e\u00b5\u2026]+\n$/);
  expect(result.stderr).not.toMatch(/\bat .*:\d+:\d+|node:internal|undefined|\[object/);
  expect(result.stderr).toMatch(message);
}

/** A folder for the tests of a file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
