import { endScratch, floats, scratch } from './arena.ts';
import { ModelError } from './errors.ts';
import { type Form, type Int8Matrix, PLAIN, panelBytes, quantizedBytes, RELAXED, writeInt8 } from './pack.ts';
import { instantiateInt8, wasm } from './wasm.ts';

// 8-bit weights: for each row of a matrix one scale, max|w| / 127, and integers from -127 to 127. The kernels quantise
// activations to 14 bits, row by row and step by step, and add up exact integers (assembly/int8.ts).

let chosen: Form | undefined;

/**
 * How 8-bit products are done in this thread. No clock decides, since worklets have none: the relaxed form where its module
 * compiles, is not known to be slower, and computes the right integers. Results do not depend on it.
 */
export function int8Form(): Form {
  chosen ??= instantiateInt8() && isExact(RELAXED) ? RELAXED : PLAIN;
  return chosen;
}

/** Whether `form` gives the exact integers, on the largest and on mixed values in every lane. */
function isExact(form: Form): boolean {
  const K = 16;
  const columns = 16;
  const block = scratch(panelBytes(columns, K, form) + 4 * K + 4 * columns + quantizedBytes(K, form));
  const pointer = block + panelBytes(columns, K, form);
  const z = pointer + 4 * K;
  const spare = z + 4 * columns;
  const data = Int8Array.from({ length: columns * K }, (_, i) => (i % 3 ? 127 - ((i * 89) % 255) : -127));
  const scale = new Float32Array(columns).fill(1);
  writeInt8({ name: '', dims: [columns, K], pointer: block, gates: 0, form }, { data, scale });
  // the largest activation is 8191, so that each is its own quantisation
  const x = Float32Array.from({ length: K }, (_, k) => (k % 2 ? 8191 : ((k * 2741) % 16383) - 8191));
  floats().set(x, pointer / 4);
  floats().fill(0, z / 4, z / 4 + columns);
  wasm().gemm_i8(block, pointer, 4 * K, K, z, 0, z, 0, 1, 1, spare, form);
  const sums = floats().slice(z / 4, z / 4 + columns);
  endScratch();
  return sums.every((sum, row) => {
    const exact = x.reduce((total, value, k) => total + value * data[row * K + k]!, 0);
    return sum === Math.fround(exact);
  });
}

/**
 * The nearest matrix of 8-bit weights to `values` [rows][K].
 * @throws ModelError if a value is NaN or infinite
 */
export function quantizeMatrix(who: string, name: string, values: Float32Array, rows: number): Int8Matrix {
  const K = values.length / rows;
  const data = new Int8Array(values.length);
  const scale = new Float32Array(rows);
  for (let row = 0, i = 0; row < rows; row++) {
    const end = (row + 1) * K;
    let max = 0;
    for (let j = i; j < end; j++) {
      const size = Math.abs(values[j]!);
      if (!(size < Number.POSITIVE_INFINITY)) {
        throw new ModelError(`${who}: ${name} expected finite weights to quantize, got ${values[j]} in row ${row}`, {
          code: 'not-finite',
          path: name,
          expected: 'finite weights',
          found: values[j],
        });
      }
      if (size > max) max = size;
    }
    const unit = Math.fround(max / 127);
    scale[row] = unit;
    for (; i < end; i++) data[i] = unit && Math.max(-127, Math.min(127, Math.round(values[i]! / unit)));
  }
  return { data, scale };
}
