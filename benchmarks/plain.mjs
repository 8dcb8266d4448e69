import { suffixOf } from './shapes.mjs';

/** One direction of a layer as a program without a library would write it: float32 weights and states, float64 sums. */
class PlainLayer {
  constructor(weights, suffix, inputSize, hiddenSize) {
    this.I = inputSize;
    this.H = hiddenSize;
    this.ih = weights.get(`weight_ih${suffix}`).data;
    this.hh = weights.get(`weight_hh${suffix}`).data;
    const recurrentBias = weights.get(`bias_hh${suffix}`).data;
    this.bias = weights.get(`bias_ih${suffix}`).data.map((value, i) => value + recurrentBias[i]);
    this.h = new Float32Array(hiddenSize);
    this.c = new Float32Array(hiddenSize);
    this.gates = new Float32Array(4 * hiddenSize);
  }

  /** x: I floats from `from`; h afterwards in `this.h`. */
  step(x, from) {
    const { I, H, ih, hh, bias, h, c, gates } = this;
    for (let row = 0; row < 4 * H; row++) {
      let sum = bias[row];
      for (let k = 0, w = row * I; k < I; k++) sum += ih[w + k] * x[from + k];
      for (let k = 0, w = row * H; k < H; k++) sum += hh[w + k] * h[k];
      gates[row] = sum;
    }
    for (let j = 0; j < H; j++) {
      const i = 1 / (1 + Math.exp(-gates[j]));
      const f = 1 / (1 + Math.exp(-gates[H + j]));
      const o = 1 / (1 + Math.exp(-gates[3 * H + j]));
      c[j] = f * c[j] + i * Math.tanh(gates[2 * H + j]);
      h[j] = o * Math.tanh(c[j]);
    }
  }

  reset() {
    this.h.fill(0);
    this.c.fill(0);
  }
}

/** @type {import('./contestants.mjs').Open} */
export function open({ I, H, L, D, T, B }, weights) {
  const layers = Array.from({ length: L }, (_, layer) =>
    Array.from({ length: D }, (_, d) => new PlainLayer(weights, suffixOf(layer, d), layer === 0 ? I : D * H, H)),
  );
  const outputs = layers.map(() => new Float32Array(T * B * D * H));
  const [[first]] = layers;

  return {
    version: '',
    step(frame) {
      first.step(frame, 0);
      return first.h;
    },
    forward(input) {
      let x = input;
      layers.forEach((directions, layer) => {
        const y = outputs[layer];
        directions.forEach((cell, d) => {
          for (let b = 0; b < B; b++) {
            cell.reset();
            for (let s = 0; s < T; s++) {
              const row = (d ? T - 1 - s : s) * B + b;
              cell.step(x, row * cell.I);
              y.set(cell.h, (row * D + d) * H);
            }
          }
        });
        x = y;
      });
      return x;
    },
  };
}
