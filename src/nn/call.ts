import {
  endReading,
  formatDims,
  type Reading,
  readTensor,
  sameDims,
  type TensorLike,
  wrongValue,
} from '../base/tensor.ts';
import type { LSTMSizes } from '../memory/parameters.ts';
import { newPacking, type PackedSequence, readPacked } from './packed-sequence.ts';
import { Sequence } from './sequence.ts';

/** The input of a call as it was read, and the dims of its results. A module keeps and refills one, so that calls make no garbage. */
export class Call {
  readonly sequence: Sequence;
  readonly output: number[] = [];
  readonly h: number[] = [];
  readonly c: number[] = [];
  /** Whether the input is a PackedSequence */
  isPacked = false;
  private readonly _packing = newPacking();

  constructor(sequence = new Sequence()) {
    this.sequence = sequence;
  }

  /** Reads an input: of a whole sequence, or of one step if the module is a cell. */
  read(who: string, sizes: LSTMSizes, batchFirst: boolean, input: unknown): void {
    this.isPacked = !sizes.cell && 'batchSizes' in Object(input);
    if (this.isPacked) this._readPacked(who, sizes, input);
    else this._readTensor(who, sizes, batchFirst, input);
  }

  private _readTensor(who: string, sizes: LSTMSizes, isFirst: boolean, input: unknown): void {
    const { cell, inputSize } = sizes;
    const reading = readTensor(who, 'input', input);
    const { dims } = reading;
    // a cell's input is that of a sequence without the dimension of steps
    const rank = cell ? dims.length + 1 : dims.length;
    const batched = rank === 3;
    if ((!batched && rank !== 2) || dims[dims.length - 1] !== inputSize) {
      const shape = cell ? '[B, ' : isFirst ? '[B, T, ' : '[T, B, ';
      throw wrongValue(who, 'input', `${shape}${inputSize}] or [${cell ? '' : 'T, '}${inputSize}]`, dims);
    }
    const batchFirst = batched && isFirst;
    const steps = cell ? 1 : dims[batchFirst ? 1 : 0]!;
    const batch = batched ? dims[cell || batchFirst ? 0 : 1]! : 1;
    if (steps === 0) throw wrongValue(who, 'input', 'at least one step', dims);
    if (steps * batch > 2 ** 31 - 1) throw wrongValue(who, 'input', 'fewer than 2^31 steps in all', dims);
    this.sequence.input(reading.data, steps, batch, batchFirst);
    this._setDims(sizes, reading, batched);
  }

  private _readPacked(who: string, sizes: LSTMSizes, input: unknown): void {
    const reading = readPacked(who, input, this._packing);
    const { dims } = reading;
    const rows = dims[0]!;
    if (dims.length !== 2 || dims[1] !== sizes.inputSize) {
      throw wrongValue(who, 'input.data', formatDims([rows, sizes.inputSize]), dims);
    }
    const { batchSizes, sortedIndices } = this._packing;
    this.sequence.packed(reading.data, rows, batchSizes, sortedIndices.length ? sortedIndices : null);
    this._setDims(sizes, reading, true);
  }

  /** Sets the dims of the results for the input that was read. */
  private _setDims(sizes: LSTMSizes, reading: Reading, batched: boolean): void {
    const { cell, directions, outputSize, cellSize, numLayers } = sizes;
    const { output, h, c } = this;
    const { dims } = reading;
    const rank = dims.length;
    output.length = rank;
    for (let i = 0; i < rank; i++) output[i] = dims[i]!;
    output[rank - 1] = directions * outputSize;
    let at = 0;
    if (!cell) h[at] = c[at++] = numLayers * directions;
    if (batched) h[at] = c[at++] = this.sequence.batch;
    h.length = c.length = at + 1;
    h[at] = outputSize;
    c[at] = cellSize;
    endReading(reading);
  }

  /** Makes of a tensor what the input is, a PackedSequence or a tensor. */
  like(data: TensorLike): TensorLike | PackedSequence {
    if (!this.isPacked) return data;
    const { batchSizes, sortedIndices, unsortedIndices } = this._packing;
    const order = (indices: readonly number[]) => (indices.length ? [...indices] : null);
    return {
      data,
      batchSizes: [...batchSizes],
      sortedIndices: order(sortedIndices),
      unsortedIndices: order(unsortedIndices),
    };
  }

  /** Gives the tensor of an output, whose packing must be that of the input. @throws TypeError */
  tensorOf(who: string, target: TensorLike | PackedSequence | undefined): unknown {
    if (!this.isPacked) return target;
    const { batchSizes, sortedIndices } = this._packing;
    const packed = target as PackedSequence | undefined;
    if (
      !sameDims(packed?.batchSizes, batchSizes) ||
      !sameDims(packed?.sortedIndices, sortedIndices.length ? sortedIndices : null)
    ) {
      throw new TypeError(`${who}: "out.output" expected the packing of the input`);
    }
    return packed!.data;
  }
}
