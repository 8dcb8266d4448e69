import { ModelError } from '../base/errors.ts';

export const LOAD = 'loadKeras';

/** Throws what is wrong with a Keras model. */
export function refuse(code: string, path: string, text: string, expected: unknown, found: unknown): never {
  throw new ModelError(`keras: ${text}`, { code, path, expected, found });
}
