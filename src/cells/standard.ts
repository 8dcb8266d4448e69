import type { AnyTensor, TensorLike } from '../base/tensor.ts';
import { quantizeMatrix } from '../memory/int8.ts';
import { LSTM, type LSTMResult } from '../nn/lstm.ts';
import { packPaddedSequence, padPackedSequence } from '../nn/packed.ts';
import type { LSTMState } from '../nn/state.ts';
import { SCALE } from '../nn/state-dict.ts';
import type { CellOptions, CellResult, Cells, PaddedBatch } from './cells.ts';

/** PyTorch's cell, with sigmoid, tanh and tanh, run by an LSTM. */
export class StandardCells implements Cells {
  readonly lstm: LSTM;

  constructor(options: CellOptions) {
    this.lstm = LSTM.fromStateDict(toStateDict(options), { batchFirst: options.batchFirst });
  }

  run({ x, T, batch, lengths, h0, c0 }: PaddedBatch): CellResult {
    const { inputSize, hiddenSize, batchFirst, sizes } = this.lstm;
    const dims = [sizes.directions, batch, hiddenSize];
    const state = (data: Float32Array | undefined) => ({
      data: data ?? new Float32Array(sizes.directions * batch * hiddenSize),
      dims,
    });
    const input = { data: x, dims: [...(batchFirst ? [batch, T] : [T, batch]), inputSize] };
    const start = h0 || c0 ? { h0: state(h0), c0: state(c0) } : undefined;
    const { output, hn, cn } = runPadded(this.lstm, input, T, lengths, start);
    return { y: output.data, h: hn.data, c: cn.data };
  }

  dispose(): void {
    this.lstm.dispose();
  }
}

/** Runs sequences that are padded to T steps. Outputs after the end of a sequence are zeros; last states are those at its end. */
function runPadded(
  lstm: LSTM,
  input: TensorLike,
  T: number,
  lengths: readonly number[] | undefined,
  state: LSTMState | undefined,
): LSTMResult {
  if (!lengths) return lstm.forward(input, state);
  const { batchFirst } = lstm;
  const packed = packPaddedSequence(input, lengths, { batchFirst, enforceSorted: false });
  const { output, hn, cn } = lstm.forward(packed, state);
  return { output: padPackedSequence(output, { batchFirst, totalLength: T }).output, hn, cn };
}

function toStateDict({ I, H, directions, int8 }: CellOptions): Map<string, AnyTensor> {
  const dict = new Map<string, AnyTensor>();
  const set = (name: string, values: Float32Array, columns: number): void => {
    const dims = [4 * H, columns];
    if (!int8) dict.set(name, { data: values, dims });
    else {
      const { data, scale } = quantizeMatrix('LSTM', name, values, 4 * H);
      dict.set(name, { data, dims });
      dict.set(name + SCALE, { data: scale, dims: [4 * H] });
    }
  };
  for (const [d, { ih, hh, bias }] of directions.entries()) {
    const suffix = d ? '_l0_reverse' : '_l0';
    set(`weight_ih${suffix}`, ih, I);
    set(`weight_hh${suffix}`, hh, H);
    if (!bias) continue;
    dict.set(`bias_ih${suffix}`, { data: bias[0], dims: [4 * H] });
    dict.set(`bias_hh${suffix}`, { data: bias[1], dims: [4 * H] });
  }
  return dict;
}
