import type { LayerTrace, LSTMState, ModelError, StateDict, TensorLike } from '../index.ts';

// The view that commands have of a model of any format.

/** A tensor of any type that the library takes or gives. */
export interface AnyValue {
  readonly data: Float32Array | BigInt64Array | Int32Array | Int8Array | Uint8Array;
  readonly dims: readonly number[];
}

/** An input or output. */
export interface Port {
  readonly name: string;
  readonly type: string;
  /** A number is a size, a string the name of one, null any; undefined if the file does not say. */
  readonly dims: readonly (number | string | null)[] | undefined;
  /** Whether the runner itself checks the dims that it is given. */
  readonly isFree?: boolean;
  /** A sequence may come without the axis of samples, which is then this one. */
  readonly sampleAxis?: number;
}

/** Reads a file that a model names. @throws CliError if it is not there */
export type Beside = (name: string) => Uint8Array<ArrayBuffer>;

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** A part of inspect's answer. */
export interface Listing {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

/** An LSTM that was found in a model. */
export interface FoundLstm {
  readonly name: string;
  /** Whether it is an LSTMCell: its weights then have those keys. */
  readonly isCell?: boolean;
  /** The weights as an nn.LSTM has them, keys without a prefix; undefined if no nn.LSTM computes the same. */
  readonly weights: StateDict | undefined;
  /** The states with which it starts, if not with zeros. */
  readonly initialState?: LSTMState | undefined;
  /** Why there are no weights, or why no LSTM can be made of them. */
  readonly why?: string | undefined;
  /** Options by name, as the layer of the format or as nn.LSTM has them. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
}

/** A linear layer behind an LSTM. */
export interface Head {
  readonly name: string;
  /** weight and bias as an nn.Linear has them, keys without a prefix. */
  readonly weights: StateDict;
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** The activation function behind it. */
  readonly activation?: string | undefined;
}

/** The layers that `convert` writes: LSTMs one after the other, and linear layers behind them. */
export interface Chain {
  readonly lstms: readonly FoundLstm[];
  readonly heads: readonly Head[];
  /** Tensors that are copied as they are. */
  readonly others?: StateDict;
  /** Whether the input is added to the output. */
  readonly skip?: boolean;
  /**
   * Runs the model itself on a sequence (T, inputSize), and gives the numbers of its outputs, in each way in which it may take the
   * sequence; undefined if the file does not say how its layers are connected.
   */
  readonly answers: ((input: TensorLike) => readonly (readonly Float32Array[])[]) | undefined;
  /** Numbers of steps to try, where a model takes no other than one. */
  readonly steps?: readonly number[];
  /** Whether inputs after the first are knobs, which stay the same in a sequence. */
  readonly hasKnobs?: boolean;
}

/** A model that is ready to run. */
export interface Runner {
  readonly inputs: readonly Port[];
  readonly outputs: readonly string[];
  /** The samples a second of the audio that it was trained on. */
  readonly sampleRate?: number | undefined;
  /** Whether a row of the input is a step of a state that goes on, so that it may run in pieces: see `go`. */
  readonly isStream?: boolean;
  run(feeds: ReadonlyMap<string, AnyValue>, go: Progress): Promise<Readonly<Record<string, AnyValue>>>;
  dispose(): void;
}

/** A model that tells what its LSTMs do in a run, by their names. */
export interface Tracer extends Runner {
  trace(feeds: ReadonlyMap<string, AnyValue>): {
    readonly outputs: Readonly<Record<string, AnyValue>>;
    readonly nodes: Readonly<Record<string, LayerTrace>>;
  };
}

/** Tells how far a run is, from 0 to 1, and lets the process hear signals. */
export type Progress = (done: number) => Promise<void>;

/** Choices of the person who runs a model. */
export interface RunChoices {
  readonly knobs?: readonly number[];
  /** The prefix or name of the LSTM to run alone, of several. */
  readonly lstm?: string | undefined;
  /** Names of linear layers to run behind it; 'none' for none. */
  readonly head?: string | undefined;
  readonly int8?: boolean;
}

/** Why a model does not run and what to do. */
export interface Problem {
  readonly message: string;
  /** Whether the file is wrong. Else it is in order, and something else than this library runs it. */
  readonly isBad: boolean;
  /** What a reader threw, with its code and place. */
  readonly error?: ModelError;
}

/** A file that was read. */
export interface Model {
  /** The name of the format: 'ONNX'. */
  readonly format: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly listings: readonly Listing[];
  /** For --json: what `listings` shows, by name. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly lstms: readonly FoundLstm[];
  readonly parameters: number;
  /** Why it does not run; undefined if it runs. */
  readonly problem: Problem | undefined;
  /** Gives the bytes that it takes in linear memory when it is ready to run. */
  memory(): number;
  /** Makes it ready to run. @throws CliError or ModelError */
  runner(choices: RunChoices): Runner;
  /** Makes a whole model ready to run and to trace; undefined if only an LSTM of it can be traced. */
  readonly tracer?: (() => Tracer) | undefined;
  /** Tells the layers for `convert`. @throws CliError if there are other layers too */
  chain(): Promise<Chain>;
}
