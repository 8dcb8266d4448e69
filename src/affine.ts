import { endScratch, scratch } from './arena.ts';
import { type Form, panelBytes, quantizedBytes } from './pack.ts';

/** Bytes of inputs, sums and outputs of the rows that go through the kernel at once. */
const CHUNK_BYTES = 1 << 18;

/**
 * Calls `run` for `rows` rows in chunks that stay in the cache, with places in scratch: x [count][inFeatures],
 * y [count][outFeatures], and z for the kernel `linear`.
 */
export function inChunks(
  form: Form,
  inFeatures: number,
  outFeatures: number,
  rows: number,
  run: (first: number, count: number, x: number, y: number, z: number) => void,
): void {
  const zBytes = panelBytes(outFeatures, 1) + quantizedBytes(inFeatures, form);
  const rowBytes = 4 * (inFeatures + outFeatures) + zBytes;
  const chunk = Math.min(rows, Math.max(4, Math.floor(CHUNK_BYTES / rowBytes) & ~3));
  const z = scratch(chunk * rowBytes);
  const x = z + chunk * zBytes;
  const y = x + 4 * chunk * inFeatures;
  for (let first = 0; first < rows; first += chunk) run(first, Math.min(chunk, rows - first), x, y, z);
  endScratch();
}
