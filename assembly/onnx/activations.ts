import { exp_f32, log_softmax_f32 } from './elementwise';
import { relu_f32, sigmoid_f32, softmax_f32, tanh_f32 } from './env';
import { erf64, exp64, expm1_64, log64 } from './math';

// The activation functions of all formats, each with one definition. Sigmoid, tanh, relu and softmax are those of lstm.wasm.

/** The numbers of the functions, the same as in src/cells/activations.ts. */
const LINEAR: i32 = 0;
const SIGMOID: i32 = 1;
const TANH: i32 = 2;
const RELU: i32 = 3;
const SOFTMAX: i32 = 4;
const LOG_SOFTMAX: i32 = 5;
const EXPONENTIAL: i32 = 6;
const SCALED_TANH: i32 = 7;
const SILU: i32 = 8;
const MISH: i32 = 9;
const GELU_TANH: i32 = 10;
const GELU: i32 = 11;
const AFFINE: i32 = 12;
const LEAKY_RELU: i32 = 13;
const THRESHOLDED_RELU: i32 = 14;
const RELU6: i32 = 15;
const HARD_SIGMOID: i32 = 16;
const HARD_SILU: i32 = 17;
const ELU: i32 = 18;
const SELU: i32 = 19;
const SOFTSIGN: i32 = 20;
// 21: softplus
const SCALED_ELU: i32 = 22;
const CELU: i32 = 23;

/** The floats of `spare`. */
const SPARE: i32 = 64;

const SELU_SCALE: f64 = 1.0507009873554805;
const SELU_ALPHA: f64 = 1.6732632423543772;
const SQRT_HALF: f64 = 0.7071067811865476;
const SQRT_2_OVER_PI: f64 = 0.7978845608028654;

/** ln(1 + e^x), without loss of accuracy for large and small x */
function softplus64(x: f64): f64 {
  if (x > 40) return x;
  const e = exp64(x);
  return x < -12 ? e - 0.5 * e * e : log64(1 + e);
}

function softplus(x: f32): f32 {
  return isNaN(x) ? x : <f32>softplus64(x);
}

function clamp64(x: f64, low: f64, high: f64): f64 {
  return min<f64>(max<f64>(x, low), high);
}

/** Computes a function that has a formula for each number alone. */
function one(kind: i32, x: f32, alpha: f32, beta: f32): f32 {
  switch (kind) {
    case GELU:
      return <f32>(0.5 * <f64>x * (1 + erf64(<f64>x * SQRT_HALF)));
    case AFFINE:
      return alpha * x + beta;
    case LEAKY_RELU:
      return x < 0 ? alpha * x : x;
    case THRESHOLDED_RELU:
      return x <= alpha ? 0 : x;
    case RELU6:
      return min<f32>(max<f32>(x, 0), 6);
    case HARD_SIGMOID:
      return min<f32>(max<f32>(alpha * x + beta, 0), 1);
    case HARD_SILU:
      return <f32>(<f64>x * clamp64(<f64>x / 6 + 0.5, 0, 1));
    case ELU:
      return x < 0 ? <f32>(<f64>alpha * expm1_64(x)) : x;
    case SELU:
      return <f32>(SELU_SCALE * (x < 0 ? SELU_ALPHA * expm1_64(x) : <f64>x));
    case SCALED_ELU:
      return <f32>(<f64>beta * (x < 0 ? <f64>alpha * expm1_64(x) : <f64>x));
    case CELU:
      return x < 0 ? <f32>(<f64>alpha * expm1_64(<f64>x / <f64>alpha)) : x;
    case SOFTSIGN:
      return abs(x) === Infinity ? copysign<f32>(1, x) : x / (1 + abs(x));
    default:
      return softplus(x);
  }
}

/** Gives the argument of the gate of x gate(x): silu has sigmoid(x), mish tanh(softplus(x)), gelu half of 1 + tanh(..). */
function in_gate(kind: i32, x: f32): f32 {
  if (kind === SILU) return x;
  if (kind === MISH) return softplus(x);
  const wide = <f64>x;
  return <f32>(SQRT_2_OVER_PI * (wide + 0.044715 * wide * wide * wide));
}

/** x[i] = x[i] gate(x[i]), with the gates of a block at a time in spare */
function gated(kind: i32, x: usize, n: i32, spare: usize): void {
  for (; n > 0; n -= SPARE) {
    const some = min(n, SPARE);
    const end = (<usize>some) << 2;
    for (let i: usize = 0; i < end; i += 4) store<f32>(spare + i, in_gate(kind, load<f32>(x + i)));
    if (kind === SILU) sigmoid_f32(spare, some);
    else tanh_f32(spare, some);
    for (let i: usize = 0; i < end; i += 4) {
      const wide = <f64>load<f32>(x + i);
      const gate = <f64>load<f32>(spare + i);
      store<f32>(x + i, <f32>(kind === GELU_TANH ? 0.5 * wide * (1 + gate) : wide * gate));
    }
    x += end;
  }
}

function scale(x: usize, n: i32, by: f32): void {
  for (const end = x + ((<usize>n) << 2); x < end; x += 4) store<f32>(x, load<f32>(x) * by);
}

/** Applies a function in place to x [rows][n]: the softmaxes over each row, others to each element. spare [64]: scratch. */
export function activate_f32(kind: i32, alpha: f32, beta: f32, x: usize, rows: i32, n: i32, spare: usize): void {
  const count = rows * n;
  switch (kind) {
    case LINEAR:
      return;
    case SIGMOID:
      sigmoid_f32(x, count);
      return;
    case TANH:
      tanh_f32(x, count);
      return;
    case RELU:
      relu_f32(x, count);
      return;
    case SOFTMAX:
      softmax_f32(x, rows, n, 1);
      return;
    case LOG_SOFTMAX:
      log_softmax_f32(x, rows, n, 1);
      return;
    case EXPONENTIAL:
      exp_f32(x, count);
      return;
    case SCALED_TANH:
      scale(x, count, beta);
      tanh_f32(x, count);
      scale(x, count, alpha);
      return;
    case SILU:
    case MISH:
    case GELU_TANH:
      gated(kind, x, count, spare);
      return;
    default:
      for (const end = x + ((<usize>count) << 2); x < end; x += 4) {
        store<f32>(x, one(kind, load<f32>(x), alpha, beta));
      }
  }
}
