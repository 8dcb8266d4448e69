import { vi } from 'vitest';
import { allocate, release } from '../../src/memory/arena.ts';

/** Takes all free memory, so that whatever needs more makes memory grow. Gives a function that frees it again. */
export function fillMemory(): () => void {
  const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
    throw new RangeError('no');
  });
  const blocks: number[] = [];
  for (let bytes = 1 << 24; bytes >= 64; ) {
    try {
      blocks.push(allocate(bytes));
    } catch {
      bytes /= 2;
    }
  }
  grow.mockRestore();
  return () => blocks.forEach(release);
}
