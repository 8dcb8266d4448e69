import {
  checkBoolean,
  checkOptions,
  endReading,
  formatDims,
  type Reading,
  readTensor,
  type StateDict,
  sameDims,
  type TensorLike,
  wrongNumber,
  wrongValue,
  zeros,
} from '../base/tensor.ts';
import type { Values } from '../memory/pack.ts';
import type { LSTMSizes } from '../memory/parameters.ts';
import { type ModuleOptions, type QuantizeOptions, VALUES } from './module.ts';
import { newPacking, type PackedSequence, type Packing, readPacked } from './packed-sequence.ts';
import { Recurrent } from './recurrent.ts';
import { Sequence } from './sequence.ts';
import { readSizes } from './sizes.ts';
import { checkShape, type LSTMState } from './state.ts';
import { type LSTMTrace, TracedSequence } from './trace.ts';

/** PyTorch's keyword arguments of nn.LSTM, in camelCase. */
export interface LSTMOptions {
  /** L, layers on top of each other, at most 10,000. Default 1. */
  readonly numLayers?: number | undefined;
  /** Whether bias_ih and bias_hh exist. Default true. */
  readonly bias?: boolean | undefined;
  /** Whether input and output are (B, T, ...) in place of (T, B, ...); states keep their layout. Default false. */
  readonly batchFirst?: boolean | undefined;
  /** Probability in [0, 1] that an output of a layer is zeroed, the last layer excepted; in training mode only. Default 0. */
  readonly dropout?: number | undefined;
  /** Whether a second direction runs from the end of the sequence, its output beside the first's. Default false. */
  readonly bidirectional?: boolean | undefined;
  /** P, below hiddenSize: h is projected to this size. Default 0: no projection. */
  readonly projSize?: number | undefined;
  /**
   * Draws the initial weights and dropout: an integer from 0 to 2^53 - 1. Default: the number of modules made without a seed so
   * far.
   */
  readonly seed?: number | undefined;
}

/** Results of LSTM.forward(). Letters: T steps, B batch, L layers, D directions, H hiddenSize, Ho projSize or else H. */
export interface LSTMResult<Output = TensorLike> {
  /**
   * h of the last layer at each step: (T, B, D·Ho), with batchFirst (B, T, D·Ho), unbatched (T, D·Ho), or packed as the input.
   */
  readonly output: Output;
  /** h after the last step: (L·D, B, Ho), unbatched (L·D, Ho). */
  readonly hn: TensorLike;
  /** c after the last step: (L·D, B, H), unbatched (L·D, H). */
  readonly cn: TensorLike;
}

/** The input of a call as it was read, and the dims of its results. */
interface Call {
  readonly packing: Packing;
  readonly sequence: Sequence;
  readonly output: number[];
  readonly h: number[];
  readonly c: number[];
}

const FORWARD_OPTIONS = ['out'];
let warned = false;

/**
 * torch.nn.LSTM: `c = sigmoid(f) c + sigmoid(i) tanh(g)`, `h = sigmoid(o) tanh(c)`, with the gates i, f, g, o from
 * `W_ih x + b_ih + W_hh h + b_hh`. Letters: T steps, B batch, I inputSize, H hiddenSize, P projSize, Ho = P or else H,
 * L layers, D directions. A sequence has the same bits alone, in any batch, split over calls, and in a stream.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 * @example
 * ```js
 * import { LSTM } from 'lstm-wasm';
 *
 * const lstm = new LSTM(10, 20, { numLayers: 2, seed: 1 });
 * const input = { data: new Float32Array(5 * 3 * 10).fill(0.1), dims: [5, 3, 10] }; // 5 steps of a batch of 3
 * const { output, hn, cn } = lstm.forward(input);
 * console.log(output.dims, hn.dims, cn.dims); // [ 5, 3, 20 ] [ 2, 3, 20 ] [ 2, 3, 20 ]
 * const next = lstm.forward(input, { h0: hn, c0: cn }); // goes on from there
 * console.log(next.output.dims); // [ 5, 3, 20 ]
 * ```
 */
