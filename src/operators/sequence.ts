import type { Step } from '../graph/block.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import { floats } from '../memory/arena.ts';
import { wholeTiles } from '../memory/layout.ts';
import { copyFloats } from '../memory/rows.ts';
import { RUN_BYTES, Run } from '../memory/structs.ts';
import type { RecurrentWeights } from '../nn/weights.ts';

/** The bytes of the gate sums of a block of steps, about, so that they stay in the L2 cache. */
const BLOCK_BYTES = 1 << 17;

/**
 * Adds the step that runs one layer over padded sequences, where they lie in linear memory.
 * @param x [T][batch][I]
 * @param h0 [D][batch][H], and c0; zeros if left out
 * @param y [T][batch][D][H], written; h and c [D][batch][H], the states after the last step; c has no elements if the cell has none
 */
export function planSequence(
  plan: Builder,
  weights: RecurrentWeights,
  x: Value<Float32Array>,
  h0: Value<Float32Array> | undefined,
  c0: Value<Float32Array> | undefined,
  y: Value<Float32Array>,
  h: Value<Float32Array>,
  c: Value<Float32Array>,
): void {
  const [T, batch] = x.dims as [number, number];
  const rows = T * batch;
  const blockRows = Math.min(Math.max(16, wholeTiles(BLOCK_BYTES, weights.scratchBytes(1))), Math.max(batch, rows));
  const z = plan.scratch(weights.scratchBytes(Math.max(batch, blockRows)) / 4);
  const call = plan.keep(RUN_BYTES);
  const [hCount, cCount] = [h.count, c.count];
  plan.kernel([x, h0, c0], [y, h, c, z, call], (atX, atH0, atC0, atY, atH, atC, atZ, atCall): Step => {
    const run = new Run();
    Object.assign(run, { x: atX, even: atY, odd: atY, h: atH, c: atC, T, batch, rows, z: atZ, blockRows });
    run.write(atCall);
    const { model, sizes } = weights;
    return () => {
      start(atH, atH0, hCount);
      start(atC, atC0, cCount);
      sizes.kind.run(model, atCall, 0, 1);
    };
  });
}

/** Copies an initial state, or zeros. */
function start(pointer: number, from: number, count: number): void {
  if (from) copyFloats(pointer, from, count);
  else floats().fill(0, pointer / 4, pointer / 4 + count);
}
