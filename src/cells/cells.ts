import type { Activation } from './activations.ts';

// Recurrent layers of ONNX and Keras: one layer in one or two directions.

/** The cells: how many gates they have, G, and how many activation functions. */
export const CELLS = {
  LSTM: { gates: 4, functions: 3 },
  GRU: { gates: 3, functions: 2 },
  RNN: { gates: 1, functions: 1 },
};
export type CellName = keyof typeof CELLS;

/** The weights of one direction, with the gates in PyTorch's order: i, f, g, o, or r, z, n. */
export interface CellWeights {
  /** [G H][I] */
  readonly ih: Float32Array;
  /** [G H][H] */
  readonly hh: Float32Array;
  /** Scales [G H] of rows whose weights are 8-bit integers times these; undefined: chosen for the weights. */
  readonly scales?: readonly [ih: Float32Array, hh: Float32Array] | undefined;
  /** Two biases [G H], which are added, but for n of a GRU with `resetAfter`; undefined: zeros. */
  readonly bias: readonly [ih: Float32Array, hh: Float32Array] | undefined;
  /** [3H], the weights of c in the gates i, o, f; undefined: no peepholes. */
  readonly peepholes?: Float32Array | undefined;
}

/** A layer, as makeCells() takes it. */
export interface CellOptions {
  /** Default: LSTM. */
  readonly cell?: CellName;
  /** The size of the input. */
  readonly I: number;
  /** The number of units. */
  readonly H: number;
  /** D directions; the second starts at the end of each sequence. */
  readonly directions: readonly CellWeights[];
  /** Functions for each direction. LSTM: of the gates i, f and o, of the input g, and of the output; GRU: of r and z, of n; RNN: one. */
  readonly functions: readonly Activation[];
  /** Whether sequences and outputs are [batch][T] in place of [T][batch]. */
  readonly batchFirst?: boolean;
  /** Bounds the arguments of the functions of gates and input to ±clip; undefined: no bound. */
  readonly clip?: number | undefined;
  /** Whether the forget gate is 1 - i. */
  readonly inputForget?: boolean;
  /** GRU: whether the reset gate multiplies the recurrent sum of n, as in PyTorch, in place of h before it is multiplied. */
  readonly resetAfter?: boolean;
  /** Whether matrices get 8-bit weights; PyTorch's cell only. All weights are finite then. */
  readonly int8?: boolean;
}

/** Sequences that start at the first step and are padded to T steps; each has at least one step. */
export interface PaddedBatch {
  /** [T][batch][I], with batchFirst [batch][T][I]. */
  readonly x: Float32Array;
  readonly T: number;
  readonly batch: number;
  /** [batch], the steps of each sequence; undefined: T. */
  readonly lengths: readonly number[] | undefined;
  /** [D][batch][H], the initial h; undefined: zeros. */
  readonly h0: Float32Array | undefined;
  /** [D][batch][H], the initial c; undefined: zeros. */
  readonly c0: Float32Array | undefined;
}

/** The outputs and last states of a batch. */
export interface CellResult {
  /** [T][batch][D][H], with batchFirst [batch][T][D][H]; zeros after the end of a sequence. */
  readonly y: Float32Array;
  /** [D][batch][H], h after the last step of each sequence. */
  readonly h: Float32Array;
  /** [D][batch][H], c after the last step of each sequence; no elements if the cell has no c. */
  readonly c: Float32Array;
}

/** A layer that is ready to run. */
export interface Cells {
  /**
   * @param traces of an LSTM alone; takes i, f, g, o, c and h of each step, for each direction, if it is given: [T][batch][H], with batchFirst
   *   [batch][T][H]; zeros after the end of a sequence
   */
  run(sequences: PaddedBatch, traces?: Float32Array[]): CellResult;
  dispose(): void;
}
