import { align, endScratch, floats, integers, outside, scratch, view } from '../memory/arena.ts';
import { wasm } from '../memory/wasm.ts';
import type { Recurrent } from './recurrent.ts';

// A sequence through all layers. Input and output pass through scratch in linear memory in chunks of steps; inside a chunk
// one call into wasm runs all layers and directions. A bidirectional module needs its whole sequence as one chunk.

/** What a chunk's input and outputs aim at, and the gate sums of a block in the kernels: both stay in the L2 cache. */
const CHUNK_BYTES = 1 << 18;
const BLOCK_BYTES = 1 << 17;

/** One sequence, checked. A module keeps and refills its own, so that running makes no garbage. */
export interface Sequence {
  /** [steps][batch][I], or [batch][steps][I] if `batchFirst`, or packed rows if `batchSizes`; and the output alike */
  input: Float32Array;
  output: Float32Array;
  steps: number;
  batch: number;
  /** steps times batch, or the sum of batchSizes */
  rows: number;
  batchFirst: boolean;
  batchSizes: readonly number[] | undefined;
  /** Row r of the running batch is row `order[r]` of the states; null or undefined: the same row */
  order: readonly number[] | null | undefined;
  /** States in linear memory, [L·D][batch][Ho] and [L·D][batch][H], to go on from and to update; or 0 ... */
  h: number;
  c: number;
  /** ... and then these: zeros where undefined, and where the last states go */
  h0: Float32Array | undefined;
  c0: Float32Array | undefined;
  hn: Float32Array;
  cn: Float32Array;
}

const nothing = new Float32Array(0);
const empty: Sequence = {
  input: nothing,
  output: nothing,
  steps: 0,
  batch: 0,
  rows: 0,
  batchFirst: false,
  batchSizes: undefined,
  order: undefined,
  h: 0,
  c: 0,
  h0: undefined,
  c0: undefined,
  hn: nothing,
  cn: nothing,
};

export function emptySequence(): Sequence {
  return { ...empty };
}

/** The input of a sequence and how its rows lie; its states and outputs are set apart. */
export function setInput(
  sequence: Sequence,
  input: Float32Array,
  steps: number,
  batch: number,
  rows: number,
  batchFirst = false,
  batchSizes?: readonly number[],
  order?: readonly number[] | null,
): void {
  sequence.input = input;
  sequence.steps = steps;
  sequence.batch = batch;
  sequence.rows = rows;
  sequence.batchFirst = batchFirst;
  sequence.batchSizes = batchSizes;
  sequence.order = order;
}

/** Zeroes or scales `count` floats at `pointer`. */
export type Dropout = (pointer: number, count: number) => void;

/**
 * Runs `sequence` through `model`; `dropout`, if given, goes over the outputs of every layer but the last.
 * @throws RangeError if linear memory cannot hold the scratch; nothing is changed then
 */
