import { endScratch, floats, integers, scratch } from './arena.ts';
import { numDirections, outputSize } from './parameters.ts';
import { type CallData, callBytes, emptyCall, type Recurrent } from './recurrent.ts';
import { wasm } from './wasm.ts';

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
  /** Row r of the running batch is row `order[r]` of the states; undefined: the same row */
  order: readonly number[] | undefined;
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

export function emptySequence(): Sequence {
  return {
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
}

/** Zeroes or scales `count` floats from index `from` of linear memory. */
export type Dropout = (from: number, count: number) => void;

const call: CallData = emptyCall();

/**
 * Runs `sequence` through `model`; `dropout`, if given, goes over the outputs of every layer but the last.
 * @throws RangeError if linear memory cannot hold the scratch; nothing is changed then
 */
export function runSequence(who: string, model: Recurrent, sequence: Sequence, dropout?: Dropout): void {
  const { inputSize, hiddenSize, numLayers } = model.sizes;
  const { steps, batch, batchSizes } = sequence;
  const directions = numDirections(model.sizes);
  const hidden = outputSize(model.sizes);
  const width = directions * hidden;
  const ownBuffer = wasm().memory.buffer;
  detachFromMemory(sequence, ownBuffer);

  const stepBytes = 4 * batch * (inputSize + Math.min(numLayers, 2) * width);
  const chunkSteps = directions === 2 ? steps : Math.min(steps, Math.max(1, Math.floor(CHUNK_BYTES / stepBytes)));
  const chunkRows = Math.min(chunkSteps * batch, sequence.rows);
  const blockRows = Math.max(16, Math.floor(BLOCK_BYTES / model.stepScratchBytes(1) / 4) * 4);
  const scratchRows = Math.max(batch, Math.min(blockRows, chunkRows));

  const sizesAt = aligned(numLayers * directions * callBytes());
  const xAt = sizesAt + aligned(batchSizes ? 4 * chunkSteps : 0);
  const evenAt = xAt + aligned(4 * chunkRows * inputSize);
  const oddAt = evenAt + aligned(4 * chunkRows * width);
  const hAt = oddAt + (numLayers > 1 ? aligned(4 * chunkRows * width) : 0);
  const hCount = numLayers * directions * batch * hidden;
  const cAt = hAt + (sequence.h ? 0 : aligned(4 * hCount));
  const cCount = numLayers * directions * batch * hiddenSize;
  const zAt = cAt + (sequence.c ? 0 : aligned(4 * cCount));
  const base = scratch(zAt + model.stepScratchBytes(scratchRows));
  checkAttached(who, sequence, sequence.rows * width, sequence.h ? 0 : hCount, sequence.c ? 0 : cCount);

  const h = sequence.h || base + hAt;
  const c = sequence.c || base + cAt;
  if (!sequence.h) {
    loadState(h, sequence.h0, hidden, batch, hCount, sequence.order);
    loadState(c, sequence.c0, hiddenSize, batch, cCount, sequence.order);
  }
  if (chunkSteps < steps && sequence.input.buffer === sequence.output.buffer) sequence.input = sequence.input.slice();

  model.placeScratch(call, base + zAt, Math.min(blockRows, scratchRows), batch);
  call.batch = batch;
  call.batchSizes = batchSizes ? base + sizesAt : 0;
  const run = wasm().lstm_run;
  let row = 0;
  for (let step = 0; row < sequence.rows; step += call.steps) {
    call.steps = Math.min(chunkSteps, steps - step);
    call.rows = batchSizes ? writeSizes(base + sizesAt, batchSizes, step, call.steps) : call.steps * batch;
    copyIn(sequence, base + xAt, row, step, call.steps, call.rows, inputSize);
    let k = 0;
    for (let layer = 0; layer < numLayers; layer++) {
      const y = base + (layer & 1 ? oddAt : evenAt);
      call.x = layer === 0 ? base + xAt : base + (layer & 1 ? evenAt : oddAt);
      call.xStride = 4 * (layer === 0 ? inputSize : width);
      call.yStride = 4 * width;
      for (let direction = 0; direction < directions; direction++, k++) {
        call.y = y + 4 * direction * hidden;
        call.h = h + 4 * k * batch * hidden;
        call.c = c + 4 * k * batch * hiddenSize;
        model.writeCall(base + k * callBytes(), k, call);
      }
      if (dropout && layer < numLayers - 1) {
        run(base + (k - directions) * callBytes(), directions);
        dropout(y / 4, call.rows * width);
      }
    }
    if (dropout) run(base + (k - directions) * callBytes(), directions);
    else run(base, k);
    copyOut(sequence, base + ((numLayers - 1) & 1 ? oddAt : evenAt), row, step, call.steps, call.rows, width);
    row += call.rows;
  }
  if (!sequence.h) {
    storeState(sequence.hn, h, hidden, batch, hCount, sequence.order);
    storeState(sequence.cn, c, hiddenSize, batch, cCount, sequence.order);
  }
  endScratch();
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** Input that lies in linear memory itself, such as a stream's output, would vanish when memory grows. */
function detachFromMemory(sequence: Sequence, memory: ArrayBufferLike): void {
  if (sequence.input.buffer === memory) sequence.input = sequence.input.slice();
  if (sequence.h0?.buffer === memory) sequence.h0 = sequence.h0.slice();
  if (sequence.c0?.buffer === memory) sequence.c0 = sequence.c0.slice();
}

/** Results that lie in linear memory have vanished if it has just grown. */
function checkAttached(who: string, { output, hn, cn }: Sequence, count: number, hCount: number, cCount: number): void {
  if (output.length !== count || hn.length !== hCount || cn.length !== cCount) {
    throw new TypeError(`${who}: "out" expected memory of its own, got a view of linear memory, which has just grown`);
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

function loadState(
  pointer: number,
  state: Float32Array | undefined,
  size: number,
  batch: number,
  count: number,
  order: readonly number[] | undefined,
): void {
  const memory = floats();
  const at = pointer / 4;
  if (!state) memory.fill(0, at, at + count);
  else if (!order) memory.set(state, at);
  else {
    for (let row = 0, i = at; i < at + count; row++) {
      const from = (row - (row % batch) + order[row % batch]!) * size;
      for (let unit = 0; unit < size; unit++) memory[i++] = state[from + unit]!;
    }
  }
}

function storeState(
  state: Float32Array,
  pointer: number,
  size: number,
  batch: number,
  count: number,
  order: readonly number[] | undefined,
): void {
  const memory = floats();
  const at = pointer / 4;
  for (let row = 0, i = at; i < at + count; row++) {
    const to = (order ? row - (row % batch) + order[row % batch]! : row) * size;
    for (let unit = 0; unit < size; unit++) state[to + unit] = memory[i++]!;
  }
}

function copyIn(
  { input, batch, batchFirst, steps: allSteps }: Sequence,
  pointer: number,
  row: number,
  step: number,
  steps: number,
  rows: number,
  size: number,
): void {
  const memory = floats();
  let at = pointer / 4;
  if (!batchFirst || batch === 1) {
    const count = rows * size;
    memory.set(count === input.length ? input : input.subarray(row * size, row * size + count), at);
    return;
  }
  for (let t = step; t < step + steps; t++) {
    for (let b = 0; b < batch; b++) {
      const from = (b * allSteps + t) * size;
      for (let i = 0; i < size; i++) memory[at++] = input[from + i]!;
    }
  }
}

// Loops, not set(subarray()): an output in a given tensor is to make no garbage.
function copyOut(
  { output, batch, batchFirst, steps: allSteps }: Sequence,
  pointer: number,
  row: number,
  step: number,
  steps: number,
  rows: number,
  size: number,
): void {
  const memory = floats();
  let at = pointer / 4;
  if (!batchFirst || batch === 1) {
    for (let to = row * size; to < (row + rows) * size; to++) output[to] = memory[at++]!;
    return;
  }
  for (let t = step; t < step + steps; t++) {
    for (let b = 0; b < batch; b++) {
      const to = (b * allSteps + t) * size;
      for (let i = 0; i < size; i++) output[to + i] = memory[at++]!;
    }
  }
}
