import { ModelError } from '../base/errors.ts';
import { I8, I8_RELAXED } from './abi.ts';
import { floats, scratch } from './arena.ts';
import { type Form, type Int8Matrix, panelBytes, quantizedBytes, writeInt8 } from './pack.ts';
import { PRODUCT_BYTES, Product } from './structs.ts';
import { instantiateInt8, wasm } from './wasm.ts';

// With 8-bit weights each row of a matrix has one scale, max|w| / 127, and integers from -127 to 127. The kernels quantise
// activations to 14 bits, row by row and step by step, and add up exact integers (assembly/int8.ts).

let chosen: Form | undefined;

/**
 * Chooses the form of 8-bit products in this thread: the relaxed one where its module compiles, is not known to be slower, and
 * computes the right integers. No clock decides, since worklets have none. Results do not depend on the form.
 */
export function int8Form(): Form {
  chosen ??= instantiateInt8() && isExact() ? I8_RELAXED : I8;
  return chosen;
}

/** Tells whether both forms give the same integers, from weights of every size in every lane. */
function isExact(): boolean {
  const size = 16;
  const data = Int8Array.from({ length: size * size }, (_, i) => ((i * 89) % 255) - 127);
  // the activations, and then the initial sums; also the scales, of which only the first 16 are used
  const x = Float32Array.from({ length: 2 * size }, (_, k) => ((k * 7) % 32) - 15.5);
  const [plain, relaxed] = ([I8, I8_RELAXED] as const).map((form) => {
    const bytes = panelBytes(size, size, form);
    const pointer = scratch(bytes + 8 * size + quantizedBytes(size, form) + PRODUCT_BYTES);
    const z = pointer + bytes + 4 * size;
    writeInt8({ name: '', dims: [size, size], pointer, panels: { form } }, { data, scale: x });
    floats().set(x, (pointer + bytes) / 4);
    const product = new Product();
    product.w = pointer;
    product.x = pointer + bytes;
    product.K = size;
    product.init = z;
    product.z = z;
    product.rows = 1;
    product.panels = 1;
    product.form = form;
    product.scratch = z + 4 * size;
    wasm().multiply(product.write(product.scratch + quantizedBytes(size, form)));
    return floats().slice(z / 4, z / 4 + size);
  });
  return plain!.every((sum, row) => sum === relaxed![row]);
}

/**
 * Rounds `values` [rows][K] to the nearest matrix of 8-bit weights.
 * @param given the scales of rows whose values are integers from -128 to 127 times these
 * @throws ModelError if a value is NaN or infinite
 */
export function quantizeMatrix(
  who: string,
  name: string,
  values: Float32Array,
  rows: number,
  given?: Float32Array,
): Int8Matrix {
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
    const unit = given?.[row] ?? Math.fround(max / 127);
    scale[row] = unit;
    for (; i < end; i++) data[i] = unit && Math.max(given ? -128 : -127, Math.min(127, Math.round(values[i]! / unit)));
  }
  return { data, scale };
}
