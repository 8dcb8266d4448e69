import { FLOAT32 } from '../memory/abi.ts';
import { int8Form } from '../memory/int8.ts';
import { panelBytes, quantizedBytes, writeInt8 } from '../memory/pack.ts';
import { writeIntegers } from '../memory/rows.ts';
import { PRODUCT_BYTES, Product } from '../memory/structs.ts';
import { wasm } from '../memory/wasm.ts';
import { LSTM } from '../nn/lstm.ts';
import { type Operation, run, samples } from './operations.ts';

// Kernels are called as they are where a class would run more JavaScript than WebAssembly: most of the time of a first call.

const K = 9;
const COLUMNS = 32;
const structs = /* @__PURE__ */ new Float32Array(PRODUCT_BYTES / 4);

/** Numbers with some of the special ones among them, but neither infinities nor NaN, which would hide the others. */
function numbers(count: number): Float32Array {
  const some = samples(count, 2);
  return some.slice(0, count).map((value, i) => (i % 11 === 5 ? some[count + (i % 8)]! : value));
}

/** x W + init for `rows` rows, as all layers compute it. */
function product(rows: number): Float32Array {
  const call = new Product();
  return run(
    [numbers(K * COLUMNS), numbers(rows * K), numbers(COLUMNS), structs, new Float32Array(rows * COLUMNS)],
    (w, x, init, struct, z) => {
      Object.assign(call, { w, x, xStride: 4 * K, K, init, z, zStride: 4 * COLUMNS, rows, panels: 2, form: FLOAT32 });
      wasm().multiply(call.write(struct));
    },
  );
}

/** The same with 8-bit weights, of every size in every lane. */
function int8Product(): Float32Array {
  const form = int8Form();
  const size = 16;
  const data = Int8Array.from({ length: size * size }, (_, i) => ((i * 89) % 255) - 127);
  const scale = numbers(size);
  const floats = (bytes: number) => new Float32Array(bytes / 4);
  const call = new Product();
  return run(
    [floats(panelBytes(size, size, form)), scale, floats(quantizedBytes(size, form)), structs, new Float32Array(size)],
    (w, x, scratch, struct, z) => {
      writeInt8({ name: '', dims: [size, size], pointer: w, panels: { form } }, { data, scale });
      Object.assign(call, { w, x, K: size, init: z, z, rows: 1, panels: 1, form, scratch });
      wasm().multiply(call.write(struct));
    },
  );
}

/** Three steps of two rows. */
function layers(): Float32Array[] {
  const lstm = new LSTM(1, 5, { seed: 1 });
  try {
    const { output, cn } = lstm.forward({ data: numbers(6), dims: [3, 2, 1] });
    return [output.data, cn.data];
  } finally {
    lstm.dispose();
  }
}

/** Two states of 10 floats, gathered from where streams keep them, and scattered to the place of each other. */
function states(): Float32Array[] {
  const { gather_states, scatter_states } = wasm();
  const table = new Float32Array(2);
  const rows = run([table, numbers(20), new Float32Array(20)], (at, own, to) => {
    writeIntegers(at, [own + 40, own], 0, 2);
    gather_states(at, 0, to, 2, 2, 5);
  });
  const back = run([table, rows, new Float32Array(20)], (at, from, own) => {
    writeIntegers(at, [own, own + 40], 0, 2);
    scatter_states(at, 0, from, 2, 2, 5);
  });
  return [rows, back];
}

/** Operations of lstm.wasm and lstm-int8.wasm. */
export function layerOperations(): [string, Operation][] {
  const { dropout_f32, random_f32, relu_f32, sigmoid_f32, softmax_f32, tanh_f32 } = wasm();
  const x = samples(80, 10);
  const elements = (kernel: (at: number, n: number) => void) => [run([x], (at) => kernel(at, x.length))];
  return [
    ['random numbers', () => elements((at, n) => random_f32(at, n, 4, 1, 2, -1, 0.5))],
    ['dropout', () => elements((at, n) => dropout_f32(at, n, 0.5, 2, 1))],
    ['float32 products', () => [product(1), product(7)]],
    ['8-bit products', () => [int8Product()]],
    ['sigmoid', () => elements(sigmoid_f32)],
    ['tanh', () => elements(tanh_f32)],
    ['relu', () => elements(relu_f32)],
    ['softmax', () => [run([numbers(42)], (at) => softmax_f32(at, 3, 7, 2))]],
    ['LSTM', layers],
    ['states of streams', states],
  ];
}
