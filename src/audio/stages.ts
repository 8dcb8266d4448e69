import type { TensorLike } from '../base/tensor.ts';
import { type Activation, activate } from '../cells/activations.ts';
import { Linear } from '../nn/linear.ts';
import { LSTM } from '../nn/lstm.ts';
import type { LSTMState } from '../nn/state.ts';
import type { LSTMStream } from '../nn/stream.ts';

// The stages that a model is made of. None makes garbage while it runs.

/** The tensor that a stage writes to, in the form of forward()'s options. */
export interface Target {
  readonly out: TensorLike;
}

/** One step of the signal chain. */
export interface Stage {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Computes a target (rows, outputSize) from an input (rows, inputSize); updates the state, if the stage has one. */
  run(input: TensorLike, target: Target): void;
  /** Goes back to the initial state. */
  reset(): void;
  dispose(): void;
}

/** An LSTM and its one stream. */
export class LstmStage implements Stage {
  readonly inputSize: number;
  readonly outputSize: number;
  private readonly _lstm: LSTM;
  private readonly _stream: LSTMStream;
  private readonly _start: LSTMState | undefined;

  /** @param start the initial state of every session; zeros if undefined */
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

  run(input: TensorLike, { out }: Target): void {
    this._stream.run(input.data, out.data);
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

/** A Linear and an activation, without a state. */
export class DenseStage implements Stage {
  readonly inputSize: number;
  readonly outputSize: number;
  private readonly _linear: Linear;
  private readonly _activation: Activation | undefined;

  /** @param weight (outputSize, inputSize) */
  constructor(weight: Float32Array, bias: Float32Array, activation?: Activation) {
    this.outputSize = bias.length;
    this.inputSize = weight.length / bias.length;
    this._activation = activation;
    this._linear = Linear.fromStateDict({
      weight: { data: weight, dims: [this.outputSize, this.inputSize] },
      bias: { data: bias, dims: [this.outputSize] },
    });
  }

  run(input: TensorLike, target: Target): void {
    const { data } = this._linear.forward(input, target);
    if (this._activation) activate(this._activation, data, this.outputSize);
  }

  reset(): void {}

  dispose(): void {
    this._linear.dispose();
  }
}
