import { Inflate } from 'fflate/browser';
import { ModelError, type Refuse } from '../../base/errors.ts';
import { describe } from '../../base/tensor.ts';

/** Bytes that go in at once. Deflate expands at most 1,032 times, which bounds what comes out before it can be counted. */
const PIECE = 2048;

/**
 * Inflates a deflated entry to `size` bytes. Stops as soon as there are more.
 * @throws ModelError by `refuse`, with `name` as its path
 */
export function inflate(zipped: Uint8Array, size: number, name: string, refuse: Refuse): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let reached = 0;
  const wrongSize = (found: string): never => {
    refuse('size-mismatch', name, `the bytes of ${describe(name)}, inflated,`, size, found);
  };
  const inflater = new Inflate((part) => {
    if (reached + part.length > size) wrongSize('more');
    bytes.set(part, reached);
    reached += part.length;
  });
  try {
    for (let at = 0; at === 0 || at < zipped.length; at += PIECE) {
      inflater.push(zipped.subarray(at, at + PIECE), at + PIECE >= zipped.length);
    }
  } catch (error) {
    if (error instanceof ModelError) throw error;
    const reason = error instanceof Error ? error.message : 'broken';
    refuse.because('invalid-deflate', name, `${describe(name)} cannot be inflated: ${reason}`, 'deflate data', reason);
  }
  if (reached !== size) wrongSize(`${reached}`);
  return bytes;
}
