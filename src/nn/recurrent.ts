import { checkBoolean, checkInteger } from '../base/tensor.ts';
import { LSTM_CELL } from '../memory/cell-kind.ts';
import { LSTMWeights, lstmScratchBytes } from '../memory/lstm-weights.ts';
import { type LSTMSizes, lstmSizes } from '../memory/parameters.ts';
import { Module, type ModuleOptions } from './module.ts';
import { type LSTMState, readState } from './state.ts';
import { LSTMStream } from './stream.ts';
import { LSTMStreams, type LSTMStreamsOptions } from './streams.ts';

interface RecurrentOptions extends ModuleOptions {
  readonly numLayers?: number | undefined;
  readonly bias?: boolean | undefined;
  readonly bidirectional?: boolean | undefined;
  readonly projSize?: number | undefined;
}

/** Holds the weights of nn.LSTM or nn.LSTMCell in linear memory, packed once; makes streams that share them. */
export abstract class Recurrent extends Module {
  /** I, the features of a step. */
  readonly inputSize: number;
  /** H, the units of a layer. */
  readonly hiddenSize: number;
  /** Whether bias_ih and bias_hh exist. */
  readonly bias: boolean;
  /** @internal */
  readonly sizes: LSTMSizes;
  /** @internal */
  readonly model: number;
  /** @internal */
  readonly stepScratch: number;
  private readonly _weights: LSTMWeights;

  constructor(who: string, cell: boolean, inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    const sizes = lstmSizes({
      kind: LSTM_CELL,
      cell,
      inputSize: checkInteger(who, 'inputSize', inputSize, 0),
      hiddenSize: checkInteger(who, 'hiddenSize', hiddenSize, 1),
      // bounded, since an absurd number of layers would take minutes before memory runs out
      numLayers: checkInteger(who, 'numLayers', options.numLayers ?? 1, 1, 10_000),
      bias: checkBoolean(who, 'bias', options.bias ?? true),
      bidirectional: checkBoolean(who, 'bidirectional', options.bidirectional ?? false),
      projSize: checkInteger(who, 'projSize', options.projSize ?? 0, 0, hiddenSize - 1),
    });
    super(who, options);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.bias = sizes.bias;
    this.sizes = sizes;
    const weightBytes = LSTMWeights.bytesOf(sizes, this.form);
    this.model = this.allocate(weightBytes + this.scratchBytes(1));
    this.stepScratch = this.model + weightBytes;
    this._weights = new LSTMWeights(sizes, this.form, this.model);
    this.parameters.push(...this._weights.parameters);
    this.initializeParameters(options, hiddenSize);
  }

  /**
   * Opens a session that owns h and c in linear memory and goes on step by step. Any number of streams share these weights.
   * @throws TypeError if the module is bidirectional, since its second direction starts at the end of the sequence
   * @throws RangeError if memory cannot grow
   */
  stream(): LSTMStream {
    this._checkOneWay();
    return new LSTMStream(this);
  }

  /**
   * Opens many sessions, any of which can be stepped in one call: for a server whose streams are ready at different times, say.
   * @throws TypeError if the module is bidirectional; TypeError or RangeError for a wrong capacity; RangeError if memory cannot
   *   grow
   */
  streams(options?: LSTMStreamsOptions): LSTMStreams {
    this._checkOneWay();
    return new LSTMStreams(this, options);
  }

  private _checkOneWay(): void {
    this.checkAlive();
    if (this.sizes.directions > 1) {
      throw new TypeError('LSTM: a bidirectional module cannot stream, since its reverse direction starts at the end');
    }
  }

  /** The data of h0 or c0 of `state`, checked against these dims; undefined without a state. */
  protected readState(
    name: 'h0' | 'c0',
    state: LSTMState | null | undefined,
    dims: readonly number[],
  ): Float32Array | undefined {
    return (state ?? undefined) === undefined ? undefined : readState(this.who, name, state, dims);
  }

  protected override parametersChanged(): void {
    this._weights.addBiases();
  }

  /** @internal */
  scratchBytes(rows: number): number {
    return lstmScratchBytes(this.sizes, this.form, rows);
  }
}