export function runSequence(who: string, model: Recurrent, sequence: Sequence, dropout?: Dropout): void {
  const { inputSize, hiddenSize, outputSize, numLayers, directions } = model.sizes;
  const { steps, batch, batchFirst, batchSizes, order } = sequence;
  const width = directions * outputSize;
  sequence.input = outside(sequence.input);
  sequence.h0 &&= outside(sequence.h0);
  sequence.c0 &&= outside(sequence.c0);

  const stepBytes = 4 * batch * (inputSize + Math.min(numLayers, 2) * width);
  const chunkSteps = directions === 2 ? steps : Math.min(steps, Math.max(1, Math.floor(CHUNK_BYTES / stepBytes)));
  const chunkRows = Math.min(chunkSteps * batch, sequence.rows);
  const cachedRows = Math.max(16, Math.floor(BLOCK_BYTES / model.scratchBytes(1) / 4) * 4);
  const blockRows = Math.min(cachedRows, Math.max(batch, chunkRows));
  const stateRows = numLayers * directions * batch;
  const hCount = sequence.h ? 0 : stateRows * outputSize;
  const cCount = sequence.c ? 0 : stateRows * hiddenSize;

  const zBytes = align(model.scratchBytes(Math.max(batch, blockRows)));
  const outBytes = align(4 * chunkRows * width);
  const z = scratch(
    zBytes +
      align(4 * chunkRows * inputSize) +
      Math.min(numLayers, 2) * outBytes +
      align(4 * hCount) +
      align(4 * cCount) +
      (batchSizes ? 4 * chunkSteps : 0),
  );
  checkAttached(who, sequence, sequence.rows * width, hCount, cCount);
  const x = z + zBytes;
  const even = x + align(4 * chunkRows * inputSize);
  const odd = numLayers > 1 ? even + outBytes : even;
  const h = sequence.h || odd + outBytes;
  const c = sequence.c || h + align(4 * hCount);
  const sizes = batchSizes ? c + align(4 * cCount) : 0;

  if (hCount) moveState(true, h, sequence.h0, outputSize, stateRows, batch, order);
  if (cCount) moveState(true, c, sequence.c0, hiddenSize, stateRows, batch, order);
  if (chunkSteps < steps && sequence.input.buffer === sequence.output.buffer) sequence.input = sequence.input.slice();
  // outside, the rows of a step follow each other, or lie as many steps apart
  const group = batchFirst ? batch : 1;
  const stride = batchFirst ? steps : 1;
  // dropout comes between the layers; without it all of them are one call
  const layers = dropout ? 1 : numLayers;
  let row = 0;
  for (let step = 0; row < sequence.rows; step += chunkSteps) {
    const count = Math.min(chunkSteps, steps - step);
    const rows = batchSizes ? writeSizes(sizes, batchSizes, step, count) : count * batch;
    const first = batchFirst ? step : row;
    moveRows(true, x, sequence.input, inputSize, rows, group, first, 1, stride);
    for (let from = 0; from < numLayers; from += layers) {
      const to = from + layers;
      wasm().lstm_run(model.model, from, to, x, even, odd, h, c, count, batch, sizes, rows, z, blockRows);
      if (to < numLayers) dropout?.(from & 1 ? odd : even, rows * width);
    }
    moveRows(false, numLayers & 1 ? even : odd, sequence.output, width, rows, group, first, 1, stride);
    row += rows;
  }
  if (hCount) moveState(false, h, sequence.hn, outputSize, stateRows, batch, order);
  if (cCount) moveState(false, c, sequence.cn, hiddenSize, stateRows, batch, order);
  // the caller's arrays are not to be kept alive until the next call
  Object.assign(sequence, empty);
  endScratch();
}

/** Results that lie in linear memory have vanished if it has just grown. */
function checkAttached(who: string, { output, hn, cn }: Sequence, count: number, hCount: number, cCount: number): void {
  if (output.length !== count || hn.length !== hCount || cn.length !== cCount) {
    throw new TypeError(`${who}: "out" expected memory of its own, got a view of linear memory, which has grown`);
  }
}

function writeSizes(pointer: number, batchSizes: readonly number[], step: number, steps: number): number {
  const memory = integers();
  let rows = 0;
  for (let i = 0; i < steps; i++) {
    const size = batchSizes[step + i]!;
    memory[pointer / 4 + i] = size;
    rows += size;
  }
  return rows;
}

/** States keep the order of their rows; `undefined` stands for zeros. */
function moveState(
  into: boolean,
  pointer: number,
  state: Float32Array | undefined,
  size: number,
  rows: number,
  batch: number,
  order: readonly number[] | null | undefined,
): void {
  if (state) moveRows(into, pointer, state, size, rows, batch, 0, batch, 1, order);
  else floats().fill(0, pointer / 4, pointer / 4 + rows * size);
}

/**
 * Moves rows between linear memory, where they follow each other, and an array outside: row g * batch + b there is row
 * first + g * groupStride + b * rowStride here, or with `order` order[b] in place of b. Without new views on the way out: an
 * output into given tensors is to make no garbage.
 */
function moveRows(
  into: boolean,
  pointer: number,
  array: Float32Array,
  size: number,
  rows: number,
  batch: number,
  first: number,
  groupStride: number,
  rowStride: number,
  order?: readonly number[] | null,
): void {
  const memory = floats();
  let at = pointer / 4;
  if (!order && rowStride === 1 && groupStride === batch) {
    const count = rows * size;
    if (!into) array.set(view(pointer, count), first * size);
    else memory.set(count === array.length ? array : array.subarray(first * size, first * size + count), at);
    return;
  }
  for (let group = first; rows > 0; group += groupStride) {
    for (let b = 0; b < batch; b++, rows--) {
      let i = (group + (order ? order[b]! : b) * rowStride) * size;
      for (const end = at + size; at < end; at++, i++) {
        if (into) memory[at] = array[i]!;
        else array[i] = memory[at]!;
      }
    }
  }
}
