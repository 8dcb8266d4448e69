import { describe } from '../base/tensor.ts';
import { endScratch, floats, scratch } from '../memory/arena.ts';
import { wasm } from '../memory/wasm.ts';
import type { Config } from './config.ts';
import { erf, exp, expm1, log1p } from './math.ts';
import type { Dialect } from './plan.ts';

/** In place, on rows of `size` numbers. */
export type Activation = (x: Float32Array, size: number) => void;

/** https://keras.io/api/layers/activations/, by the names in a file; hard_sigmoid has two definitions. */
export const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map<string, Activation>([
  ['linear', () => {}],
  ['tanh', kernel((at, count) => wasm().tanh_f32(at, count))],
  ['sigmoid', kernel((at, count) => wasm().sigmoid_f32(at, count))],
  ['relu', kernel((at, count) => wasm().relu_f32(at, count))],
  ['softmax', kernel((at, count, size) => wasm().softmax_f32(at, count / size, size, 1))],
  ['hard_sigmoid', each((x) => clip(x / 6 + 0.5, 0, 1))],
  ['relu6', each((x) => clip(x, 0, 6))],
  ['leaky_relu', each((x) => (x < 0 ? 0.2 * x : x))],
  ['elu', each((x) => (x < 0 ? expm1(x) : x))],
  ['selu', each((x) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * expm1(x) : x))],
  ['exponential', each(exp)],
  ['softplus', each(softplus)],
  ['softsign', each((x) => (Math.abs(x) === Infinity ? Math.sign(x) : x / (Math.abs(x) + 1)))],
  ['silu', swish],
  ['swish', swish],
  ['hard_silu', each((x) => x * clip(x / 6 + 0.5, 0, 1))],
  ['hard_swish', each((x) => x * clip(x / 6 + 0.5, 0, 1))],
  ['mish', mish],
  ['gelu', each((x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)))],
  ['gelu_new', geluNew],
  ['log_softmax', logSoftmax],
]);

/** Of Keras before 3 and TensorFlow.js */
const HARD_SIGMOID_2 = each((x) => clip(0.2 * x + 0.5, 0, 1));

/** The name of the activation at `config`; linear if there is none. */
export function activationName(config: Config): string {
  if (!config.given) return 'linear';
  if (typeof config.value === 'string') return config.value;
  // as Keras 3 writes functions
  const className = config.get('class_name').value;
  const name = config.get('config').value;
  if (className === 'function' && typeof name === 'string') return name;
  return typeof className === 'string' ? className : describe(config.value);
}

/** The activation at `config`; one that is not supported is noted. */
export function readActivation(config: Config, who: string, dialect: Dialect): Activation {
  const name = activationName(config);
  const activation = ACTIVATIONS.get(name);
  if (!activation) dialect.unsupported(`activation ${describe(name)} of ${who}`);
  return name === 'hard_sigmoid' && !dialect.keras3 ? HARD_SIGMOID_2 : (activation ?? (() => {}));
}

function kernel(run: (pointer: number, count: number, size: number) => void): Activation {
  return (x, size) => {
    if (x.length === 0) return;
    const at = scratch(4 * x.length);
    floats().set(x, at / 4);
    run(at, x.length, size);
    x.set(floats().subarray(at / 4, at / 4 + x.length));
    endScratch();
  };
}

function each(formula: (x: number) => number): Activation {
  return (x) => {
    for (let i = 0; i < x.length; i++) x[i] = formula(x[i]!);
  };
}

/** NaN stays NaN. */
function clip(x: number, min: number, max: number): number {
  return Math.min(Math.max(x, min), max);
}

function softplus(x: number): number {
  return Math.max(x, 0) + log1p(exp(-Math.abs(x)));
}

/** x sigmoid(x) */
function swish(x: Float32Array, size: number): void {
  const sigmoid = x.slice();
  ACTIVATIONS.get('sigmoid')!(sigmoid, size);
  multiply(x, sigmoid);
}

/** x tanh(softplus(x)) */
function mish(x: Float32Array, size: number): void {
  const tanh = Float32Array.from(x, softplus);
  ACTIVATIONS.get('tanh')!(tanh, size);
  multiply(x, tanh);
}

/** x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x³))) */
function geluNew(x: Float32Array, size: number): void {
  const tanh = x.map((value) => 0.7978845608028654 * (value + 0.044715 * value * value * value));
  ACTIVATIONS.get('tanh')!(tanh, size);
  for (let i = 0; i < x.length; i++) x[i] = 0.5 * x[i]! * (1 + tanh[i]!);
}

function multiply(x: Float32Array, factors: Float32Array): void {
  for (let i = 0; i < x.length; i++) x[i]! *= factors[i]!;
}

/** x - max - ln(sum of e^(x - max)) */
function logSoftmax(x: Float32Array, size: number): void {
  for (let at = 0; at < x.length; at += size) {
    const row = x.subarray(at, at + size);
    const top = row.reduce((max, value) => Math.max(max, value), -Infinity);
    // the largest adds e^0 = 1
    const sum = row.reduce((total, value) => total + exp(value - top), -1);
    const log = sum >= 0 ? log1p(sum) : sum;
    for (let i = 0; i < size; i++) row[i] = row[i]! - top - log;
  }
}
