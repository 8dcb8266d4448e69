import { align } from '../memory/arena.ts';
import { Resource } from '../nn/module.ts';
import type { Storage } from './value.ts';

/** A step of a run, bound to its buffers. */
export type Step = () => void;

/** The bytes that the objects of a step take, about. */
const STEP_BYTES = 1024;

/** Linear memory of a plan; freed by dispose(), or when it is collected. */
export class Block extends Resource {
  readonly pointer: number;

  constructor(bytes: number) {
    super('plan');
    this.pointer = this.allocate(bytes);
  }
}

/** Steps that are bound to buffers in a block of their own. */
export class BoundSteps {
  readonly steps: readonly Step[];
  /** Bytes of the block, and about those of the steps. */
  readonly bytes: number;
  private readonly _block: Block;

  constructor(steps: readonly Step[], bytes: number, block: Block) {
    this.steps = steps;
    this.bytes = bytes + STEP_BYTES * steps.length;
    this._block = block;
  }

  run(): void {
    const { steps } = this;
    for (let i = 0; i < steps.length; i++) steps[i]!();
  }

  dispose(): void {
    this._block.dispose();
  }
}

/**
 * Gives buffers offsets in one block: first those of the whole run, one after the other, then each of the others as low as it fits
 * beside those that are in use at the same time.
 */
export function placeBuffers(
  whole: readonly Storage[],
  firsts: readonly (readonly Storage[])[],
): { offsets: Map<Storage, number>; bytes: number } {
  const offsets = new Map<Storage, number>();
  let start = 0;
  for (const root of whole) {
    offsets.set(root, start);
    start += align(root.bytes);
  }
  /** Buffers in use, in order of their offsets. */
  let used: { offset: number; end: number; last: number }[] = [];
  let bytes = start;
  for (const [step, roots] of firsts.entries()) {
    used = used.filter(({ last }) => last >= step);
    for (const root of roots) {
      const size = align(root.bytes);
      let offset = start;
      let i = 0;
      for (; i < used.length && used[i]!.offset - offset < size; i++) offset = used[i]!.end;
      used.splice(i, 0, { offset, end: offset + size, last: root.last });
      offsets.set(root, offset);
      bytes = Math.max(bytes, offset + size);
    }
  }
  return { offsets, bytes };
}
