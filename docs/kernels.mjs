// The kernels of assembly/ as plain JavaScript: slow, and the same in every bit but those of a NaN. docs/kernels.md explains them;
// test/kernels-docs.node.test.ts compares them. Arrays stand for linear memory.

/** Rounds to float32. Of two float32 numbers, so rounded, a sum, product or quotient is what float32 arithmetic gives. */
const f = Math.fround;

// Panels

/**
 * The panel and the column of a matrix's row.
 * @param {number} row
 * @param {number} H hidden units if the rows are gates i, f, g, o; 0 if they keep their order
 */
export function place(row, H) {
  if (H === 0) return { panel: Math.floor(row / 16), column: row % 16 };
  const gate = Math.floor(row / H);
  const unit = row % H;
  if (unit < H - (H % 8)) return { panel: 2 * Math.floor(unit / 8) + (gate >> 1), column: 8 * (gate % 2) + (unit % 8) };
  return { panel: Math.floor(unit / 4), column: 4 * gate + (unit % 4) };
}

/**
 * The panels of a matrix [rows][K], [panel][k][16], with zeros where no row is.
 * @param {ArrayLike<number>} matrix
 * @param {number} rows
 * @param {number} K
 * @param {number} H as in place
 */
export function pack(matrix, rows, K, H) {
  const panels = new Float32Array(Math.ceil(rows / 16) * K * 16);
  for (let row = 0; row < rows; row++) {
    const { panel, column } = place(row, H);
    for (let k = 0; k < K; k++) panels[(panel * K + k) * 16 + column] = matrix[row * K + k];
  }
  return panels;
}

// The order of summation

/**
 * z[j] += sum over k of w[k][j] x[k]: a row of gemv_f32 and gemm_f32, where z begins with the initial values.
 * @param {Float32Array} panels
 * @param {ArrayLike<number>} x [K]
 * @param {Float32Array} z [panels * 16]
 */
export function product(panels, x, z) {
  const K = x.length;
  for (let j = 0; j < z.length; j++) {
    /** @param {number} k */
    const term = (k) => f(panels[(Math.floor(j / 16) * K + k) * 16 + (j % 16)] * x[k]);
    let k = 0;
    for (; k + 1 < K; k += 2) z[j] = f(z[j] + f(term(k) + term(k + 1)));
    if (k < K) z[j] = f(z[j] + term(k));
  }
}

// Gates

const [C1, C2, C3] = [0.6931471824645996, 0.24022649228572845, 0.05550357326865196].map(f);
const [C4, C5, C6] = [0.009618237614631653, 0.0013390735257416964, 0.00015403512225020677].map(f);
const [LOG2_E, TWO_LOG2_E] = [Math.LOG2E, 2 * Math.LOG2E].map(f);
const [HALF_LN2_HIGH, HALF_LN2_LOW] = [0.3466796875, -3.06131872e-4].map(f);
/** 1.5 * 2^23 + 127 */
const ROUND = 12583039;

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/**
 * 2^n
 * @param {number} t n + ROUND
 */
function power(t) {
  float[0] = t;
  bits[0] <<= 23;
  return float[0];
}

/**
 * 2^r - 1
 * @param {number} r from -1/2 to 1/2
 */
function mantissa(r) {
  const r2 = f(r * r);
  const a = f(C1 + f(C2 * r));
  const b = f(C3 + f(C4 * r));
  const c = f(C5 + f(C6 * r));
  return f(r * f(a + f(r2 * f(b + f(r2 * c)))));
}

/**
 * 1 + e^-x
 * @param {number} x
 */
function onePlusExpNeg(x) {
  const y = Math.min(Math.max(f(x * -LOG2_E), -127), 128);
  const t = f(y + ROUND);
  const m = mantissa(f(y - f(t - ROUND)));
  return f(1 + f(f(1 + m) * power(t)));
}

/**
 * e^2|x| - 1
 * @param {number} x
 */
function exp2xMinusOne(x) {
  const a = Math.min(Math.abs(x), 10);
  const t = f(f(a * TWO_LOG2_E) + ROUND);
  const n = f(t - ROUND);
  const d = f(a - f(n * HALF_LN2_HIGH));
  const r = f(f(d * TWO_LOG2_E) - f(n * HALF_LN2_LOW));
  return f(f(mantissa(r) * power(t)) + f(power(t) - 1));
}

