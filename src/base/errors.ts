import { describe, shorten } from './tensor.ts';

/** The facts of a ModelError, for code that reacts to it. */
export interface ModelErrorDetails {
  /** Stable, machine-readable: part of the API under semantic versioning. */
  readonly code: string;
  /** Where in the file or state dict: a key, a field, a byte offset. */
  readonly path: string;
  /** A value, or words for a range of values. */
  readonly expected: unknown;
  /** A value, or words for it; undefined if there is nothing at `path`. */
  readonly found: unknown;
}

/**
 * Thrown for a model file, a state dict or a saved state that is wrong. Mistakes in arguments are TypeError (wrong type) and
 * RangeError (wrong value) instead. Every entry point throws this one class.
 * @example
 * ```js
 * import { ModelError, parseSafetensors } from 'lstm-wasm/safetensors';
 *
 * try {
 *   parseSafetensors(new Uint8Array(3)); // too short for a file
 * } catch (error) {
 *   if (!(error instanceof ModelError)) throw error;
 *   console.log(error.code, error.path, error.expected, error.found); // truncated byte 0 8 3
 * }
 * ```
 */
export class ModelError extends Error {
  override readonly name: string = 'ModelError';
  /** Stable, machine-readable: part of the API under semantic versioning. */
  declare readonly code: string;
  /** Where in the file or state dict: a key, a field, a byte offset. */
  declare readonly path: string;
  /** A value, or words for a range of values. */
  declare readonly expected: unknown;
  /** A value, or words for it; undefined if there is nothing at `path`. */
  declare readonly found: unknown;

  constructor(message: string, details: ModelErrorDetails) {
    super(shorten(message));
    Object.assign(this, details);
  }
}

/**
 * Throws `who: what expected X, got Y`.
 * @param what the name of the thing in the message, which may say more than `path`
 * @param note the rest of the message: a byte offset, a hint
 */
type RefuseValue = (
  code: string,
  path: string,
  what: string,
  expected: unknown,
  found: unknown,
  note?: string,
) => never;

/** Throws `who: reason`, where `expected` and `found` alone do not tell what is wrong. */
type RefuseBecause = (code: string, path: string, reason: string, expected: unknown, found: unknown) => never;

/** Throws the ModelErrors of one reader; `expected` and `found` are their details too. */
export type Refuse = RefuseValue & { readonly because: RefuseBecause };

/** Makes the `refuse` of a reader, whose messages begin with `who`. */
export function refuseAs(who: string): Refuse {
  const because: RefuseBecause = (code, path, reason, expected, found) => {
    throw new ModelError(`${who}: ${reason}`, { code, path, expected, found });
  };
  const refuse: RefuseValue = (code, path, what, expected, found, note = '') => {
    return because(code, path, `${what} expected ${show(expected)}, got ${show(found)}${note}`, expected, found);
  };
  return Object.assign(refuse, { because });
}

const LONG = 400;

/** Shows words as they are; a string from a file is shortened, its control characters escaped. */
function show(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' && value.length <= LONG && !/\p{Cc}/u.test(value) ? value : describe(value);
}
