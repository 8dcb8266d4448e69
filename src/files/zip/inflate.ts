import { Inflate } from 'fflate/browser';
import { ModelError } from '../../base/errors.ts';
import { describe } from '../../base/tensor.ts';

/** Throws what is wrong with a file. */
export type Refuse = (code: string, path: string, text: string, expected: unknown, found: unknown) => never;

/** Bytes that go in at once: at most 1,032 times as many come out before they can be counted. */
const PIECE = 2048;

/** The `size` bytes that a deflated entry stands for. Stops as soon as there are more. */
export function inflate(zipped: Uint8Array, size: number, name: string, refuse: Refuse): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let reached = 0;
  const wrongSize = (found: string): never => {
    refuse('size-mismatch', name, `${describe(name)} should inflate to ${size} bytes, it gives ${found}`, size, found);
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
    refuse('invalid-deflate', name, `${describe(name)} cannot be inflated: ${reason}`, 'deflate data', reason);
  }
  if (reached !== size) wrongSize(`${reached}`);
  return bytes;
}
