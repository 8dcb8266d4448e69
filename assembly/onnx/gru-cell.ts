import { activate, bound, Cell } from './cell';

// Cells of GRU and RNN with any activations and clip, a row at a time.

/**
 * Computes the gates of a GRU from their sums: r = f(z_r), z = f(z_z), and r h, which the recurrent matrix of n may multiply.
 * z [r, z, n][H], each `gap` bytes after the one before; r and z are overwritten. h, reset [H]; spare [64]: scratch.
 */
export function gru_gates_f32(cell: Cell, z: usize, gap: usize, h: usize, reset: usize, spare: usize): void {
  const H = cell.hiddenSize;
  for (let k: usize = 0; k < 2; k++) {
    bound(z + k * gap, 0, 0, H, cell.clip);
    activate(cell, 0, z + k * gap, spare);
  }
  for (let i: usize = 0, end = (<usize>H) << 2; i < end; i += 4) {
    store<f32>(reset + i, load<f32>(z + i) * load<f32>(h + i));
  }
}

/**
 * Computes h = (1 - z) n + z h, with n = g(z_n), or where there are recurrent sums s, g(z_n + r s).
 * z [r, z, n][H] after gru_gates_f32, n is overwritten; s [H] or 0; h [H]; spare [64]: scratch.
 */
export function gru_state_f32(cell: Cell, z: usize, gap: usize, s: usize, h: usize, spare: usize): void {
  const size = (<usize>cell.hiddenSize) << 2;
  const n = z + 2 * gap;
  if (s) {
    for (let i: usize = 0; i < size; i += 4) {
      store<f32>(n + i, load<f32>(n + i) + load<f32>(z + i) * load<f32>(s + i));
    }
  }
  bound(n, 0, 0, cell.hiddenSize, cell.clip);
  activate(cell, 1, n, spare);
  for (let i: usize = 0; i < size; i += 4) {
    const keep = load<f32>(z + gap + i);
    store<f32>(h + i, (1 - keep) * load<f32>(n + i) + keep * load<f32>(h + i));
  }
}

/** Computes h = f(z). z [H], overwritten; h [H]; spare [64]: scratch. */
export function rnn_cell_f32(cell: Cell, z: usize, h: usize, spare: usize): void {
  bound(z, 0, 0, cell.hiddenSize, cell.clip);
  activate(cell, 0, z, spare);
  memory.copy(h, z, (<usize>cell.hiddenSize) << 2);
}
