import { type Activation, activate, activation } from '../cells/activations.ts';
import { onnxKernels } from '../cells/kernels.ts';
import { BINARY, Pairs, REDUCE, UNARY } from '../cells/walks.ts';
import { endScratch } from '../memory/arena.ts';
import { Layout } from '../memory/layout.ts';
import { copyIn, copyOut } from '../memory/rows.ts';

/** Computes results whose bits are known. */
export type Operation = () => readonly Float32Array[];

/** Numbers that SIMD gets wrong first: signed zeros, denormals, halves, the ends of ranges, infinities, NaN. */
const SPECIAL = [
  ...[0, -0, 1e-45, -1e-45, 1e-40, -3e-39, 1.1754944e-38, 1e-20, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 8388607.5, -8388609],
  ...[2147483648, -2147483904, 1e10, 88.5, -88.5, 104, -104, 3.4e38, -3.4e38, 1 / 0, -1 / 0, 0 / 0],
];

/** `count` numbers from -`range` to `range`, then SPECIAL; the count of all is no multiple of 4. */
export function samples(count: number, range: number): Float32Array {
  const ramp = Array.from({ length: count }, (_, i) => range * ((2 * i + 1) / count - 1));
  return Float32Array.from([...ramp, ...SPECIAL, 1]);
}

const layout = new Layout();

/** Copies arrays into scratch, calls a kernel with their pointers, and gives what the last array is then. */
export function run(arrays: readonly Float32Array[], kernel: (...pointers: number[]) => void): Float32Array {
  layout.clear();
  const places = arrays.map(({ length }) => layout.output(length));
  const start = layout.scratch();
  for (const [i, array] of arrays.entries()) copyIn(start + places[i]!, array, 0, array.length);
  kernel(...places.map((place) => start + place));
  const last = arrays.length - 1;
  const result = new Float32Array(arrays[last]!.length);
  copyOut(start + places[last]!, result.length, result, 0);
  endScratch();
  return result;
}

const x = /* @__PURE__ */ samples(40, 4);
const { length } = x;

/** Second operands of pow_f32 and others: every pair of signs and sizes meets. */
const y = /* @__PURE__ */ x.map((_, i) => x[(7 * i + 3) % length]!);

const ACTIVATIONS: readonly (readonly [string, Activation])[] = [
  ['silu', activation('silu')],
  ['mish', activation('mish')],
  ['gelu', activation('gelu')],
  ['gelu by tanh', activation('geluTanh')],
  ['leaky relu', activation('leakyRelu', 0.25)],
  ['hard sigmoid', activation('hardSigmoid', 0.2, 0.5)],
  ['hard silu', activation('hardSilu')],
  ['elu', activation('elu', 1.5)],
  ['selu', activation('selu')],
  ['softsign', activation('softsign')],
  ['softplus', activation('softplus')],
];

function activated([name, f]: readonly [string, Activation]): [string, Operation] {
  return [
    name,
    () => {
      const data = x.slice();
      activate(f, data, length);
      return [data];
    },
  ];
}

/** Operations of lstm-onnx.wasm, which readers of models use. */
export function onnxOperations(): [string, Operation][] {
  const { binary_f32, clip_f32, log_softmax_f32, reduce_f32, unary_f32 } = onnxKernels();
  const binary = (op: number): Float32Array => {
    const walk = new Pairs([length], [1], [1]);
    return run([x, y, new Float32Array(walk.bytes / 4), x], (atX, atY, struct, out) => {
      Object.assign(walk, { x: atX, y: atY, out }).write(struct);
      binary_f32(op, struct);
    });
  };
  // a row and a column for each kind of loop
  const reduce = (op: number): Float32Array[] => [
    run([samples(12, 2), new Float32Array(1)], (from, to) => reduce_f32(op, from, to, 1, 12, 1)),
    run([x, new Float32Array(8)], (from, to) => reduce_f32(op, from, to, 1, 5, 8)),
  ];
  const all: [string, Operation][] = [
    ...Object.entries(UNARY).map(([name, op]): [string, Operation] => [
      name,
      () => [run([x, x], (from, to) => unary_f32(op, from, to, length, 0.25))],
    ]),
    ...Object.entries(BINARY).map(([name, op]): [string, Operation] => [name, () => [binary(op)]]),
    ...Object.entries(REDUCE).map(([name, op]): [string, Operation] => [`${name} of elements`, () => reduce(op)]),
    ['clip', () => [run([x, x], (from, to) => clip_f32(from, to, length, -1, 2.5))]],
    ['log-softmax', () => [run([x.slice(0, 42)], (at) => log_softmax_f32(at, 3, 7, 2))]],
    ...ACTIVATIONS.map(activated),
  ];
  return all.map(([name, compute]) => [`${name} of a model`, compute]);
}
