import { checkBoolean, checkInteger } from '../base/tensor.ts';
import { align, integers } from '../memory/arena.ts';
import { LSTM_CELL } from '../memory/cells.ts';
import { panelBytes, quantizedBytes, readFloats, writeParameter } from '../memory/pack.ts';
import { directionParameters, type LSTMSizes, layerInputSize, lstmSizes } from '../memory/parameters.ts';
import { DIRECTION_WORDS, MODEL_WORDS } from '../memory/structs.ts';
import { Module, type ModuleOptions } from './module.ts';
import { Sequence } from './sequence.ts';
import { checkShape, checkState, type LSTMState } from './state.ts';
import { LSTMStream } from './stream.ts';
import { LSTMStreams, type LSTMStreamsOptions } from './streams.ts';

interface RecurrentOptions extends ModuleOptions {
  readonly numLayers?: number | undefined;
  readonly bias?: boolean | undefined;
  readonly bidirectional?: boolean | undefined;
  readonly projSize?: number | undefined;
}

/** Pointers of one layer in one direction. */
interface DirectionBlock {
  readonly weight_ih: number;
  readonly weight_hh: number;
  readonly weight_hr: number;
  /** bias_ih + bias_hh, in panels: what the kernels' sums begin with; then zeros, which a projection's begin with */
  readonly bias: number;
  readonly bias_hr: number;
  readonly bias_ih: number;
  readonly bias_hh: number;
}

/** The weights of nn.LSTM or nn.LSTMCell in linear memory, packed once, with the description of them that kernels read. */
export abstract class Recurrent extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly bias: boolean;
  /** @internal */
  readonly sizes: LSTMSizes;
  /** @internal */
  readonly model: number;
  /** @internal */
  readonly stepScratch: number;
  private readonly _directions: DirectionBlock[] = [];
  protected readonly sequence = new Sequence();

  constructor(who: string, cell: boolean, inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    const sizes = lstmSizes({
      kind: LSTM_CELL,
      cell,
      inputSize: checkInteger(who, 'inputSize', inputSize, 0),
      hiddenSize: checkInteger(who, 'hiddenSize', hiddenSize, 1),
      // an absurd number would not fail for want of memory, but take minutes
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
    const { projSize, numLayers, directions } = sizes;
    const modelBytes = align(4 * (MODEL_WORDS + numLayers * directions * DIRECTION_WORDS));
    // the size first, in one sum: an absurd number of layers must not be enumerated
    const weightBytes = directions * (this._place(0, 0)[1] + (numLayers - 1) * this._place(0, 1)[1]);
    const block = this.own(modelBytes + weightBytes + this.scratchBytes(1));
    const memory = integers();
    this.model = block;
    memory.set([hiddenSize, projSize, directions, this.form], block / 4);
    let at = block + modelBytes;
    for (let k = 0; k < numLayers * directions; k++) {
      const layer = Math.floor(k / directions);
      const [place, bytes] = this._place(at, layer);
      this._directions.push(place);
      const { weight_ih, weight_hh, weight_hr, bias, bias_hr } = place;
      const layerInput = layerInputSize(sizes, layer);
      const words = [layerInput, weight_ih, weight_hh, weight_hr, bias, bias_hr];
      memory.set(words, block / 4 + MODEL_WORDS + k * DIRECTION_WORDS);
      for (const { kind, name, dims } of directionParameters(sizes, layer, k % directions)) {
        const gates = kind === 'weight_hr' ? 0 : hiddenSize;
        const form = dims.length === 2 && { gates, form: this.form };
        this.parameters.push({ name, dims, pointer: place[kind], ...form });
      }
      at += bytes;
    }
    this.stepScratch = at;
    this.start(options, hiddenSize);
  }

  /**
   * A session that owns h and c in linear memory and goes on step by step. Any number of streams share these weights.
   * @throws TypeError if the module is bidirectional: its second direction starts at the end of the sequence
   */
  stream(): LSTMStream {
    this._checkOneWay();
    return new LSTMStream(this);
  }

  /**
   * Many sessions, of which any can be stepped in one call: for a server, say, whose streams are ready at different times.
   * @throws TypeError if the module is bidirectional; RangeError if memory cannot grow
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

  /** Checks `state`, if it is given, against these dims and makes the next sequence start from it. */
  protected startFrom(state: LSTMState | null | undefined, h: readonly number[], c: readonly number[]): void {
    const given = state ?? undefined;
    const h0 = given && checkShape(this.who, 'h0', checkState(this.who, given).h0, h);
    const c0 = given && checkShape(this.who, 'c0', given.c0, c);
    this.sequence.from(h0, c0);
  }

  /** Lays out a layer in one direction from `start` on: its pointers, and its bytes in all. */
  private _place(start: number, layer: number): readonly [DirectionBlock, number] {
    const { hiddenSize, outputSize, projSize, gateRows: gates } = this.sizes;
    let end = start;
    const take = (bytes: number): number => {
      end += bytes;
      return end - bytes;
    };
    const place = {
      weight_ih: take(panelBytes(gates, layerInputSize(this.sizes, layer), this.form)),
      weight_hh: take(panelBytes(gates, outputSize, this.form)),
      weight_hr: take(panelBytes(projSize, hiddenSize, this.form)),
      bias: take(panelBytes(gates, 1)),
      bias_hr: take(panelBytes(projSize, 1)),
      bias_ih: take(4 * gates),
      bias_hh: take(4 * gates),
    };
    return [place, align(end - start)];
  }

  /** Adds the biases. */
  protected override derive(): void {
    const { hiddenSize, gateRows } = this.sizes;
    for (const { bias, bias_ih, bias_hh } of this._directions) {
      const hh = readFloats(bias_hh, gateRows);
      const sum = readFloats(bias_ih, gateRows).map((value, i) => value + hh[i]!);
      writeParameter({ name: '', dims: [gateRows, 1], pointer: bias, gates: hiddenSize }, sum);
    }
  }

  /** @internal */
  scratchBytes(rows: number): number {
    const { inputSize, hiddenSize, projSize, outputSize, numLayers, directions, gateRows } = this.sizes;
    const { form } = this;
    const widest = Math.max(inputSize, outputSize * (numLayers > 1 ? directions : 1));
    const projection = 4 * hiddenSize + panelBytes(projSize, 1) + quantizedBytes(hiddenSize, form);
    return rows * (panelBytes(gateRows, 1) + Math.max(quantizedBytes(widest, form), projSize ? projection : 0));
  }
}
