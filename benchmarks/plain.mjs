/** The plain-JavaScript LSTM that a program without a library would have: float32 weights and states, float64 sums. */
export class PlainLSTM {
  constructor(weights, inputSize, hiddenSize) {
    this.I = inputSize;
    this.H = hiddenSize;
    this.ih = weights.get('weight_ih_l0').data;
    this.hh = weights.get('weight_hh_l0').data;
    this.bias = weights.get('bias_ih_l0').data.map((value, i) => value + weights.get('bias_hh_l0').data[i]);
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
