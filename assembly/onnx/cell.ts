import { sigmoid_f32, tanh_f32 } from './env';
import { exp64, log64 } from './math';

// The cells of ONNX's LSTM operator that lstm_run does not know. Sigmoid and tanh are the ones of the main module.

/** Numbers of the activation functions, as src/onnx/activations.ts has them. */
const SIGMOID: i32 = 0;
const TANH: i32 = 1;
const RELU: i32 = 2;
const AFFINE: i32 = 3;
const LEAKY_RELU: i32 = 4;
const THRESHOLDED_RELU: i32 = 5;
const SCALED_TANH: i32 = 6;
const HARD_SIGMOID: i32 = 7;
const ELU: i32 = 8;
const SOFTSIGN: i32 = 9;

@unmanaged
class Activation {
  kind: i32;
  alpha: f32;
  beta: f32;
}

/** ln(1 + e^x) without loss at either end */
function softplus(x: f64): f64 {
  if (x > 40) return x;
  const e = exp64(x);
  return x < -12 ? e - 0.5 * e * e : log64(1 + e);
}

function apply(kind: i32, x: f32, alpha: f32, beta: f32): f32 {
  switch (kind) {
    case RELU:
      return x < 0 ? 0 : x;
    case AFFINE:
      return alpha * x + beta;
    case LEAKY_RELU:
      return x < 0 ? alpha * x : x;
    case THRESHOLDED_RELU:
      return x < alpha ? 0 : x;
    case HARD_SIGMOID:
      return min<f32>(max<f32>(alpha * x + beta, 0), 1);
    case ELU:
      return x < 0 ? <f32>(<f64>alpha * (exp64(x) - 1)) : x;
    case SOFTSIGN:
      return abs(x) === Infinity ? copysign<f32>(1, x) : x / (1 + abs(x));
    default:
      return isNaN(x) ? x : <f32>softplus(x);
  }
}

function scale(x: usize, n: i32, by: f32): void {
  for (const end = x + ((<usize>n) << 2); x < end; x += 4) store<f32>(x, load<f32>(x) * by);
}

/** x[i] = f(x[i]) */
function activate(f: Activation, x: usize, n: i32): void {
  if (f.kind === SIGMOID) sigmoid_f32(x, n);
  else if (f.kind === TANH) tanh_f32(x, n);
  else if (f.kind === SCALED_TANH) {
    scale(x, n, f.beta);
    tanh_f32(x, n);
    scale(x, n, f.alpha);
  } else {
    for (const end = x + ((<usize>n) << 2); x < end; x += 4) {
      store<f32>(x, apply(f.kind, load<f32>(x), f.alpha, f.beta));
    }
  }
}

/** z[i] = clip(z[i] + p[i] c[i]); without p just clipped */
function bound(z: usize, p: usize, c: usize, H: i32, clip: f32): void {
  for (let i: usize = 0, end = (<usize>H) << 2; i < end; i += 4) {
    let x = load<f32>(z + i);
    if (p) x += load<f32>(p + i) * load<f32>(c + i);
    if (x > clip) x = clip;
    if (x < -clip) x = -clip;
    store<f32>(z + i, x);
  }
}

/**
 * One row through the gates: c = f c + i g, h = o act(c), with i = f(z_i + p_i c), f alike or 1 - i, g = g(z_c) and
 * o = f(z_o + p_o c) of the new c; what activations are given is bounded by clip (infinite: not at all), c is not.
 * z [i, o, f, c][H], overwritten; c, h [H]; p [i, o, f][H] or 0; functions: f, g, h.
 */
export function lstm_cell_f32(
  z: usize,
  c: usize,
  h: usize,
  H: i32,
  p: usize,
  clip: f32,
  inputForget: bool,
  functions: usize,
): void {
  const size = (<usize>H) << 2;
  const f = changetype<Activation>(functions);
  const g = changetype<Activation>(functions + offsetof<Activation>());
  const last = changetype<Activation>(functions + 2 * offsetof<Activation>());
  const zo = z + size;
  const zf = zo + size;
  const zc = zf + size;
  bound(z, p, c, H, clip);
  activate(f, z, H);
  if (!inputForget) {
    bound(zf, p ? p + 2 * size : 0, c, H, clip);
    activate(f, zf, H);
  }
  bound(zc, 0, c, H, clip);
  activate(g, zc, H);
  for (let i: usize = 0; i < size; i += 4) {
    const input = load<f32>(z + i);
    const forget = inputForget ? <f32>1 - input : load<f32>(zf + i);
    const cell = forget * load<f32>(c + i) + input * load<f32>(zc + i);
    store<f32>(c + i, cell);
    // for the last activation, since z_i is not needed any more
    store<f32>(z + i, cell);
  }
  bound(zo, p ? p + size : 0, c, H, clip);
  activate(f, zo, H);
  activate(last, z, H);
  for (let i: usize = 0; i < size; i += 4) store<f32>(h + i, load<f32>(zo + i) * load<f32>(z + i));
}
