import { suffixOf } from './shapes.mjs';

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/**
 * torch.nn.LSTM in float64: the output [T][B][D H] for the input [T][B][I], from a state of zeros.
 * brain.js's LSTM has no cell state of its own: its forget gate acts on h. `brain: true` computes that.
 */
export function oracle({ I, H, L, D, T, B }, weights, input, { brain = false } = {}) {
  let x = Float64Array.from(input);
  let width = I;
  for (let layer = 0; layer < L; layer++) {
    const output = new Float64Array(T * B * D * H);
    for (let direction = 0; direction < D; direction++) {
      const suffix = suffixOf(layer, direction);
      const [ih, hh, inputBias, recurrentBias] = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map((name) =>
        Float64Array.from(weights.get(name + suffix).data),
      );
      const gates = new Float64Array(4 * H);
      for (let b = 0; b < B; b++) {
        const h = new Float64Array(H);
        const c = brain ? h : new Float64Array(H);
        for (let s = 0; s < T; s++) {
          const row = (direction ? T - 1 - s : s) * B + b;
          for (let j = 0; j < 4 * H; j++) {
            let sum = inputBias[j] + recurrentBias[j];
            for (let k = 0; k < width; k++) sum += ih[j * width + k] * x[row * width + k];
            for (let k = 0; k < H; k++) sum += hh[j * H + k] * h[k];
            gates[j] = sum;
          }
          for (let j = 0; j < H; j++) {
            c[j] = sigmoid(gates[H + j]) * c[j] + sigmoid(gates[j]) * Math.tanh(gates[2 * H + j]);
            h[j] = sigmoid(gates[3 * H + j]) * Math.tanh(c[j]);
          }
          output.set(h, (row * D + direction) * H);
        }
      }
    }
    x = output;
    width = D * H;
  }
  return x;
}

/** The largest difference; infinite if the lengths differ or a value is no number. */
export function errorOf(output, expected) {
  if (output.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < output.length; i++) {
    const difference = Math.abs(output[i] - expected[i]);
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    if (difference > worst) worst = difference;
  }
  return worst;
}
