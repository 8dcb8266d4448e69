// What the panel and its worker tell each other: plain values that can be cloned.

/** What a model is run on. */
export type Source = 'recording' | 'random' | 'typed' | 'file';

/** A layer, node or tensor of a file. */
export interface Content {
  /** Its kind and sizes: "Conv 1→258". */
  readonly text: string;
  /** Its name in the file. */
  readonly name: string;
  readonly numbers: number;
  /** The LSTM whose gates a click shows. */
  readonly lstm?: string;
  /** The branches or bodies in which it is, outermost first. */
  readonly branch?: readonly string[];
}

/** Why a file does not run, or is no model. */
export interface Trouble {
  readonly message: string;
  /** Names of what is missing: operators of ONNX, layers of Keras. */
  readonly missing: readonly string[];
  /** Of a ModelError: code, path, expected, found. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Whether the file is damaged; else it is in order, and something else runs it. */
  readonly isBad: boolean;
}

/** A model that was read. */
export interface Described {
  readonly name: string;
  readonly format: string;
  readonly bytes: number;
  /** Seconds that reading took. */
  readonly seconds: number;
  readonly parameters: number;
  readonly contents: readonly Content[];
  /** How many contents are not listed. */
  readonly more: number;
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Undefined if it runs. */
  readonly trouble?: Trouble;
  readonly offers: readonly Source[];
  /** What may be typed: "40 numbers a step". */
  readonly takes: string;
  /** Samples a second that the model was trained on, if it hears sound. */
  readonly rate?: number;
}

/** A sequence for a model, as the page has it. */
export type Given =
  | {
      readonly kind: 'recording' | 'sound';
      readonly samples: Float32Array;
      readonly rate: number;
      readonly name: string;
    }
  | { readonly kind: 'random'; readonly seed: number }
  | { readonly kind: 'typed'; readonly text: string }
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly name: string };

/** Values over the time of a run. */
export interface Track {
  /** [count][width] */
  readonly data: Float32Array;
  readonly width: number;
  readonly count: number;
}

/** A picture of what went in. */
export interface Heard {
  /** [columns][lines], from the lowest line up: indices of colours. */
  readonly data: Uint8Array;
  readonly lines: number;
  readonly columns: number;
  /** The time of the first column's left edge, and of a column's width. */
  readonly start: number;
  readonly every: number;
  /** "0–8 kHz", "40 numbers". */
  readonly detail: string;
  /** Values at each step in place of a picture, and their range. */
  readonly line?: Float32Array;
}

/** One layer of an LSTM in one direction. */
export interface Cell {
  readonly key: string;
  /** The LSTM's name in the file. */
  readonly lstm: string;
  /** "layer 1 of 2, backwards"; empty for the only one. */
  readonly which: string;
  readonly hidden: number;
}

/** What came of a run. */
export interface Ran {
  /** Seconds, where the input is sound; else steps. */
  readonly length: number;
  readonly isSound: boolean;
  /** What was fed: "Recording", "Random numbers". */
  readonly fed: string;
  /** What went in: a picture, from low to high, or where it is one number a step a line. */
  readonly heard: Heard;
  readonly said?: Track & { readonly name: string };
  /** An answer without steps: "output: 0.12 0.88". */
  readonly answer?: string;
  /** Seconds of the run, and the calls or steps in it. */
  readonly seconds: number;
  readonly steps: number;
  readonly cells: readonly Cell[];
  /** What the comparison of gates with the model's own answers found, or why there are no gates. */
  readonly compared: string;
  readonly isSame: boolean;
  /** What the page did on its own: cut the input, ran an LSTM alone. */
  readonly notes: readonly string[];
}

export const GATES = ['i', 'f', 'g', 'o', 'c', 'h'] as const;
export type Gate = (typeof GATES)[number];

/** Gates and states of a cell: i to c are [count][hidden], h is [count][out]. */
export interface Gates extends Readonly<Record<Gate, Float32Array>> {
  readonly key: string;
  readonly count: number;
  readonly hidden: number;
  /** The width of h, which a projection makes smaller. */
  readonly out: number;
  /** Whether the first step is the last of the sequence. */
  readonly reverse: boolean;
  /** Whether h = o * tanh(c) holds: false with a projection or another activation. */
  readonly isPlain: boolean;
}

/** One row of what can be saved. */
export interface Saving {
  readonly kind: 'float32' | 'int8';
  readonly bytes: number;
  /** Seconds a step of the LSTM alone, measured. */
  readonly step: number;
}

export interface Savings {
  readonly rows: readonly Saving[];
  /** "the whole model" or "its LSTM alone". */
  readonly what: string;
  /** The error that 8 bits make on this input. */
  readonly error: string;
  /** The LSTM that was timed: "LSTM(128, 128)". */
  readonly timed: string;
  readonly timedSteps: number;
}
