// Examples that need a server: found on this machine, or the tests are skipped by name, and fail with CI=true.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject, type TestContext } from 'vitest';
import { importExample, root } from './examples.ts';

export { importExample, root };

/** Skips the test where `found` is false; with CI=true that is an error. */
export function needServer(context: TestContext, name: string, found: boolean): void {
  if (found) return;
  if (inject('ci')) throw new Error(`with CI=true ${name} must be there`);
  context.skip(`${name} is not on this machine`);
}

/** Whether a program of this name starts. */
export const isInstalled = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** A folder in the repository's build/ that is removed by the function given back. */
export function temporary(name: string): [path: string, remove: () => void] {
  mkdirSync(join(root, 'build'), { recursive: true });
  const path = mkdtempSync(join(root, 'build', `${name}-`));
  return [path, () => rmSync(path, { recursive: true, force: true })];
}

export const readModel = () => readFile(join(root, 'node_modules/@ricky0123/vad-web/dist/silero_vad_v6.onnx'));

/** Numbers from 0 to 1 that a seed decides. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
