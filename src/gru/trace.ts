import { copyGates } from '../memory/lstm-weights.ts';
import { panelBytes } from '../memory/pack.ts';
import type { LSTMSizes } from '../memory/parameters.ts';
import { TracedSequence } from '../nn/trace.ts';

/** A traced GRU: its kernel leaves the sums of the input, and behind those of all rows the recurrent ones. */
export class GRUSequence extends TracedSequence {
  /** The recurrent sums of r, z and n, in the layout of the gates */
  private _sums: readonly Float32Array[] = [];

  protected override copyMore(
    z: number,
    sizes: LSTMSizes,
    n: number,
    gates: readonly Float32Array[],
    first: number,
    stride: number,
  ): void {
    if (!this._sums.length) this._sums = gates.map(({ length }) => new Float32Array(length));
    copyGates(z + n * panelBytes(sizes.gateRows, 1), sizes, n, this._sums, first, stride);
  }

  /** r = sigmoid(x_r + s_r), z likewise, n = tanh(x_n + r s_n) */
  protected override complete(gates: readonly Float32Array[], k: number): void {
    const own = this._sums[k]!;
    const gate = gates[k]!;
    for (let i = 0; i < gate.length; i++) gate[i]! += k === 2 ? Math.fround(gates[0]![i]! * own[i]!) : own[i]!;
  }
}
