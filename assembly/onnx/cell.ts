import { activate_f32 } from './activations';

// The cells that lstm_run cannot compute: other activations, peepholes, clip, coupled gates; GRU and RNN in gru-cell.ts.

@unmanaged
class Activation {
  kind: i32;
  alpha: f32;
  beta: f32;
}

/**
 * A cell. Its activations follow it in memory. LSTM: f of the gates i, f and o, g of the input, h of the output; GRU: f of the gates r
 * and z, g of n; RNN: f.
 */
@unmanaged
export class Cell {
  hiddenSize: i32;
  /** Weights of c in the gates, [i, o, f][H], or 0 */
  peepholes: usize;
  /** Bounds the arguments of the activations f and g; infinite: no bound */
  clip: f32;
  /** Whether the forget gate is 1 - i */
  inputForget: i32;
}

/** z[i] = clip(z[i] + p[i] c[i]), without p clip(z[i]) */
export function bound(z: usize, p: usize, c: usize, H: i32, clip: f32): void {
  for (let i: usize = 0, end = (<usize>H) << 2; i < end; i += 4) {
    let x = load<f32>(z + i);
    if (p) x += load<f32>(p + i) * load<f32>(c + i);
    if (x > clip) x = clip;
    if (x < -clip) x = -clip;
    store<f32>(z + i, x);
  }
}

/** Applies the k-th activation of a cell to x [H]. */
export function activate(cell: Cell, k: usize, x: usize, spare: usize): void {
  const f = changetype<Activation>(changetype<usize>(cell) + offsetof<Cell>() + k * offsetof<Activation>());
  activate_f32(f.kind, f.alpha, f.beta, x, 1, cell.hiddenSize, spare);
}

/**
 * Computes one row: c = f c + i g, h = o h(c), with i = f(z_i + p_i c), f likewise or 1 - i, g = g(z_g) and
 * o = f(z_o + p_o c) of the new c.
 * z [i, f, g, o][H], overwritten with i, f, g, o; c, h [H]; spare [64]: scratch.
 */
export function lstm_cell_f32(cell: Cell, z: usize, c: usize, h: usize, spare: usize): void {
  const H = cell.hiddenSize;
  const size = (<usize>H) << 2;
  const p = cell.peepholes;
  const clip = cell.clip;
  const coupled = cell.inputForget !== 0;
  const zf = z + size;
  const zg = zf + size;
  const zo = zg + size;
  bound(z, p, c, H, clip);
  activate(cell, 0, z, spare);
  if (!coupled) {
    bound(zf, p ? p + 2 * size : 0, c, H, clip);
    activate(cell, 0, zf, spare);
  }
  bound(zg, 0, c, H, clip);
  activate(cell, 1, zg, spare);
  for (let i: usize = 0; i < size; i += 4) {
    const input = load<f32>(z + i);
    if (coupled) store<f32>(zf + i, <f32>1 - input);
    const next = load<f32>(zf + i) * load<f32>(c + i) + input * load<f32>(zg + i);
    store<f32>(c + i, next);
    store<f32>(h + i, next);
  }
  bound(zo, p ? p + size : 0, c, H, clip);
  activate(cell, 0, zo, spare);
  activate(cell, 2, h, spare);
  for (let i: usize = 0; i < size; i += 4) store<f32>(h + i, load<f32>(zo + i) * load<f32>(h + i));
}
