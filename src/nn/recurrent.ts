import { checkBoolean, checkInteger, checkOptions, type TensorLike, wrongNumber, zeros } from '../base/tensor.ts';
import { type CellKind, classOf } from '../memory/cell-kind.ts';
import { LSTMWeights, lstmScratchBytes } from '../memory/lstm-weights.ts';
import type { Values } from '../memory/pack.ts';
import { type LSTMSizes, lstmSizes } from '../memory/parameters.ts';
import { Call } from './call.ts';
import { Module, type ModuleOptions, VALUES } from './module.ts';
import type { PackedSequence } from './packed-sequence.ts';
import { checkShape, readState } from './state.ts';
import { RecurrentStream } from './stream.ts';
import { RecurrentStreams, type RecurrentStreamsOptions } from './streams.ts';
import type { Directions, TracedSequence } from './trace.ts';

/** Options of all recurrent modules; those of a cell have fewer. */
export interface RecurrentOptions extends ModuleOptions {
  readonly numLayers?: number | undefined;
  readonly bias?: boolean | undefined;
  readonly batchFirst?: boolean | undefined;
  readonly dropout?: number | undefined;
  readonly bidirectional?: boolean | undefined;
  readonly projSize?: number | undefined;
}

/** Results of a sequence; a cell without a second state has no cn. */
interface SequenceResult<Output> {
  readonly output: Output;
  readonly hn: TensorLike;
  readonly cn?: TensorLike;
}

type Input = TensorLike | PackedSequence;

const FORWARD_OPTIONS = ['out'];
let warned = false;

/** Holds the weights of a module such as nn.LSTM or nn.LSTMCell in linear memory, packed once; makes streams that share them. */
export abstract class Recurrent<State extends object> extends Module {
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
  /** Whether input and output are (B, T, ...). @internal */
  readonly batchFirst: boolean;
  /** @internal */
  readonly dropout: number;
  private readonly _weights: LSTMWeights;
  /** Calls from getters of the caller's have their own. */
  private _spare: Call | undefined;

  constructor(kind: CellKind, cell: boolean, inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    const who = classOf(kind.gates.length, cell)!;
    const batchFirst = checkBoolean(who, 'batchFirst', options.batchFirst ?? false);
    const dropout = options.dropout ?? 0;
    if (!(Number.isFinite(dropout) && dropout >= 0 && dropout <= 1)) {
      throw wrongNumber(who, 'dropout', 'a number from 0 to 1', dropout);
    }
    const sizes = lstmSizes({
      kind,
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
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    if (dropout > 0 && sizes.numLayers === 1 && !warned) {
      warned = true;
      console.warn(`${who}: dropout ${dropout} does nothing with numLayers 1: it leaves the last layer out`);
    }
  }

  /**
   * Opens a session that owns its states in linear memory and goes on step by step. Any number of streams share these weights.
   * @throws TypeError if the module is bidirectional, since its second direction starts at the end of the sequence
   * @throws RangeError if memory cannot grow
   */
  stream(): RecurrentStream<State> {
    this._checkOneWay();
    return new RecurrentStream<State>(this);
  }

  /**
   * Opens many sessions, any of which can be stepped in one call: for a server whose streams are ready at different times, say.
   * @throws TypeError if the module is bidirectional; TypeError or RangeError for a wrong capacity; RangeError if memory cannot
   *   grow
   */
  streams(options?: RecurrentStreamsOptions): RecurrentStreams {
    this._checkOneWay();
    return new RecurrentStreams(this, options);
  }

  private _checkOneWay(): void {
    this.checkAlive();
    if (this.sizes.directions > 1) {
      throw new TypeError(
        `${this.who}: a bidirectional module cannot stream, since its reverse direction starts at the end`,
      );
    }
  }

  /** The data of h0 or c0 of `state`, checked against these dims; undefined without a state, or where the cell has no c. */
  private _readState(
    name: 'h0' | 'c0',
    state: object | null | undefined,
    dims: readonly number[],
  ): Float32Array | undefined {
    const isGiven = (state ?? undefined) !== undefined && (name === 'h0' || this.sizes.cellSize);
    return !isGiven ? undefined : readState(this.who, this.sizes.kind, name, state, dims);
  }

  protected override parametersChanged(): void {
    this._weights.addBiases();
  }

  /** @internal */
  scratchBytes(rows: number): number {
    return lstmScratchBytes(this.sizes, this.form, rows);
  }

  /** forward() of a class */
  protected runSequence(
    input: Input,
    state: State | null | undefined,
    options?: { out?: SequenceResult<Input> | undefined },
  ): SequenceResult<Input> {
    this.checkAlive();
    const { who, sizes } = this;
    checkOptions(who, options, FORWARD_OPTIONS);
    const call = this._spare ?? new Call();
    this._spare = undefined;
    call.read(who, sizes, this.batchFirst, input);
    const h0 = this._readState('h0', state, call.h);
    const c0 = this._readState('c0', state, call.c);
    const result = options?.out ?? this._results(call);
    const y = checkShape(who, 'out.output', call.tensorOf(who, result.output), call.output);
    const hn = checkShape(who, 'out.hn', result.hn, call.h);
    const cn = sizes.cellSize ? checkShape(who, 'out.cn', result.cn, call.c) : undefined;
    // a getter of the caller's may have disposed of the module
    this.checkAlive();
    call.sequence
      .from(h0, c0)
      .into(y, hn, cn)
      .run(who, this, this.training && this.dropout > 0 ? this._drop : undefined);
    this._spare = call;
    return result;
  }

  /** trace() of a class, through a sequence of its own */
  protected traceSequence(
    sequence: TracedSequence,
    input: Input,
    state: State | null | undefined,
  ): SequenceResult<Input> & { readonly layers: readonly Directions<unknown>[] } {
    this.checkAlive();
    const call = new Call(sequence);
    call.read(this.who, this.sizes, this.batchFirst, input);
    sequence.from(this._readState('h0', state, call.h), this._readState('c0', state, call.c));
    const result = this._results(call);
    sequence.into((call.tensorOf(this.who, result.output) as TensorLike).data, result.hn.data, result.cn?.data);
    this.checkAlive();
    const layers = sequence.trace(this.who, this, ({ data, dims }) =>
      call.like({ data, dims: [...call.output.slice(0, -1), dims[1]!] }),
    );
    return { ...result, layers };
  }

  /** Makes the tensors of a result. The output of a cell is its h. */
  private _results(call: Call): SequenceResult<Input> {
    const hn = zeros(this.who, call.h);
    const output = this.sizes.cell ? hn : call.like(zeros(this.who, call.output));
    return this.sizes.cellSize ? { output, hn, cn: zeros(this.who, call.c) } : { output, hn };
  }

  private readonly _drop = (pointer: number, count: number): void => this.random.dropout(pointer, count, this.dropout);
}

/** Gives the options of a module with these sizes that starts from `values`, an option that users do not see. */
export function optionsOf(
  { numLayers, bias, bidirectional, projSize }: LSTMSizes,
  batchFirst: boolean | undefined,
  dropout: number | undefined,
  values: Values,
): RecurrentOptions {
  return { numLayers, bias, bidirectional, projSize, batchFirst, dropout, [VALUES]: values };
}