export class LSTM extends Recurrent {
  /** L, layers on top of each other. */
  readonly numLayers: number;
  /** Whether input and output are (B, T, ...). */
  readonly batchFirst: boolean;
  /** Probability that an output of a layer is zeroed in training mode, the last layer excepted. */
  readonly dropout: number;
  /** Whether a second direction runs from the end of the sequence. */
  readonly bidirectional: boolean;
  /** P, the size that h is projected to; 0 without a projection. */
  readonly projSize: number;
  /** Kept and refilled, so that calls make no garbage; calls from getters of the caller's have their own. */
  private _spare: Call | undefined;

  /**
   * Draws weights and biases uniformly in ±1/sqrt(hiddenSize), from `seed` by mulberry32: the same bits everywhere.
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the weights
   */
  constructor(inputSize: number, hiddenSize: number, options?: LSTMOptions) {
    checkOptions('LSTM', options, ['numLayers', 'bias', 'batchFirst', 'dropout', 'bidirectional', 'projSize', 'seed']);
    const batchFirst = checkBoolean('LSTM', 'batchFirst', options?.batchFirst ?? false);
    const dropout = options?.dropout ?? 0;
    if (!(Number.isFinite(dropout) && dropout >= 0 && dropout <= 1)) {
      throw wrongNumber('LSTM', 'dropout', 'a number from 0 to 1', dropout);
    }
    super('LSTM', false, inputSize, hiddenSize, options);
    const { numLayers, bidirectional, projSize } = this.sizes;
    this.numLayers = numLayers;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional;
    this.projSize = projSize;
    if (dropout > 0 && numLayers === 1 && !warned) {
      warned = true;
      console.warn(`LSTM: dropout ${dropout} does nothing with numLayers 1: it leaves the last layer out`);
    }
  }

  /**
   * Makes the LSTM that a state dict describes: reads sizes, layers, directions, bias and projection from keys and shapes under
   * `prefix` (such as `encoder.lstm.`). Strict, as loadStateDict. With 8-bit weights, as quantizedStateDict() gives them, the
   * result is quantized.
   * @throws ModelError that lists everything that does not fit; TypeError that names a wrong argument
   */
  static fromStateDict(
    stateDict: StateDict,
    options?: { prefix?: string | undefined; batchFirst?: boolean | undefined; dropout?: number | undefined },
  ): LSTM {
    checkOptions('LSTM', options, ['prefix', 'batchFirst', 'dropout']);
    const { sizes, values } = readSizes('LSTM', stateDict, options?.prefix ?? '', false);
    return LSTM._of(sizes, options?.batchFirst, options?.dropout, values);
  }

  /** Makes an LSTM that starts from `values`, an option that LSTMOptions hides from users. */
  private static _of(
    { inputSize, hiddenSize, numLayers, bias, bidirectional, projSize }: LSTMSizes,
    batchFirst: boolean | undefined,
    dropout: number | undefined,
    values: Values,
  ): LSTM {
    const options: LSTMOptions & ModuleOptions = {
      numLayers,
      bias,
      bidirectional,
      projSize,
      batchFirst,
      dropout,
      [VALUES]: values,
    };
    return new LSTM(inputSize, hiddenSize, options);
  }

