export type ModelName = 'v5' | 'v6';

/** Units of Silero's LSTM. */
export const UNITS = 128;
/** Hz, and seconds of a step: 512 samples. */
export const RATE = 16_000;
export const STEP = 512 / RATE;

/** What is known of a model that is there. */
export interface Loaded {
  /** Bytes on the wire */
  readonly bytes: number;
  /** The |c| at which the heat map's colours end. */
  readonly limit: number;
}

/** What came of a part of a sound: whole steps. */
export interface Part {
  /** At RATE, 512 a step */
  readonly samples: Float32Array;
  readonly probabilities: Float32Array;
  /** [steps][UNITS], asinh(c) scaled to 1 .. 255 with zero at 128 */
  readonly cells: Uint8Array;
  /** Units whose c is above 1 and below -1, a step */
  readonly above: Uint8Array;
  readonly below: Uint8Array;
  /** Columns of a Spectrogram */
  readonly spectrum: Uint8Array;
  /** Time in the network. */
  readonly milliseconds: number;
}

/** The recording that a panel begins with. */
export interface BuiltIn {
  readonly recording: string;
  readonly drawing: string;
  readonly name: string;
  /** Where it is read, as the receipt says it. */
  readonly where: string;
  /** The part that is shown first, in seconds, and the playhead's place. */
  view(): { from: number; to: number; playhead: number } | undefined;
}

/** What a panel does now. */
export type Mode = 'still' | 'busy' | 'playing' | 'live';
