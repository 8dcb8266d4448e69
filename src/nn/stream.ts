import { checkFloats, product, type TensorLike, wrongValue } from '../base/tensor.ts';
import { currentView } from '../memory/arena.ts';
import { classOf } from '../memory/cell-kind.ts';
import { Layout } from '../memory/layout.ts';
import { readFloats, writeFloats } from '../memory/pack.ts';
import { fill, skip } from '../memory/rows.ts';
import { RUN_BYTES, Run } from '../memory/structs.ts';
import { Resource } from './module.ts';
import { loadState, saveState } from './saved-state.ts';
import { Sequence } from './sequence.ts';
import { type LSTMState, readState } from './state.ts';
import type { RecurrentWeights } from './weights.ts';

/** The stream that a view belongs to. */
const streamOf = new WeakMap<Float32Array, object>();

/**
 * One session of a recurrent module such as LSTM or LSTMCell, made by its `stream()`: its states, h and LSTM's c, live in linear
 * memory and go on from step to step. Streams of a model may be interleaved in any way: each gives the bits that it would give
 * alone. Dropout is never applied; loadStateDict() takes effect at the next step.
 *
 * @example
 * ```js
 * import { LSTM } from 'lstm-wasm';
 *
 * const stream = new LSTM(1, 8, { seed: 1 }).stream();
 * for (const sample of [0.5, -0.25, 0.125]) {
 *   stream.input[0] = sample;
 *   stream.step();
 * }
 * console.log(stream.output.length); // 8
 * const saved = stream.save();
 * stream.reset();
 * stream.load(saved); // goes on after the third sample
 * console.log(stream.getState().h0.data[0] === stream.output[0]); // true
 * ```
 */
export class RecurrentStream<State extends object> extends Resource {
  private readonly _model: RecurrentWeights;
  /** Pointers of the input, the outputs of even and of odd layers, h [L][Ho] and c [L][H], which lie side by side */
  private readonly _x: number;
  private readonly _even: number;
  private readonly _odd: number;
  private readonly _h: number;
  private readonly _c: number;
  /** Pointer of the Run of one step, the same for every step */
  private readonly _run: number;
  private readonly _sequence = new Sequence();
  private _input = new Float32Array(0);
  private _output = this._input;

  /** @internal */
  constructor(model: RecurrentWeights) {
    super(`${classOf(model.sizes.kind.gates.length)}Stream`);
    const { inputSize, numLayers, outputSize, stateCount } = model.sizes;
    this._model = model;
    const views = new Layout();
    const [x, even, odd] = [views.floats(inputSize), views.floats(outputSize), views.floats(outputSize)];
    const shown = this.allocateForViews(views.bytes);
    this._x = shown + x;
    this._even = shown + even;
    this._odd = shown + odd;
    const own = new Layout();
    const states = own.floats(stateCount);
    const call = own.take(RUN_BYTES);
    const block = this.orFree(() => this.allocate(own.bytes));
    this._h = block + states;
    this._c = skip(this._h, numLayers * outputSize);
    const run = new Run();
    run.x = this._x;
    run.even = this._even;
    run.odd = this._odd;
    run.h = this._h;
    run.c = this._c;
    run.T = run.batch = run.rows = run.blockRows = 1;
    run.z = model.stepScratch;
    this._run = run.write(block + call);
  }

  /**
   * The input (I): fill it before step(). A view of linear memory: step() keeps it valid, but calls that may make memory grow (a
   * new module or stream, forward, run) can detach it, so read this property again after those.
   */
  get input(): Float32Array {
    this.checkAlive();
    this._input = this._view(this._input, this._x, this._model.sizes.inputSize);
    return this._input;
  }

  /** The output (Ho), which step() writes. A view, like `input`. */
  get output(): Float32Array {
    this.checkAlive();
    const { numLayers, outputSize } = this._model.sizes;
    this._output = this._view(this._output, numLayers & 1 ? this._even : this._odd, outputSize);
    return this._output;
  }

  /** Gives `kept` if it is still a view of linear memory, else a new view, which keeps this stream alive while anyone holds it. */
  private _view(kept: Float32Array<ArrayBuffer>, pointer: number, length: number): Float32Array<ArrayBuffer> {
    const view = currentView(kept, pointer, length);
    if (view !== kept) streamOf.set(view, this);
    return view;
  }

