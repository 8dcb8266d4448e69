import { inject, type TestContext } from 'vitest';
import { compile } from '../../src/memory/compile.ts';
import { embeddedInt8 } from '../../src/memory/embedded.ts';

/**
 * Skips the test by name where the engine lacks something it needs. With CI=true that is an error in the browser, which has all
 * of it: so every test runs in one of the two.
 */
export function need(context: TestContext, what: string, has: boolean): void {
  if (has) return;
  if (inject('ci') && typeof window !== 'undefined') throw new Error(`with CI=true the browser must have ${what}`);
  context.skip(`this engine lacks ${what}`);
}

/** Whether the engine has relaxed SIMD: Node 20 has not. */
export function hasRelaxedSimd(): boolean {
  try {
    compile(embeddedInt8, '');
    return true;
  } catch {
    return false;
  }
}

/** Skips the test by name where an engine of its own is missing; with CI=true that is an error. */
export function needEngine(
  context: TestContext,
  name: string,
  path: unknown,
  advice = 'none in the usual places',
): void {
  if (path !== undefined) return;
  if (inject('ci')) throw new Error(`with CI=true there must be ${name}: ${advice}`);
  context.skip(`SKIPPED ${name}: ${advice}`);
}
