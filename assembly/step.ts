// docs/kernels.md#a-call
import { lstm_gates_f32 } from './gates';
import { run_layers } from './layer';
import { linear } from './linear';
import { Direction, Model, output_stride, Run } from './model';
import { multiply } from './multiply';
import { float_bytes } from './panels';
import { Product } from './product';
import { copy_rows } from './rows';

/**
 * Computes one step of n rows, where z holds b + W_ih x, and the recurrent product reads h:
 *   z += W_hh h
 *   c = sigmoid(z_f) c + sigmoid(z_i) tanh(z_g)
 *   h = sigmoid(z_o) tanh(c), and with a projection W_hr times that
 *   y = h
 * z [n][ceil(H / 4)][16], overwritten; h [n][Ho], c [n][H], updated; y [n], output_stride apart.
 * scratch: with a projection [n][H] for the h before it, then [n][ceil(P / 16)][16], then the scratch of 8-bit products.
 */
export function lstm_step(
  model: Model,
  direction: Direction,
  z: usize,
  h: usize,
  c: usize,
  y: usize,
  n: i32,
  scratch: usize,
): void {
  const H = model.hiddenSize;
  const P = model.projSize;
  const yStride = output_stride(model);
  const cStride = float_bytes(H);

  const recurrent = direction.recurrent;
  recurrent.init = z;
  recurrent.z = z;
  recurrent.rows = n;
  multiply(recurrent);

  let zRow = z;
  let cRow = c;
  let hRow = P ? scratch : h;
  for (let b = 0; b < n; ++b) {
    lstm_gates_f32(zRow, cRow, hRow, P ? hRow : y + <usize>b * yStride, H);
    zRow += recurrent.zStride;
    cRow += cStride;
    hRow += cStride;
  }
  if (!P) return;

  const projection = direction.projection;
  projection.x = scratch;
  projection.z = scratch + <usize>n * cStride;
  projection.rows = n;
  projection.scratch = projection.z + <usize>n * projection.zStride;
  linear(projection, h, P);
  copy_rows(y, yStride, h, float_bytes(P), n, P);
}

/** A model whose cells are LSTM's */
@unmanaged
class LSTMModel extends Model {
  @inline
  multiply(product: Product): void {
    multiply(product);
  }

  @inline
  step(direction: Direction, z: usize, h: usize, c: usize, y: usize, n: i32, scratch: usize): void {
    lstm_step(this, direction, z, h, c, y, n, scratch);
  }
}

/** Runs layers `from` to `to` - 1 over all steps of `run`, each in all directions. */
export function lstm_run(model: LSTMModel, run: Run, from: i32, to: i32): void {
  run_layers<LSTMModel>(model, run, from, to);
}
