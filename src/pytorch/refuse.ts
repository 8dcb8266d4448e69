import { ModelError } from '../base/errors.ts';

export const READ = 'parseCheckpoint';

/** Throws what is wrong with a checkpoint. */
export function refuse(code: string, path: string, text: string, expected: unknown, found: unknown): never {
  throw new ModelError(`pytorch: ${text}`, { code, path, expected, found });
}
