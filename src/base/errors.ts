export interface ModelErrorDetails {
  /** Stable, machine-readable: part of the API under semantic versioning. */
  readonly code: string;
  /** Where in the file or state dict: a key, a field, a byte offset. */
  readonly path: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/**
 * What is wrong with a model file, a state dict or a saved state. Mistakes in arguments are TypeError (wrong type) and
 * RangeError (wrong value) instead. One class for every entry point.
 */
export class ModelError extends Error {
  override readonly name: string = 'ModelError';
  declare readonly code: string;
  declare readonly path: string;
  declare readonly expected: unknown;
  declare readonly found: unknown;

  constructor(message: string, details: ModelErrorDetails) {
    super(message);
    Object.assign(this, details);
  }
}
