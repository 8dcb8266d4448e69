// docs/kernels.md#a-call
import { lstm_gates_f32 } from './gates';
import { linear } from './linear';
import { Direction, Model } from './model';
import { multiply } from './multiply';
import { float_bytes, panel_count, row_bytes } from './panels';
import { Product } from './product';
import { copy_rows } from './rows';

// The products of the running layer. Calls do not nest, so that one place serves all.
const INPUT = memory.data(offsetof<Product>());
const RECURRENT = memory.data(offsetof<Product>());
const PROJECTION = memory.data(offsetof<Product>());

/** Ho, the size of h */
export function output_size(model: Model): i32 {
  return model.projSize ? model.projSize : model.hiddenSize;
}

/** Bytes of one row's gate sums, [ceil(H / 4)][16] */
export function gate_bytes(model: Model): usize {
  return row_bytes((model.hiddenSize + 3) >> 2);
}

/** Bytes from one row of outputs to the next, D * Ho floats */
export function output_stride(model: Model): usize {
  return float_bytes(model.directions * output_size(model));
}

/**
 * Prepares the products of one layer in one direction: whatever does not change from step to step.
 * h [n][Ho]; scratch for what 8-bit products need, or with a projection for h before it and the sums of the projection
 */
export function prepare_products(model: Model, weights: Direction, h: usize, scratch: usize): void {
  const H = model.hiddenSize;
  const P = model.projSize;
  const input = changetype<Product>(INPUT);
  input.w = weights.ih;
  input.xStride = float_bytes(weights.inputSize);
  input.K = weights.inputSize;
  input.init = weights.bias;
  input.initStride = 0;
  input.zStride = gate_bytes(model);
  input.panels = (H + 3) >> 2;
  input.form = model.form;
  input.scratch = scratch;

  const recurrent = changetype<Product>(RECURRENT);
  recurrent.w = weights.hh;
  recurrent.x = h;
  recurrent.xStride = float_bytes(output_size(model));
  recurrent.K = output_size(model);
  recurrent.initStride = gate_bytes(model);
  recurrent.zStride = gate_bytes(model);
  recurrent.panels = (H + 3) >> 2;
  recurrent.form = model.form;
  recurrent.scratch = scratch;

  if (!P) return;
  const projection = changetype<Product>(PROJECTION);
  projection.w = weights.hr;
  projection.x = scratch;
  projection.xStride = float_bytes(H);
  projection.K = H;
  projection.init = weights.hrBias;
  projection.initStride = 0;
  projection.zStride = row_bytes(panel_count(P));
  projection.panels = panel_count(P);
  projection.form = model.form;
}

/** z = b + W_ih x for n rows of inputs */
export function input_product(x: usize, z: usize, n: i32): void {
  const product = changetype<Product>(INPUT);
  product.x = x;
  product.z = z;
  product.rows = n;
  multiply(product);
}

/**
 * One step of n rows, after prepare_products(), where z holds b + W_ih x:
 *   z += W_hh h
 *   c = sigmoid(z_f) c + sigmoid(z_i) tanh(z_g)
 *   h = sigmoid(z_o) tanh(c), and with a projection W_hr times that
 *   y = h
 * z [n][ceil(H / 4)][16], overwritten; h [n][Ho], c [n][H], updated; y [n], output_stride apart.
 * scratch: with a projection [n][H] for h before it, then [n][ceil(P / 16)][16], then whatever 8-bit products need.
 */
export function lstm_step(model: Model, z: usize, h: usize, c: usize, y: usize, n: i32, scratch: usize): void {
  const H = model.hiddenSize;
  const P = model.projSize;
  const yStride = output_stride(model);
  const cStride = float_bytes(H);

  const recurrent = changetype<Product>(RECURRENT);
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

  const projection = changetype<Product>(PROJECTION);
  projection.z = scratch + <usize>n * cStride;
  projection.rows = n;
  projection.scratch = projection.z + <usize>n * projection.zStride;
  linear(projection, h, P);
  copy_rows(y, yStride, h, float_bytes(P), n, P);
}