  /**
   * Runs a whole sequence.
   * @param input (T, B, I), with batchFirst (B, T, I), unbatched (T, I), or a PackedSequence; T at least 1
   * @param state h0 (L·D, B, Ho) and c0 (L·D, B, H), unbatched without B; zeros if left out
   * @param options `out`: tensors of the result's dims, such as an earlier result, to write to and return; the call then makes no
   *   garbage. hn and cn may be h0 and c0.
   * @returns output, and the states after the last step
   * @throws TypeError or RangeError that names the argument; nothing is changed then
   */
  forward(input: TensorLike, state?: LSTMState | null, options?: { out?: LSTMResult | undefined }): LSTMResult;
  forward(
    input: PackedSequence,
    state?: LSTMState | null,
    options?: { out?: LSTMResult<PackedSequence> | undefined },
  ): LSTMResult<PackedSequence>;
  forward(
    input: TensorLike | PackedSequence,
    state?: LSTMState | null,
    options?: { out?: LSTMResult<TensorLike | PackedSequence> | undefined },
  ): LSTMResult<TensorLike | PackedSequence> {
    this.checkAlive();
    checkOptions('LSTM', options, FORWARD_OPTIONS);
    const call = this._spare ?? { packing: newPacking(), sequence: new Sequence(), output: [], h: [], c: [] };
    this._spare = undefined;
    const isPacked = this._read(input, call);
    const { packing, output, h, c } = call;
    const h0 = this.readState('h0', state, h);
    const c0 = this.readState('c0', state, c);
    const result = options?.out ?? {
      output: isPacked ? repacked(packing, zeros('LSTM', output)) : zeros('LSTM', output),
      hn: zeros('LSTM', h),
      cn: zeros('LSTM', c),
    };
    let target = result.output;
    if (isPacked) {
      if (!samePacking(target as PackedSequence | undefined, packing)) {
        throw new TypeError('LSTM: "out.output" expected the packing of the input');
      }
      target = (target as PackedSequence).data;
    }
    const y = checkShape('LSTM', 'out.output', target as TensorLike, output);
    const hn = checkShape('LSTM', 'out.hn', result.hn, h);
    const cn = checkShape('LSTM', 'out.cn', result.cn, c);
    // a getter of the caller's may have disposed of the module
    this.checkAlive();
    call.sequence.from(h0, c0).into(y, hn, cn);
    call.sequence.run('LSTM', this, this.training && this.dropout > 0 ? this._drop : undefined);
    this._spare = call;
    return result;
  }

  /**
   * Runs a whole sequence and shows what each layer does: its gates and states at each step, which nn.LSTM does not give. Results
   * and states have the bits that forward() gives in eval mode: dropout is not applied. Slower than forward(), and it takes six
   * numbers of memory for each unit and step.
   * @param input (T, B, I), with batchFirst (B, T, I), unbatched (T, I), or a PackedSequence; T at least 1
   * @param state h0 (L·D, B, Ho) and c0 (L·D, B, H), unbatched without B; zeros if left out
   * @throws TypeError or RangeError that names the argument; RangeError if memory cannot hold the trace
   * @example
   * ```js
   * import { LSTM } from 'lstm-wasm';
   *
   * const lstm = new LSTM(3, 4, { seed: 1 });
   * const { layers, cn } = lstm.trace({ data: new Float32Array(2 * 3).fill(1), dims: [2, 3] }); // 2 steps
   * const { f, c } = layers[0].forward;
   * console.log(f.dims, f.data.every((x) => x > 0 && x < 1)); // [ 2, 4 ] true
   * console.log(c.data.at(-1) === cn.data.at(-1)); // true
   * ```
   */
  trace(input: TensorLike, state?: LSTMState | null): LSTMTrace;
  trace(input: PackedSequence, state?: LSTMState | null): LSTMTrace<PackedSequence>;
  trace(input: TensorLike | PackedSequence, state?: LSTMState | null): LSTMTrace<TensorLike | PackedSequence> {
    this.checkAlive();
    const sequence = new TracedSequence();
    const call: Call = { packing: newPacking(), sequence, output: [], h: [], c: [] };
    const isPacked = this._read(input, call);
    const { packing, output, h, c } = call;
    sequence.from(this.readState('h0', state, h), this.readState('c0', state, c));
    const [hn, cn, last] = [zeros('LSTM', h), zeros('LSTM', c), zeros('LSTM', output)];
    sequence.into(last.data, hn.data, cn.data);
    const wrap = ({ data, dims }: TensorLike) => {
      const tensor = { data, dims: [...output.slice(0, -1), dims[1]!] };
      return isPacked ? repacked(packing, tensor) : tensor;
    };
    this.checkAlive();
    const layers = sequence.trace('LSTM', this, wrap);
    return { output: isPacked ? repacked(packing, last) : last, hn, cn, layers };
  }

