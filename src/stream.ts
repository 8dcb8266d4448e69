import { allocate, floats } from './arena.ts';
import { Resource } from './module.ts';
import { readFloats, writeFloats } from './pack.ts';
import { outputSize } from './parameters.ts';
import { callBytes, emptyCall, type Recurrent } from './recurrent.ts';
import { decodeState, encodeState } from './saved-state.ts';
import { emptySequence, runSequence } from './sequence.ts';
import { checkShape, checkState, type LSTMState } from './state.ts';
import { checkFloats, type TensorLike, wrongType } from './tensor.ts';
import { wasm } from './wasm.ts';

/**
 * One session of an LSTM or LSTMCell: h and c live in linear memory and go on from step to step. Many streams of a model,
 * interleaved in any way, give the bits that each would give alone. Made by `stream()`. Dropout is never applied;
 * loadStateDict takes effect at the next step.
 */
export class LSTMStream extends Resource {
  readonly #model: Recurrent;
  readonly #cell: boolean;
  readonly #block: number;
  /** h [L][Ho] then c [L][H], side by side */
  readonly #state: number;
  readonly #stateCount: number;
  readonly #inputAt: number;
  readonly #outputAt: number;
  readonly #sequence = emptySequence();
  #input: Float32Array;
  #output: Float32Array;

