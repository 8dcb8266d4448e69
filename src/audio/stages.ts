import type { TensorLike } from '../base/tensor.ts';
import { type Activation, activate, activationName } from '../cells/activations.ts';
import { GRU } from '../gru/gru.ts';
import { Linear } from '../nn/linear.ts';
import { LSTM } from '../nn/lstm.ts';
import type { LSTMState } from '../nn/state.ts';
import type { LSTMStream } from '../nn/stream.ts';

// The stages that a model is made of. None makes garbage while it runs.

/** Describes a stage of an AudioModel: an LSTM, a GRU, or a linear layer with an activation function behind it. */
export interface AudioLayer {
  /** The weights as an nn.LSTM, nn.GRU or nn.Linear has them. Read it before the model is disposed of. */
  readonly stateDict: ReadonlyMap<string, TensorLike>;
  /** The states (L, H) in which an LSTM starts; undefined if the file has none, and of other layers. */
  readonly initialState: LSTMState | undefined;
  /** The activation function behind a linear layer, such as 'tanh'; undefined without one, and of other layers. */
  readonly activation: string | undefined;
}

/** The tensor that a stage writes to, in the form of forward()'s options. */
export interface Target {
  readonly out: TensorLike;
}

/** An LSTM or GRU as a file has it: its tensors as PyTorch names them, and the state in which every session starts, zeros if undefined. */
export interface RecurrentParts {
  readonly kind: 'lstm' | 'gru';
  readonly stateDict: ReadonlyMap<string, TensorLike>;
  readonly start?: LSTMState | undefined;
}

/** A linear layer as a file has it. */
export interface DenseParts {
  readonly kind: 'dense';
  /** (outputs, inputs) */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly activation?: Activation | undefined;
}

/** The parts of a stage: plain values, which can be sent to another thread. */
export type StageParts = RecurrentParts | DenseParts;

/** One step of the signal chain. */
export interface Stage {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly layer: AudioLayer;
  /** Computes a target (rows, outputSize) from an input (rows, inputSize); updates the state, if the stage has one. */
  run(input: TensorLike, target: Target): void;
  /** Goes back to the initial state. */
  reset(): void;
  dispose(): void;
}

/** Makes a stage. @throws ModelError or RangeError if the weights are no layer, or memory cannot hold them */
export function makeStage(parts: StageParts): Stage {
  return parts.kind === 'dense'
    ? new DenseStage(parts.weight, parts.bias, parts.activation)
    : new RecurrentStage(parts);
}

/** An LSTM or GRU and its one stream. */
class RecurrentStage implements Stage {
  readonly inputSize: number;
  readonly outputSize: number;
  private readonly _module: LSTM | GRU;
  private readonly _stream: LSTMStream;
  private readonly _start: LSTMState | undefined;

  constructor({ kind, stateDict, start }: RecurrentParts) {
    this._module = (kind === 'gru' ? GRU : LSTM).fromStateDict(stateDict);
    this.inputSize = this._module.inputSize;
    this.outputSize = this._module.sizes.outputSize;
    this._start = start;
    let stream: LSTMStream | undefined;
    try {
      this._stream = stream = this._module.stream() as LSTMStream;
      this.reset();
    } catch (error) {
      stream?.dispose();
      this._module.dispose();
      throw error;
    }
  }

  get layer(): AudioLayer {
    const module = this._module;
    return {
      get stateDict() {
        return module.stateDict();
      },
      initialState: this._start,
      activation: undefined,
    };
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
    this._module.dispose();
  }
}

/** A Linear and an activation, without a state. */
class DenseStage implements Stage {
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

  get layer(): AudioLayer {
    const linear = this._linear;
    return {
      get stateDict() {
        return linear.stateDict();
      },
      initialState: undefined,
      activation: this._activation && activationName(this._activation),
    };
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