  /**
   * Copies this LSTM with 8-bit weights: a quarter of the memory, faster where weights or multiplications limit, and less exact.
   * Each row of a matrix has one scale; activations are quantised to 14 bits at each step; gates and states stay float32. All
   * other methods work as before; stateDict() gives the float32 that the 8-bit weights stand for. A step with NaN or infinity is
   * computed in float32.
   * @throws ModelError if a weight is NaN or infinite; RangeError if memory cannot hold the weights
   */
  quantize(options?: QuantizeOptions): LSTM {
    return LSTM._of(this.sizes, this.batchFirst, this.dropout, this.quantizedValues(options));
  }

  /** Reads an input, and tells whether it is packed. */
  private _read(input: unknown, call: Call): boolean {
    const isPacked = 'batchSizes' in Object(input);
    if (isPacked) this._readPacked(input, call);
    else this._readTensor(input, call);
    return isPacked;
  }

  private _readTensor(input: unknown, call: Call): void {
    const reading = readTensor('LSTM', 'input', input);
    const { dims } = reading;
    const batched = dims.length === 3;
    if ((!batched && dims.length !== 2) || dims[dims.length - 1] !== this.inputSize) {
      const shape = this.batchFirst ? '[B, T, ' : '[T, B, ';
      throw wrongValue('LSTM', 'input', `${shape}${this.inputSize}] or [T, ${this.inputSize}]`, dims);
    }
    const batchFirst = batched && this.batchFirst;
    const steps = dims[batchFirst ? 1 : 0]!;
    const batch = batched ? dims[batchFirst ? 0 : 1]! : 1;
    if (steps === 0) throw wrongValue('LSTM', 'input', 'at least one step', dims);
    if (steps * batch > 2 ** 31 - 1) throw wrongValue('LSTM', 'input', 'fewer than 2^31 steps in all', dims);
    call.sequence.input(reading.data, steps, batch, batchFirst);
    this._setDims(call, reading, batched);
  }

  private _readPacked(input: unknown, call: Call): void {
    const reading = readPacked('LSTM', input, call.packing);
    const { dims } = reading;
    const rows = dims[0]!;
    if (dims.length !== 2 || dims[1] !== this.inputSize) {
      throw wrongValue('LSTM', 'input.data', formatDims([rows, this.inputSize]), dims);
    }
    const { batchSizes, sortedIndices } = call.packing;
    call.sequence.packed(reading.data, rows, batchSizes, sortedIndices.length ? sortedIndices : null);
    this._setDims(call, reading, true);
  }

  /** Sets the dims of the results for the input that was read. */
  private _setDims({ sequence, output, h, c }: Call, reading: Reading, batched: boolean): void {
    const { directions, outputSize } = this.sizes;
    const { dims } = reading;
    const rank = dims.length;
    output.length = rank;
    for (let i = 0; i < rank; i++) output[i] = dims[i]!;
    output[rank - 1] = directions * outputSize;
    h.length = c.length = batched ? 3 : 2;
    h[0] = c[0] = this.numLayers * directions;
    if (batched) h[1] = c[1] = sequence.batch;
    h[h.length - 1] = outputSize;
    c[c.length - 1] = this.hiddenSize;
    endReading(reading);
  }

  private readonly _drop = (pointer: number, count: number): void => this.random.dropout(pointer, count, this.dropout);
}

function repacked({ batchSizes, sortedIndices, unsortedIndices }: Packing, data: TensorLike): PackedSequence {
  const order = (indices: readonly number[]) => (indices.length ? [...indices] : null);
  return {
    data,
    batchSizes: [...batchSizes],
    sortedIndices: order(sortedIndices),
    unsortedIndices: order(unsortedIndices),
  };
}

function samePacking(a: PackedSequence | undefined, { batchSizes, sortedIndices }: Packing): boolean {
  return sameDims(a?.batchSizes, batchSizes) && sameDims(a?.sortedIndices, sortedIndices.length ? sortedIndices : null);
}