  /** @internal */
  constructor(model: Recurrent, cell: boolean) {
    super('LSTMStream');
    const { sizes } = model;
    const Ho = outputSize(sizes);
    const { inputSize, hiddenSize, numLayers } = sizes;
    const block = allocate(numLayers * callBytes() + 4 * (inputSize + Ho + numLayers * (Ho + hiddenSize)));
    this.#model = model;
    this.#cell = cell;
    this.#block = block;
    this.#inputAt = block + numLayers * callBytes();
    this.#outputAt = this.#inputAt + 4 * inputSize;
    this.#state = this.#outputAt + 4 * Ho;
    this.#stateCount = numLayers * (Ho + hiddenSize);
    this.own(block);
    floats().fill(0, this.#inputAt / 4, this.#state / 4 + this.#stateCount);
    this.#input = view(this.#inputAt, inputSize);
    this.#output = view(this.#outputAt, Ho);
    this.#writeCalls();
  }

  /** One call a layer. A layer's h serves as its output, except the last one's, which has a place of its own. */
  #writeCalls(): void {
    const { inputSize, hiddenSize, numLayers } = this.#model.sizes;
    const Ho = outputSize(this.#model.sizes);
    const call = emptyCall();
    this.#model.placeStepScratch(call);
    call.steps = 1;
    call.batch = 1;
    call.rows = 1;
    for (let layer = 0; layer < numLayers; layer++) {
      call.h = this.#state + 4 * layer * Ho;
      call.c = this.#state + 4 * (numLayers * Ho + layer * hiddenSize);
      call.x = layer === 0 ? this.#inputAt : call.h - 4 * Ho;
      call.xStride = 4 * (layer === 0 ? inputSize : Ho);
      call.y = layer === numLayers - 1 ? this.#outputAt : call.h;
      call.yStride = 4 * Ho;
      this.#model.writeCall(this.#block + layer * callBytes(), layer, call);
    }
  }

  /** (I), to be filled before step(). A view of linear memory: valid until memory grows, so get it anew after any other call. */
  get input(): Float32Array {
    this.checkAlive();
    if (this.#input.buffer !== wasm().memory.buffer) this.#input = view(this.#inputAt, this.#input.length);
    return this.#input;
  }

  /** (Ho), written by step(). A view as `input` is. */
  get output(): Float32Array {
    this.checkAlive();
    if (this.#output.buffer !== wasm().memory.buffer) this.#output = view(this.#outputAt, this.#output.length);
    return this.#output;
  }

  /** One step: reads input, updates the state, writes output. Allocates nothing. */
  step(): void {
    this.checkAlive();
    this.#model.checkAlive();
    wasm().lstm_run(this.#block, this.#model.sizes.numLayers);
  }

  /**
   * As many steps as `input` holds, in one call into wasm, with the bits of as many calls of step().
   * @param input (n, I)
   * @param output (n, Ho); may be `input` if the sizes are equal
   * @returns n
   */
  run(input: Float32Array, output: Float32Array): number {
    this.checkAlive();
    this.#model.checkAlive();
    checkFloats('LSTMStream', 'input', input);
    checkFloats('LSTMStream', 'output', output);
    const { inputSize, numLayers } = this.#model.sizes;
    const Ho = outputSize(this.#model.sizes);
    const steps = inputSize > 0 ? input.length / inputSize : output.length / Ho;
    if (!Number.isInteger(steps) || input.length !== steps * inputSize) {
      throw new RangeError(
        `LSTMStream: "input" expected whole steps of ${inputSize} elements, got ${input.length} elements`,
      );
    }
    if (output.length !== steps * Ho) {
      throw new RangeError(
        `LSTMStream: "output" expected ${steps * Ho} elements for ${steps} steps, got ${output.length}`,
      );
    }
    if (steps === 0) return 0;
    const sequence = this.#sequence;
    sequence.input = input;
    sequence.output = output;
    sequence.steps = steps;
    sequence.rows = steps;
    sequence.batch = 1;
    sequence.h = this.#state;
    sequence.c = this.#state + 4 * numLayers * Ho;
    runSequence('LSTMStream', this.#model, sequence);
    return steps;
  }

  /** Back to a state of zeros. */
  reset(): void {
    this.checkAlive();
    floats().fill(0, this.#state / 4, this.#state / 4 + this.#stateCount);
  }

  /** A second stream of the same model with this one's state, input and output. */
  clone(): LSTMStream {
    this.checkAlive();
    this.#model.checkAlive();
    const copy = new LSTMStream(this.#model, this.#cell);
    const count = this.#input.length + this.#output.length + this.#stateCount;
    writeFloats(copy.#inputAt, readFloats(this.#inputAt, count));
    return copy;
  }

  /** Copies: h0 (L, Ho) and c0 (L, H); of a cell both (H). */
  getState(): LSTMState {
    this.checkAlive();
    const { hiddenSize, numLayers } = this.#model.sizes;
    const Ho = outputSize(this.#model.sizes);
    const tensor = (pointer: number, size: number): TensorLike => ({
      data: readFloats(pointer, numLayers * size),
      dims: this.#cell ? [size] : [numLayers, size],
    });
    return { h0: tensor(this.#state, Ho), c0: tensor(this.#state + 4 * numLayers * Ho, hiddenSize) };
  }

  /** @throws TypeError or RangeError that names h0 or c0; the state is unchanged then */
  setState(state: LSTMState): void {
    this.checkAlive();
    const { h0, c0 } = checkState('LSTMStream', state) ?? fail(state);
    const { hiddenSize, numLayers } = this.#model.sizes;
    const Ho = outputSize(this.#model.sizes);
    const check = (what: string, tensor: TensorLike, size: number) =>
      this.#cell
        ? checkShape('LSTMStream', what, tensor, size)
        : checkShape('LSTMStream', what, tensor, numLayers, size);
    const h = check('h0', h0, Ho);
    const c = check('c0', c0, hiddenSize);
    writeFloats(this.#state, h);
    writeFloats(this.#state + 4 * numLayers * Ho, c);
  }

  /** The state as bytes that load() takes back, here or in another process: with the model's shape and a checksum. */
  save(): Uint8Array {
    this.checkAlive();
    return encodeState(this.#model.sizes, this.#cell, readFloats(this.#state, this.#stateCount));
  }

  /**
   * Goes on from a saved state.
   * @throws TypeError if `bytes` is no Uint8Array; ModelError if it is damaged or of a model of another shape. The state is
   *   unchanged then.
   */
  load(bytes: Uint8Array): void {
    this.checkAlive();
    writeFloats(this.#state, decodeState('LSTMStream', this.#model.sizes, this.#cell, bytes));
  }
}

function fail(state: unknown): never {
  throw wrongType('LSTMStream', 'state', 'an object { h0, c0 }', state);
}

function view(pointer: number, length: number): Float32Array {
  return new Float32Array(wasm().memory.buffer, pointer, length);
}
