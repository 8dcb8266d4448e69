import type { Activation } from './activations.ts';

// LSTM layers as other formats than PyTorch have them: one layer in one or two directions.

/** Weights of one direction, their gates in the order i, f, g, o. */
export interface CellWeights {
  /** [4H][I], [4H][H] */
  readonly ih: Float32Array;
  readonly hh: Float32Array;
  /** [4H] each, added to each other; undefined: zeros */
  readonly bias: readonly [ih: Float32Array, hh: Float32Array] | undefined;
  /** [3H], of c in the gates i, o, f; undefined: none */
  readonly peepholes?: Float32Array | undefined;
}

export interface CellOptions {
  readonly I: number;
  readonly H: number;
  /** D of them; the second starts at the end of each sequence */
  readonly directions: readonly CellWeights[];
  /** Three a direction: of the gates i, f and o, of the input, of the output */
  readonly functions: readonly Activation[];
  readonly batchFirst?: boolean;
  /** Bounds what all functions but the output's are given; undefined: no bound */
  readonly clip?: number | undefined;
  /** Whether f = 1 - i */
  readonly inputForget?: boolean;
}

/** Sequences that start at the first step; each at least one step long, and none longer than T. */
export interface PaddedBatch {
  /** [T][batch][I], with batchFirst [batch][T][I] */
  readonly x: Float32Array;
  readonly T: number;
  readonly batch: number;
  /** undefined: all are T long */
  readonly lengths: readonly number[] | undefined;
  /** [D][batch][H]; undefined: zeros */
  readonly h0: Float32Array | undefined;
  readonly c0: Float32Array | undefined;
}

export interface CellResult {
  /** [T][batch][D][H], with batchFirst [batch][T][D][H]; zeros after the end of a sequence */
  readonly y: Float32Array;
  /** [D][batch][H], after the last step of each sequence */
  readonly h: Float32Array;
  readonly c: Float32Array;
}

export interface Cells {
  run(sequences: PaddedBatch): CellResult;
  dispose(): void;
}
