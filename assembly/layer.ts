// docs/kernels.md#a-call
import { Direction, Model, output_size, output_stride, Run } from './model';
import { float_bytes } from './panels';

/** Counts the rows of the s-th step in the order of computation. */
function rows_of(run: Run, reverse: bool, s: i32): i32 {
  if (!run.batchSizes) return run.batch;
  return load<i32>(run.batchSizes + ((<usize>(reverse ? run.T - 1 - s : s)) << 2));
}

/**
 * Runs one layer in one direction, block by block: first one product gives the input sums of all steps of the block, then each
 * step follows. A block has the steps that fit in blockRows rows, but at least one. x [rows][inputSize]; y [rows], output_stride
 * apart; h [B][Ho] and c [B][H]
 */
function run_layer<M extends Model>(
  model: M,
  direction: Direction,
  run: Run,
  x: usize,
  y: usize,
  h: usize,
  c: usize,
  reverse: bool,
): void {
  const yStride = output_stride(model);
  const input = direction.input;
  const zStride = input.zStride;
  const scratch = run.z + <usize>max(run.blockRows, run.batch) * zStride;
  input.z = run.z;
  input.scratch = scratch;
  direction.recurrent.x = h;
  direction.recurrent.scratch = scratch;
  let done = 0;
  let row = reverse ? run.rows : 0;
  while (done < run.T) {
    const first = done;
    let block = 0;
    while (done < run.T) {
      const n = rows_of(run, reverse, done);
      if (done > first && block + n > run.blockRows) break;
      block += n;
      ++done;
    }
    if (reverse) row -= block;
    input.x = x + <usize>row * input.xStride;
    input.rows = block;
    model.multiply(input);
    let r = reverse ? block : 0;
    for (let s = first; s < done; ++s) {
      const n = rows_of(run, reverse, s);
      if (reverse) r -= n;
      model.step(direction, run.z + <usize>r * zStride, h, c, y + <usize>(row + r) * yStride, n, scratch);
      if (!reverse) r += n;
    }
    if (!reverse) row += block;
  }
}

/**
 * Runs layers `from` to `to` - 1 over all steps of `run`, each in all directions. M is a class of Model with the kind of its cells:
 * step(), and multiply() as its module has it.
 */
export function run_layers<M extends Model>(model: M, run: Run, from: i32, to: i32): void {
  const D = model.directions;
  const hBytes = <usize>run.batch * float_bytes(output_size(model));
  const cBytes = <usize>run.batch * float_bytes(model.hiddenSize);
  for (let layer = from; layer < to; ++layer) {
    const x = layer === 0 ? run.x : layer & 1 ? run.even : run.odd;
    const y = layer & 1 ? run.odd : run.even;
    for (let direction = 0; direction < D; ++direction) {
      const k = <usize>(layer * D + direction);
      run_layer<M>(
        model,
        Direction.of(model, k),
        run,
        x,
        y + <usize>direction * float_bytes(output_size(model)),
        run.h + k * hBytes,
        run.c + k * cBytes,
        direction === 1,
      );
    }
  }
}
