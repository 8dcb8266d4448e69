// docs/kernels.md#gru-and-rnn
import { run_layers } from '../layer';
import { Direction, Model, output_stride, Run } from '../model';
import { float_bytes } from '../panels';
import { Product } from '../product';
import { multiply } from './env';
import { gru_gates_f32, rnn_gate_f32 } from './gates';

/** Cells of this module as a Model's `cell` has them, by the codes in src/gru/kinds.ts; 3 is the RNN with tanh. */
const GRU: i32 = 1;
const RNN_RELU: i32 = 7;

/** A model whose cells are those of this module. Rows of its matrices keep their order: gates r, z, n of H units each. */
@unmanaged
class CellsModel extends Model {
  @inline
  multiply(product: Product): void {
    multiply(product);
  }

  /**
   * Computes one step of n rows, where z holds b_ih + W_ih x and with GRU h the state that the recurrent product reads:
   *   GRU: s = b_hh + W_hh h in scratch, since its reset gate takes the sums apart; then the gates
   *   RNN: z += W_hh h, where b_ih has b_hh added; then tanh or relu
   * z [n][panels][16]; h [n][H], updated; y [n], output_stride apart; scratch: with GRU [n][panels][16], then that of 8-bit products
   */
  step(direction: Direction, z: usize, h: usize, _c: usize, y: usize, n: i32, scratch: usize): void {
    const H = this.hiddenSize;
    const isGRU = this.cell === GRU;
    const yStride = output_stride(this);
    const recurrent = direction.recurrent;
    const zStride = recurrent.zStride;
    recurrent.rows = n;
    if (isGRU) {
      // in the place of a projection's
      recurrent.init = direction.projection.init;
      recurrent.initStride = 0;
      recurrent.z = scratch;
      recurrent.scratch = scratch + <usize>n * zStride;
    } else {
      recurrent.init = z;
      recurrent.z = z;
    }
    multiply(recurrent);
    for (; n > 0; --n) {
      if (isGRU) gru_gates_f32(z, scratch, h, y, H);
      else rnn_gate_f32(z, h, y, H, this.cell === RNN_RELU);
      z += zStride;
      scratch += zStride;
      h += float_bytes(H);
      y += yStride;
    }
  }
}

/** Runs layers `from` to `to` - 1 over all steps of `run`, each in all directions. */
export function cells_run(model: CellsModel, run: Run, from: i32, to: i32): void {
  run_layers<CellsModel>(model, run, from, to);
}
