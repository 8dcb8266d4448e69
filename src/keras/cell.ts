import type { Linear } from '../nn/linear.ts';
import { LSTM } from '../nn/lstm.ts';
import { packPaddedSequence, padPackedSequence } from '../nn/packed.ts';
import type { LstmConfig } from './lstm-config.ts';
import { linear, transpose } from './matrix.ts';

/** h and c of each row, (B, H) each. */
export interface State {
  readonly h: Float32Array;
  readonly c: Float32Array;
}

export interface Sequence extends State {
  /** h after each step, (B, T, H); zeros after the end of a row */
  readonly output: Float32Array;
}

/** Runs rows of different lengths, each at least 1 and one of them `steps`. */
export interface Cell {
  /** @param x (B, T, I) */
  run(x: Float32Array, lengths: readonly number[], steps: number, state: State): Sequence;
  dispose(): void;
}

/** @param weights kernel (I, 4H), recurrent kernel (H, 4H), bias (4H) if there is one; gates i, f, c, o */
export function makeCell(config: LstmConfig, weights: readonly Float32Array[]): Cell {
  return config.standard ? new FastCell(config, weights) : new AnyCell(config, weights);
}

/** With tanh and sigmoid: PyTorch's LSTM, whose gates i, f, g, o are Keras's. */
class FastCell implements Cell {
  private readonly _lstm: LSTM;

  constructor({ units }: LstmConfig, [kernel, recurrent, bias]: readonly Float32Array[]) {
    const gates = 4 * units;
    this._lstm = LSTM.fromStateDict(
      {
        weight_ih_l0: transpose(kernel!, kernel!.length / gates, gates),
        weight_hh_l0: transpose(recurrent!, units, gates),
        ...(bias && {
          bias_ih_l0: { data: bias, dims: [gates] },
          bias_hh_l0: { data: new Float32Array(gates), dims: [gates] },
        }),
      },
      { batchFirst: true },
    );
  }

  run(x: Float32Array, lengths: readonly number[], steps: number, { h, c }: State): Sequence {
    const { inputSize, hiddenSize } = this._lstm;
    const input = { data: x, dims: [lengths.length, steps, inputSize] };
    const dims = [1, lengths.length, hiddenSize];
    const state = { h0: { data: h, dims }, c0: { data: c, dims } };
    if (lengths.every((length) => length === steps)) {
      const { output, hn, cn } = this._lstm.forward(input, state);
      return { output: output.data, h: hn.data, c: cn.data };
    }
    const packed = packPaddedSequence(input, lengths, { batchFirst: true, enforceSorted: false });
    const { output, hn, cn } = this._lstm.forward(packed, state);
    return { output: padPackedSequence(output, { batchFirst: true }).output.data, h: hn.data, c: cn.data };
  }

  dispose(): void {
    this._lstm.dispose();
  }
}

/** With any activations, step by step: c = f c + i activation(g), h = o activation(c). */
class AnyCell implements Cell {
  private readonly _config: LstmConfig;
  private readonly _kernel: Linear;
  private readonly _recurrent: Linear;

  constructor(config: LstmConfig, [kernel, recurrent, bias]: readonly Float32Array[]) {
    this._config = config;
    this._kernel = linear(kernel!, 4 * config.units, bias);
    try {
      this._recurrent = linear(recurrent!, 4 * config.units, undefined);
    } catch (error) {
      this._kernel.dispose();
      throw error;
    }
  }

  run(x: Float32Array, lengths: readonly number[], steps: number, state: State): Sequence {
    const { units, activation, recurrentActivation } = this._config;
    const batch = lengths.length;
    const [h, c] = [state.h.slice(), state.c.slice()];
    const output = new Float32Array(batch * steps * units);
    const inputs = this._kernel.forward({ data: x, dims: [batch, steps, this._kernel.inFeatures] }).data;
    const gates = [0, 1, 2, 3].map(() => new Float32Array(batch * units));
    const [i, f, g, o] = gates as [Float32Array, Float32Array, Float32Array, Float32Array];
    for (let t = 0; t < steps; t++) {
      const recurrent = this._recurrent.forward({ data: h, dims: [batch, units] }).data;
      for (let row = 0; row < batch; row++) {
        for (const [gate, sums] of gates.entries()) {
          const from = (row * steps + t) * 4 * units + gate * units;
          const back = row * 4 * units + gate * units;
          for (let k = 0; k < units; k++) sums[row * units + k] = inputs[from + k]! + recurrent[back + k]!;
        }
      }
      for (const sums of [i, f, o]) recurrentActivation(sums, units);
      activation(g, units);
      const next = c.map((value, k) => Math.fround(f[k]! * value) + Math.fround(i[k]! * g[k]!));
      const active = next.slice();
      activation(active, units);
      for (let row = 0; row < batch; row++) {
        if (t >= lengths[row]!) continue;
        for (let k = row * units; k < (row + 1) * units; k++) {
          c[k] = next[k]!;
          h[k] = o[k]! * active[k]!;
        }
        output.set(h.subarray(row * units, (row + 1) * units), (row * steps + t) * units);
      }
    }
    return { output, h, c };
  }

  dispose(): void {
    this._kernel.dispose();
    this._recurrent.dispose();
  }
}