  /**
   * Computes one step: reads `input`, updates the state, writes `output`. Allocates nothing.
   * @throws Error after dispose() of the stream or its module
   */
  step(): void;
  step(extra?: unknown): void {
    this.checkAlive();
    if (extra !== undefined) throw new TypeError(`${this.who}: step() takes no input: write it to stream.input before`);
    this._model.checkAlive();
    const { model, sizes } = this._model;
    sizes.kind.run(model, this._run, 0, sizes.numLayers);
  }

  /**
   * Runs every step in `input` in one wasm call. Same bits as calling step() for each.
   * @param input (n, I)
   * @param output (n, Ho); may be `input` if the sizes are equal
   * @returns n
   * @throws TypeError or RangeError that names the argument; nothing is changed then
   */
  run(input: Float32Array, output: Float32Array): number {
    this.checkAlive();
    this._model.checkAlive();
    checkFloats(this.who, 'input', input);
    checkFloats(this.who, 'output', output);
    const { inputSize, outputSize: Ho } = this._model.sizes;
    const steps = inputSize > 0 ? input.length / inputSize : output.length / Ho;
    if (!Number.isInteger(steps) || input.length !== steps * inputSize) {
      throw wrongValue(this.who, 'input', `whole steps of ${inputSize} elements`, input.length);
    }
    if (output.length !== steps * Ho) {
      throw wrongValue(this.who, 'output', `${steps} steps of ${Ho} elements`, output.length);
    }
    if (steps === 0) return 0;
    this._sequence.input(input, steps, 1).states(this._h, this._c).into(output).run(this.who, this._model);
    return steps;
  }

  /** Sets the state to zeros. */
  reset(): void {
    this.checkAlive();
    fill(this._h, this._model.sizes.stateCount, 0);
  }

  /**
   * Opens a second stream of the same module, with a copy of this one's state, input and output.
   * @throws RangeError if memory cannot grow
   */
  clone(): RecurrentStream<State> {
    this.checkAlive();
    this._model.checkAlive();
    const copy = new RecurrentStream<State>(this._model);
    const { inputSize, outputSize, stateCount } = this._model.sizes;
    // input and outputs lie side by side, and so do h and c
    writeFloats(copy._x, readFloats(this._x, inputSize + 2 * outputSize));
    writeFloats(copy._h, readFloats(this._h, stateCount));
    return copy;
  }

  /** The dims of h0 and c0. */
  private get _dims(): { h: number[]; c: number[] } {
    const { cell, cellSize, numLayers, outputSize } = this._model.sizes;
    const layers = cell ? [] : [numLayers];
    return { h: [...layers, outputSize], c: [...layers, cellSize] };
  }

  /** Copies the state: h0 (L, Ho), and c0 (L, H) of an LSTM; for a cell without L. */
  getState(): State {
    this.checkAlive();
    const tensor = (pointer: number, dims: number[]): TensorLike => ({
      data: readFloats(pointer, product(dims)),
      dims,
    });
    const { h, c } = this._dims;
    const h0 = tensor(this._h, h);
    return (this._model.sizes.cellSize ? { h0, c0: tensor(this._c, c) } : { h0 }) as object as State;
  }

  /**
   * Sets the state.
   * @param state h0 (L, Ho), and c0 (L, H) of an LSTM; for a cell without L
   * @throws TypeError or RangeError that names h0 or c0; the state is unchanged then
   */
  setState(state: State): void {
    this.checkAlive();
    const { kind, cellSize } = this._model.sizes;
    const dims = this._dims;
    const h = readState(this.who, kind, 'h0', state, dims.h);
    const c = cellSize && readState(this.who, kind, 'c0', state, dims.c);
    // a getter of the caller's may have disposed of the stream
    this.checkAlive();
    writeFloats(this._h, h);
    if (c) writeFloats(this._c, c);
  }

  /** Writes the state as bytes that load() takes back, here or in another process, with the module's shape and a checksum. */
  save(): Uint8Array {
    this.checkAlive();
    return saveState(this._model.sizes, this._h);
  }

  /**
   * Goes on from a state that save() wrote.
   * @throws TypeError if `bytes` is no Uint8Array; ModelError if it is damaged or comes from a model of another shape. The state
   *   is unchanged then.
   */
  load(bytes: Uint8Array): void {
    this.checkAlive();
    loadState(this.who, this._model.sizes, this._h, bytes);
  }
}

/** A stream of an LSTM or LSTMCell. */
export type LSTMStream = RecurrentStream<LSTMState>;
