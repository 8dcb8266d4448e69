import { kernels } from './kernels.ts';

/** Where the memory of a call of lstm_run lies, and its sizes; assembly/layer.ts has the shapes. */
export interface Run {
  readonly model: number;
  /** The first layer, and the one after the last */
  readonly from: number;
  readonly to: number;
  readonly x: number;
  readonly even: number;
  readonly odd: number;
  readonly h: number;
  readonly c: number;
  readonly steps: number;
  readonly batch: number;
  /** 0 if every step has all rows */
  readonly batchSizes?: number;
  /** Rows of all steps */
  readonly rows: number;
  readonly z: number;
  readonly blockRows: number;
}

/** The one place in the tests that knows how lstm_run takes its arguments. */
export function lstmRun(run: Run): void {
  const { model, from, to, x, even, odd, h, c, steps, batch, batchSizes = 0, rows, z, blockRows } = run;
  kernels.lstm_run(model, from, to, x, even, odd, h, c, steps, batch, batchSizes, rows, z, blockRows);
}