/**
 * `size` with the sign of x
 * @param {number} size
 * @param {number} x
 */
function withSign(size, x) {
  return x < 0 || Object.is(x, -0) ? -size : size;
}

/**
 * c = sigmoid(f) c + sigmoid(i) tanh(g), h = sigmoid(o) tanh(c): a row of lstm_gates_f32.
 * @param {Float32Array} z [floor(H / 8)][i, f, g, o][8], then [ceil(H % 8 / 4)][i, f, g, o][4]
 * @param {Float32Array} c [H], updated
 * @param {Float32Array} h [H], written
 */
export function gates(z, c, h) {
  for (let unit = 0; unit < c.length; unit++) {
    const lanes = unit < c.length - (c.length % 8) ? 8 : 4;
    const i = 4 * lanes * Math.floor(unit / lanes) + (unit % lanes);
    let e = exp2xMinusOne(z[i + 2 * lanes]);
    const kept = f(c[unit] / onePlusExpNeg(z[i + lanes]));
    const added = f(withSign(e, z[i + 2 * lanes]) / f(onePlusExpNeg(z[i]) * f(e + 2)));
    const cell = f(kept + added);
    c[unit] = Math.abs(cell) < 2 ** -110 ? 0 : cell;
    e = exp2xMinusOne(c[unit]);
    h[unit] = f(withSign(e, c[unit]) / f(onePlusExpNeg(z[i + 3 * lanes]) * f(e + 2)));
  }
}

// 8-bit weights

/**
 * 8-bit weights as bytes: [panel][k / 4][16 columns][4 k], K rounded up to 8.
 * @param {ArrayLike<number>} matrix [rows][K] integers
 * @param {number} rows
 * @param {number} K
 * @param {number} H as in place
 * @param {boolean} plain whether 128 is added at even k
 */
export function pack8(matrix, rows, K, H, plain) {
  const K8 = Math.ceil(K / 8) * 8;
  const panels = new Uint8Array(Math.ceil(rows / 16) * K8 * 16);
  for (let row = 0; row < rows; row++) {
    const { panel, column } = place(row, H);
    for (let k = 0; k < K; k++) {
      const at = panel * K8 * 16 + Math.floor(k / 4) * 64 + column * 4 + (k % 4);
      panels[at] = matrix[row * K + k] + (plain && k % 2 === 0 ? 128 : 0);
    }
  }
  return panels;
}

/**
 * Integers q from -8191 to 8191, and a scale: x is nearly scale * q.
 * @param {ArrayLike<number>} x finite
 */
export function quantize(x) {
  let largest = f(1e-30);
  for (let k = 0; k < x.length; k++) largest = Math.max(largest, Math.abs(x[k]));
  const inverse = f(8191 / largest);
  // adding 1.5 * 2^23 + 8192 rounds, and leaves q + 8192 in the low bits
  const q = Array.from(x, (value) => {
    float[0] = f(f(value * inverse) + 12591104);
    return bits[0] - 0x4b402000;
  });
  return { q, scale: f(largest / 8191) };
}

/**
 * z += W x: a row of gemm_i8, in either form.
 * @param {ArrayLike<number>} matrix [rows][K] integers
 * @param {ArrayLike<number>} scales [rows]: a weight is its integer times its row's scale
 * @param {number} H as in place
 * @param {ArrayLike<number>} x [K]
 * @param {Float32Array} z [panels * 16]
 */
export function product8(matrix, scales, H, x, z) {
  const K = x.length;
  const { q, scale } = quantize(x);
  for (let row = 0; row < scales.length; row++) {
    const { panel, column } = place(row, H);
    const j = 16 * panel + column;
    for (let from = 0; from < K; from += 2048) {
      let sum = 0;
      for (let k = from; k < Math.min(K, from + 2048); k++) sum += matrix[row * K + k] * q[k];
      z[j] = f(z[j] + f(f(sum) * f(scales[row] * scale)));
    }
  }
}
