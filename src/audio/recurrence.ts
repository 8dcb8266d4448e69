import type { TensorLike } from '../base/tensor.ts';
import { LSTM } from '../nn/lstm.ts';
import type { LSTMState } from '../nn/state.ts';
import type { LSTMStream } from '../nn/stream.ts';

/** An LSTM and its one stream. */
export class Recurrence {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly #lstm: LSTM;
  readonly #stream: LSTMStream;
  readonly #start: LSTMState | undefined;

  /** @param start where every session starts; zeros if undefined */
  constructor(stateDict: ReadonlyMap<string, TensorLike>, start?: LSTMState) {
    this.#lstm = LSTM.fromStateDict(stateDict);
    this.inputSize = this.#lstm.inputSize;
    this.outputSize = this.#lstm.projSize || this.#lstm.hiddenSize;
    this.#start = start;
    try {
      this.#stream = this.#lstm.stream();
    } catch (error) {
      this.#lstm.dispose();
      throw error;
    }
    this.reset();
  }

  run(input: Float32Array, output: Float32Array): void {
    this.#stream.run(input, output);
  }

  reset(): void {
    if (this.#start) this.#stream.setState(this.#start);
    else this.#stream.reset();
  }

  dispose(): void {
    this.#stream.dispose();
    this.#lstm.dispose();
  }
}
