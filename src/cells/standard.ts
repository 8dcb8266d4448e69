import type { TensorLike } from '../base/tensor.ts';
import { gruKernels } from '../gru/kernels.ts';
import { GRU_CELL, RELU_CELL, TANH_CELL } from '../gru/kinds.ts';
import { FLOAT32 } from '../memory/abi.ts';
import { type CellKind, LSTM_CELL } from '../memory/cell-kind.ts';
import { int8Form, quantizeMatrix } from '../memory/int8.ts';
import { LSTMWeights, lstmScratchBytes } from '../memory/lstm-weights.ts';
import { type Form, readParameter, writeParameter } from '../memory/pack.ts';
import { type LSTMSizes, lstmSizes } from '../memory/parameters.ts';
import { Resource } from '../nn/module.ts';
import { Sequence } from '../nn/sequence.ts';
import { TracedSequence } from '../nn/trace.ts';
import type { RecurrentWeights } from '../nn/weights.ts';
import { KINDS } from './activation-kinds.ts';
import { CELLS, type CellOptions, type CellResult, type Cells, type PaddedBatch } from './cells.ts';
import { packRows } from './pack-rows.ts';

/** PyTorch's cells: the weights of an nn.LSTM, GRU or RNN of one layer, run by its kernels. */
export class StandardCells extends Resource implements Cells, RecurrentWeights {
  readonly sizes: LSTMSizes;
  readonly model: number;
  readonly stepScratch: number;
  private readonly _form: Form;
  private readonly _weights: LSTMWeights;
  private readonly _batchFirst: boolean;

  /** @throws ModelError if a weight to quantize is NaN or infinite; RangeError if memory cannot grow */
  constructor(options: CellOptions) {
    super(options.cell ?? 'LSTM');
    const { I, H, directions, batchFirst, int8 } = options;
    const kind = kindOf(options);
    // before memory is allocated, since compiling the kernels may be forbidden
    if (kind !== LSTM_CELL) gruKernels();
    this._batchFirst = batchFirst ?? false;
    this._form = int8 ? int8Form() : FLOAT32;
    this.sizes = lstmSizes({
      kind,
      cell: false,
      inputSize: I,
      hiddenSize: H,
      numLayers: 1,
      bias: directions.some(({ bias }) => bias),
      bidirectional: directions.length === 2,
      projSize: 0,
    });
    // before memory is taken: a weight may be refused
    const values = valuesOf(options);
    const bytes = LSTMWeights.bytesOf(this.sizes, this._form);
    this.model = this.allocate(bytes + this.scratchBytes(1));
    this.stepScratch = this.model + bytes;
    this._weights = new LSTMWeights(this.sizes, this._form, this.model);
    for (const parameter of this._weights.parameters) {
      const value = values.get(parameter.name);
      if (value) writeParameter(parameter, value);
    }
    this._weights.addBiases();
  }

  scratchBytes(rows: number): number {
    return lstmScratchBytes(this.sizes, this._form, rows);
  }

  /** Copies the weights under the names of nn.LSTM; of 8-bit weights the float32 that they stand for. */
  stateDict(): Map<string, TensorLike> {
    this.checkAlive();
    const { parameters } = this._weights;
    return new Map(parameters.map((one) => [one.name, { data: readParameter(one), dims: [...one.dims] }]));
  }

  run({ x, T, batch, lengths, h0, c0 }: PaddedBatch, traces?: Float32Array[]): CellResult {
    this.checkAlive();
    const { inputSize, hiddenSize, cellSize, directions } = this.sizes;
    const width = directions * hiddenSize;
    const y = new Float32Array(T * batch * width);
    const h = new Float32Array(directions * batch * hiddenSize);
    const c = new Float32Array(directions * batch * cellSize);
    const sequence = (traces ? new TracedSequence() : new Sequence()).from(h0, c0);
    const run = (place: (data: Float32Array) => Float32Array): void => {
      if (traces) (sequence as TracedSequence).trace('LSTM', this, ({ data }) => void traces.push(place(data)));
      else sequence.run('LSTM', this);
    };
    if (!lengths) {
      sequence.input(x, T, batch, this._batchFirst).into(y, h, c);
      run((data) => data);
    } else {
      const packed = packRows(lengths, T, this._batchFirst);
      const rows = packed.places.length;
      const some = new Float32Array(rows * width);
      sequence.packed(packed.gather(x, inputSize), rows, packed.batchSizes, packed.order).into(some, h, c);
      run((data) => packed.scatter(data, new Float32Array(T * batch * hiddenSize), hiddenSize));
      packed.scatter(some, y, width);
    }
    return { y, h, c };
  }
}

function kindOf({ cell, functions }: CellOptions): CellKind {
  if (cell === 'GRU') return GRU_CELL;
  if (cell === 'RNN') return functions[0]!.kind === KINDS.relu ? RELU_CELL : TANH_CELL;
  return LSTM_CELL;
}

/** The weights by the names of nn.LSTM, quantized if they are to be. */
function valuesOf({
  cell = 'LSTM',
  H,
  directions,
  int8,
}: CellOptions): Map<string, Parameters<typeof writeParameter>[1]> {
  const values = new Map<string, Parameters<typeof writeParameter>[1]>();
  const matrix = (name: string, data: Float32Array, scale: Float32Array | undefined) => {
    values.set(name, int8 ? quantizeMatrix(cell, name, data, CELLS[cell].gates * H, scale) : data);
  };
  for (const [d, { ih, hh, bias, scales }] of directions.entries()) {
    const suffix = d ? '_l0_reverse' : '_l0';
    matrix(`weight_ih${suffix}`, ih, scales?.[0]);
    matrix(`weight_hh${suffix}`, hh, scales?.[1]);
    if (!bias) continue;
    values.set(`bias_ih${suffix}`, bias[0]);
    values.set(`bias_hh${suffix}`, bias[1]);
  }
  return values;
}
