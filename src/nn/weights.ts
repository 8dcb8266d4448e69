import type { LSTMSizes } from '../memory/parameters.ts';

/** The part of a module that sequences and streams need: its weights in linear memory. */
export interface RecurrentWeights {
  readonly sizes: LSTMSizes;
  /** Pointer of the Model that lstm_run takes */
  readonly model: number;
  /** Pointer of scratch for one row, for a stream's step; it lives as long as the weights */
  readonly stepScratch: number;
  /** Counts the bytes of scratch that lstm_run needs for `rows` rows at once. */
  scratchBytes(rows: number): number;
  /** @throws Error if the module was disposed */
  checkAlive(): void;
}
