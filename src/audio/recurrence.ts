import type { TensorLike } from '../base/tensor.ts';
import { LSTM } from '../nn/lstm.ts';
import type { LSTMState } from '../nn/state.ts';
import type { LSTMStream } from '../nn/stream.ts';

/** An LSTM and its one stream. */
export class Recurrence {
  readonly inputSize: number;
  readonly outputSize: number;
  private readonly _lstm: LSTM;
  private readonly _stream: LSTMStream;
  private readonly _start: LSTMState | undefined;

  /** @param start where every session starts; zeros if undefined */
  constructor(stateDict: ReadonlyMap<string, TensorLike>, start?: LSTMState) {
    this._lstm = LSTM.fromStateDict(stateDict);
    this.inputSize = this._lstm.inputSize;
    this.outputSize = this._lstm.projSize || this._lstm.hiddenSize;
    this._start = start;
    try {
      this._stream = this._lstm.stream();
    } catch (error) {
      this._lstm.dispose();
      throw error;
    }
    this.reset();
  }

  run(input: Float32Array, output: Float32Array): void {
    this._stream.run(input, output);
  }

  reset(): void {
    if (this._start) this._stream.setState(this._start);
    else this._stream.reset();
  }

  dispose(): void {
    this._stream.dispose();
    this._lstm.dispose();
  }
}
