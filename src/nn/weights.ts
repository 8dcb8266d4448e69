import type { LSTMSizes } from '../memory/parameters.ts';

/** A module's weights in linear memory, as running them sees them. */
export interface RecurrentWeights {
  readonly sizes: LSTMSizes;
  /** Pointer of the Model that lstm_run takes */
  readonly model: number;
  /** Scratch for one row that lives as long as the weights, for a stream's step */
  readonly stepScratch: number;
  /** Bytes of scratch that lstm_run needs for `rows` rows at once */
  scratchBytes(rows: number): number;
  /** @throws Error if the module was disposed */
  checkAlive(): void;
}
