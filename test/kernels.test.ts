import { describe, expect, test } from 'vitest';
import { allocate, release } from '../src/memory/arena.ts';
import { int8Form } from '../src/memory/int8.ts';
import {
  type Form,
  type Int8Matrix,
  PLAIN,
  panelBytes,
  quantizedBytes,
  RELAXED,
  writeInt8,
} from '../src/memory/pack.ts';
import { initialize, wasm } from '../src/memory/wasm.ts';
import { onnxKernels } from '../src/onnx/kernels.ts';
import { type Matrix, type State, sequence } from './support/oracle.ts';
import { uniforms } from './support/random.ts';

// The kernels on bare memory, every shape around the tile. Each call is made several times: with three fillings of all
// memory around and between the rows, which must survive and must not count, from three alignments, and with each buffer
// in turn at the very end of memory, where reading one float too many is a trap.

const kernels = wasm();
const constants = () => new Uint8Array(kernels.memory.buffer).slice(0, kernels.HEAP_BASE.value);
const before = constants();
// with relaxed SIMD also where the engine emulates it
initialize(undefined, { relaxed: true });
const relaxed = int8Form() === RELAXED;
onnxKernels();

test('modules that share the memory leave the constants of the first alone', () => {
  expect(constants()).toEqual(before);
  expect(before.some((byte) => byte !== 0)).toBe(true);
});
const PANEL = kernels.PANEL.value;
const TILE_ROWS = kernels.TILE_ROWS.value;
/** Hidden units of a panel, floats of a vector */
const LANES = PANEL / 4;
const FILLINGS = [NaN, 1e30, 0];
/** Floats between buffers: more than any kernel moves at once */
const CANARIES = 2 * PANEL;

/** undefined: padding that a kernel may read but that must not count; the filling stays there */
type Cell = number | undefined;

/** Rows of `width` floats, `stride` floats from one to the next. */
interface Buffer {
  /** in: stays as it is; out: the result, perhaps from values it begins with; scratch: anything may happen to it */
  readonly role: 'in' | 'out' | 'scratch';
  readonly rows: number;
  readonly width: number;
  readonly stride: number;
  /** What is there before the call, row by row; left out: the filling */
  readonly values?: readonly Cell[];
  /** Integers in place of values, given where the buffers lie */
  readonly words?: (at: Readonly<Record<string, number>>) => readonly number[];
}

type Buffers<N extends string> = Readonly<Record<N, Buffer>>;
type Call<N extends string> = (at: Readonly<Record<N, number>>) => void;
type Results<N extends string> = Readonly<Record<N, Float32Array>>;

function buffer(role: Buffer['role'], rows: number, width: number, values?: readonly Cell[], padding = 0): Buffer {
  return { role, rows, width, stride: width + padding, ...(values && { values }) };
}

const extent = ({ rows, width, stride }: Buffer) => (rows ? (rows - 1) * stride + width : 0);

let edge = { start: 0, end: 0 };

/** The start of a block of a megabyte or more that ends where memory ends. */
function lastBlock(): number {
  const { memory } = kernels;
  if (edge.end !== memory.buffer.byteLength) {
    const outgrown = edge;
    // as much as all memory until now: only what grows can hold it, and only the same place can hold it again
    const start = allocate(Math.max(2 ** 20, memory.buffer.byteLength));
    release(start);
    edge = { start: allocate(memory.buffer.byteLength - start), end: memory.buffer.byteLength };
    if (edge.start !== start) throw new Error('the arena has not given the last block again');
    if (outgrown.end) release(outgrown.start);
  }
  return edge.start;
}

/** The out buffers after `call`, the same whatever surrounds the buffers and wherever they lie. */
function run<N extends string>(buffers: Buffers<N>, call: Call<N>): Results<N> {
  const [result, ...others] = FILLINGS.map((filling, skew) => runBetweenCanaries(buffers, call, filling, skew));
  for (const last of names(buffers)) others.push(runAtTheEnd(buffers, call, last));
  for (const other of others) for (const name of names(buffers)) same(other[name], result![name], name);
  return result!;
}

function names<N extends string>(buffers: Buffers<N>): N[] {
  return Object.keys(buffers) as N[];
}

/** `skew`: floats from a 64-byte boundary to each buffer whose neighbours are whole panels */
function runBetweenCanaries<N extends string>(buffers: Buffers<N>, call: Call<N>, filling: number, skew: number) {
  const at = {} as Record<N, number>;
  let size = skew + CANARIES;
  for (const name of names(buffers)) {
    at[name] = size;
    size += Math.ceil(extent(buffers[name]) / PANEL) * PANEL + CANARIES;
  }
  const block = allocate(4 * size);
  try {
    for (const name of names(buffers)) at[name] = block + 4 * at[name];
    const words = new Int32Array(kernels.memory.buffer, block, size);
    new Float32Array(kernels.memory.buffer, block, size).fill(filling);
    prepare(buffers, at);
    const expected = words.slice();
    call(at);
    for (const name of names(buffers)) {
      const { role, rows, width, stride } = buffers[name];
      if (role === 'in') continue;
      const start = (at[name] - block) / 4;
      for (let r = 0; r < rows; r++) {
        for (let i = start + r * stride, end = i + width; i < end; i++) expected[i] = words[i]!;
      }
    }
    const changed = expected.findIndex((word, i) => word !== words[i]);
    if (changed >= 0)
      throw new Error(`changed a float that is none of its own, at ${locate(buffers, at, block, changed)}`);
    return collect(buffers, at);
  } finally {
    release(block);
  }
}

function locate<N extends string>(buffers: Buffers<N>, at: Record<N, number>, block: number, index: number): string {
  return names(buffers)
    .map((name) => `${name}[${index - (at[name] - block) / 4}]`)
    .join(' = ');
}

function runAtTheEnd<N extends string>(buffers: Buffers<N>, call: Call<N>, last: N): Results<N> {
  const at = {} as Record<N, number>;
  let start = lastBlock();
  for (const name of names(buffers)) {
    at[name] = start;
    if (name !== last) start += 4 * extent(buffers[name]);
  }
  at[last] = edge.end - 4 * extent(buffers[last]);
  if (start > at[last]) throw new Error('the last block is too small for this case');
  prepare(buffers, at);
  call(at);
  return collect(buffers, at);
}

function prepare<N extends string>(buffers: Buffers<N>, at: Record<N, number>): void {
  for (const name of names(buffers)) {
    const { width, stride, values, words } = buffers[name];
    if (words) new Int32Array(kernels.memory.buffer, at[name], width).set(words(at));
    if (!values?.length) continue;
    const memory = new Float32Array(kernels.memory.buffer, at[name], extent(buffers[name]));
    for (let r = 0, i = 0; i < values.length; r++) {
      for (let c = 0; c < width; c++, i++) if (values[i] !== undefined) memory[r * stride + c] = values[i]!;
    }
  }
}

function collect<N extends string>(buffers: Buffers<N>, at: Record<N, number>): Results<N> {
  const results = {} as Record<N, Float32Array>;
  for (const name of names(buffers)) {
    const { role, rows, width, stride } = buffers[name];
    results[name] = new Float32Array(role === 'out' ? rows * width : 0);
    if (results[name].length === 0) continue;
    const memory = new Float32Array(kernels.memory.buffer, at[name], extent(buffers[name]));
    for (let r = 0; r < rows; r++) results[name].set(memory.subarray(r * stride, r * stride + width), r * width);
  }
  return results;
}

/** The same bits, but for a NaN's. */
function same(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} of ${expected.length} floats`);
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(actual[i], expected[i])) throw new Error(`${what}[${i}] is ${actual[i]} and not ${expected[i]}`);
  }
}

function near(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: (i: number) => number,
  what: string,
): void {
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!(error <= bound(i))) throw new Error(`${what}[${i}] is ${actual[i]}, ${error} from ${expected[i]}`);
  }
}

let random = uniforms(1);
const numbers = (count: number, size = 1) => Array.from({ length: count }, () => (2 * random() - 1) * size);
const upTo = (last: number, first = 1) => Array.from({ length: last + 1 - first }, (_, i) => first + i);

/** Every combination of the axes, named in the message if it fails. */
function sweep<S extends Record<string, readonly unknown[]>>(
  axes: S,
  check: (shape: { [A in keyof S]: S[A][number] }) => void,
): void {
  random = uniforms(1);
  let shapes: Record<string, unknown>[] = [{}];
  for (const [axis, values] of Object.entries(axes)) {
    shapes = shapes.flatMap((shape) => values.map((value) => ({ ...shape, [axis]: value })));
  }
  for (const shape of shapes) {
    try {
      check(shape as { [A in keyof S]: S[A][number] });
    } catch (cause) {
      throw new Error(`${JSON.stringify(shape)}: ${(cause as Error).message}`, { cause });
    }
  }
  expect(shapes.length).toBeGreaterThan(1);
}

/** A matrix in panels: [panel][k][PANEL], `cell` giving what stands in column `column` of row k. */
function panels(count: number, K: number, cell: (column: number, k: number) => Cell): Cell[] {
  const cells: Cell[] = [];
  for (let p = 0; p < count; p++) {
    for (let k = 0; k < K; k++) for (let c = 0; c < PANEL; c++) cells.push(cell(p * PANEL + c, k));
  }
  return cells;
}

const noise = () => numbers(1)[0]!;

/**
 * Checks out[r][column] = init + sum of w x: bit for bit against float32 in the documented order (products join the sum
 * in pairs, an odd last one alone), and against float64 within K roundings of the terms' sizes.
 */
function checkProduct(
  out: Float32Array,
  w: readonly Cell[],
  x: readonly number[],
  K: number,
  init: (r: number, column: number) => number,
  rows: number,
  columns: number,
): void {
  const single: number[] = [];
  const double: number[] = [];
  const size: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (let column = 0; column < columns; column++) {
      const wAt = Math.floor(column / PANEL) * K * PANEL + (column % PANEL);
      const product = (k: number) => w[wAt + k * PANEL]! * x[r * K + k]!;
      let s = init(r, column);
      let d = s;
      let bound = Math.abs(s);
      for (let k = 0; k < K; k += 2) {
        const pair = k + 1 < K ? Math.fround(product(k)) + Math.fround(product(k + 1)) : product(k);
        s = Math.fround(s + Math.fround(pair));
      }
      for (let k = 0; k < K; k++) {
        d += product(k);
        bound += Math.abs(product(k));
      }
      single.push(s);
      double.push(d);
      size.push(bound);
    }
  }
  same(out, single, 'out');
  near(out, double, (i) => K * 2 ** -23 * size[i]!, 'out');
}

describe('gemv_f32', () => {
  const check = ({ K, count, inPlace }: { K: number; count: number; inPlace: boolean }) => {
    const w = panels(count, K, noise);
    const x = numbers(K);
    const init = numbers(count * PANEL);
    const buffers = {
      w: buffer('in', count * K, PANEL, w),
      x: buffer('in', 1, K, x),
      init: buffer('in', 1, count * PANEL, init),
      z: buffer('out', 1, count * PANEL, inPlace ? init : undefined),
    };
    const { z } = run(buffers, (at) => kernels.gemv_f32(at.w, at.x, K, inPlace ? at.z : at.init, at.z, count));
    checkProduct(z, w, x, K, (_, column) => init[column]!, 1, count * PANEL);
  };

  test('every depth, one to three panels', () => {
    sweep({ K: upTo(2 * PANEL + 1, 0), count: [1, 2, 3], inPlace: [false, true] }, check);
  });

  test('many panels', () => sweep({ K: [100, 101], count: [9], inPlace: [false, true] }, check));
});

describe('gemm_f32', () => {
  interface Shape {
    rows: number;
    K: number;
    count: number;
    padding: number;
    init: 'one row' | 'rows' | 'z';
  }

  const check = ({ rows, K, count, padding, init }: Shape) => {
    const width = count * PANEL;
    const w = panels(count, K, noise);
    const x = numbers(rows * K);
    const initRows = init === 'one row' ? 1 : rows;
    const initial = numbers(initRows * width);
    const buffers = {
      w: buffer('in', count * K, PANEL, w),
      x: buffer('in', rows, K, x, padding),
      init: buffer('in', initRows, width, initial, 2 * padding),
      z: buffer('out', rows, width, init === 'z' ? initial : undefined, 3 * padding),
    };
    const xStride = 4 * buffers.x.stride;
    const zStride = 4 * buffers.z.stride;
    const { z } = run(buffers, (at) => {
      if (init === 'z') kernels.gemm_f32(at.w, at.x, xStride, K, at.z, zStride, at.z, zStride, rows, count);
      else {
        const initStride = init === 'rows' ? 4 * buffers.init.stride : 0;
        kernels.gemm_f32(at.w, at.x, xStride, K, at.init, initStride, at.z, zStride, rows, count);
      }
    });
    checkProduct(z, w, x, K, (r, column) => initial[(r % initRows) * width + column]!, rows, width);
  };

  const init = ['one row', 'rows', 'z'] as const;
  const rows = upTo(2 * TILE_ROWS + 1);

  test('every number of rows and depth, rows next to each other', () => {
    sweep({ rows, K: upTo(2 * PANEL + 1, 0), count: [1, 2], padding: [0], init }, check);
  });

  test('rows apart and at any float', () => {
    sweep({ rows, K: [1, 2, 3, PANEL - 1, PANEL], count: [1, 3], padding: [1, 5], init }, check);
  });

  test('deeper than a block', () => {
    sweep({ rows: [2, 3], K: [255, 256, 257, 511, 513], count: [1, 2], padding: [0], init }, check);
  });

  test('many rows and panels', () =>
    sweep({ rows: [21, 32], K: [100, 101], count: [9], padding: [0, 3], init }, check));

  test('a row has the bits of gemv_f32 alone, whatever is beside it', () => {
    sweep({ rows, K: upTo(7), count: [1, 2] }, ({ rows, K, count }) => {
      const width = count * PANEL;
      const w = panels(count, K, noise);
      const init = numbers(width);
      // neighbours that spoil whatever they touch
      const x = upTo(rows).flatMap((r) => (r % 3 ? numbers(K) : new Array<number>(K).fill(r % 2 ? NaN : 1e38)));
      const call = (x: readonly number[], rows: number) =>
        run(
          {
            w: buffer('in', count * K, PANEL, w),
            x: buffer('in', rows, K, x),
            init: buffer('in', 1, width, init),
            z: buffer('out', rows, width),
          },
          (at) => {
            if (rows === 1) kernels.gemv_f32(at.w, at.x, K, at.init, at.z, count);
            else kernels.gemm_f32(at.w, at.x, 4 * K, K, at.init, 0, at.z, 4 * width, rows, count);
          },
        ).z;
      const z = call(x, rows);
      for (let r = 0; r < rows; r++) {
        same(z.subarray(r * width, (r + 1) * width), call(x.slice(r * K, (r + 1) * K), 1), `row ${r}`);
      }
    });
  });
});

test('linear: every number of rows and outputs; padding columns do not count', () => {
  const shapes = { rows: upTo(2 * TILE_ROWS + 1), outputs: upTo(2 * PANEL + 1), K: [1, 2, PANEL + 1] };
  sweep(shapes, ({ rows, outputs, K }) => {
    const count = Math.ceil(outputs / PANEL);
    const unlessPadding = (column: number) => (column < outputs ? noise() : undefined);
    const w = panels(count, K, unlessPadding);
    const bias = panels(count, 1, unlessPadding);
    const x = numbers(rows * K);
    const { out } = run(
      {
        w: buffer('in', count * K, PANEL, w),
        bias: buffer('in', count, PANEL, bias),
        x: buffer('in', rows, K, x),
        out: buffer('out', rows, outputs),
        z: buffer('scratch', rows, count * PANEL),
      },
      (at) => kernels.linear(0, at.w, at.bias, at.x, K, at.out, outputs, rows, at.z),
    );
    checkProduct(out, w, x, K, (_, column) => bias[column]!, rows, outputs);
  });
});

describe('gemm_i8', () => {
  /** What gemm_i8 computes, in float64 where it is exact and rounded where the kernels round. */
  const oracle = (
    { data, scale }: Int8Matrix,
    x: readonly number[],
    K: number,
    init: (r: number, column: number) => number,
    rows: number,
    columns: number,
  ): number[] => {
    const result: number[] = [];
    for (let r = 0; r < rows; r++) {
      const row = x.slice(r * K, (r + 1) * K).map(Math.fround);
      const top = Math.max(...row.map(Math.abs), Math.fround(1e-30));
      const inverse = Math.fround(8191 / top);
      // adding 1.5 * 2^23 rounds to the nearest integer, ties to even
      const q = row.map((value) => Math.fround(Math.fround(value * inverse) + 12582912) - 12582912);
      for (let column = 0; column < columns; column++) {
        let z = init(r, column);
        const unit = Math.fround(scale[column]! * Math.fround(top / 8191));
        for (let k = 0; k === 0 || k < K; k += 2048) {
          let sum = 0;
          for (let i = k; i < Math.min(K, k + 2048); i++) sum += data[column * K + i]! * q[i]!;
          z = Math.fround(z + Math.fround(Math.fround(sum) * unit));
        }
        result.push(z);
      }
    }
    return result;
  };

  /** A matrix as words, in panels of `form`. */
  const packed = (matrix: Int8Matrix, columns: number, K: number, form: Form): number[] => {
    const block = allocate(panelBytes(columns, K, form));
    const words = new Int32Array(kernels.memory.buffer, block, panelBytes(columns, K, form) / 4).fill(0);
    writeInt8({ name: '', dims: [columns, K], pointer: block, gates: 0, form }, matrix);
    const copy = [...words];
    release(block);
    return copy;
  };

  const matrixOf = (columns: number, K: number, weight: (i: number) => number): Int8Matrix => ({
    data: Int8Array.from({ length: columns * K }, (_, i) => weight(i)),
    scale: Float32Array.from({ length: columns }, () => random() / 100),
  });

  const multiply = (
    matrix: Int8Matrix,
    x: readonly number[],
    shape: { rows: number; K: number; columns: number; padding: number; form: Form; init: readonly number[] },
  ) => {
    const { rows, K, columns, padding, form, init } = shape;
    const count = Math.ceil(columns / PANEL);
    const words = packed(matrix, columns, K, form);
    const initial = Array.from({ length: count * PANEL }, (_, i) => init[i] ?? 0);
    const z = run(
      {
        w: { ...buffer('in', 1, words.length), words: () => words },
        x: buffer('in', rows, K, x, padding),
        init: buffer('in', 1, count * PANEL, initial),
        z: buffer('out', rows, count * PANEL, undefined, padding),
        scratch: buffer('scratch', 1, (rows * quantizedBytes(K, form)) / 4),
      },
      (at) =>
        kernels.gemm_i8(
          at.w,
          at.x,
          4 * (K + padding),
          K,
          at.init,
          0,
          at.z,
          4 * (count * PANEL + padding),
          rows,
          count,
          at.scratch,
          form,
        ),
    ).z;
    return Array.from({ length: rows * columns }, (_, i) => {
      return z[Math.floor(i / columns) * count * PANEL + (i % columns)]!;
    });
  };

  const forms = [
    ['dot_i16x8_s', PLAIN, true],
    [relaxed ? 'relaxed_dot' : 'relaxed_dot: SKIPPED, this engine lacks relaxed SIMD', RELAXED, relaxed],
  ] as const;

  describe.each(forms)('%s', (_, form, available) => {
    test.skipIf(!available)('every number of rows, depth and outputs', () => {
      const shapes = {
        rows: upTo(4),
        K: upTo(2 * PANEL + 1, 0),
        columns: [1, PANEL - 1, PANEL + 1],
        padding: [0, 3],
      };
      sweep(shapes, ({ rows, K, columns, padding }) => {
        const matrix = matrixOf(columns, K, () => Math.floor(random() * 255) - 127);
        const x = numbers(rows * K, 3);
        const init = numbers(columns).map(Math.fround);
        const z = multiply(matrix, x, { rows, K, columns, padding, form, init });
        same(
          z,
          oracle(matrix, x, K, (_, column) => init[column]!, rows, columns),
          'z',
        );
      });
    });

    test.skipIf(!available)('the largest sums are exact at every depth', () => {
      sweep({ K: [2047, 2048, 2049, 4096, 5000], sign: [1, -1] }, ({ K, sign }) => {
        const matrix = matrixOf(3, K, (i) => (i < K ? 127 : i < 2 * K ? -127 : 127 - (i % 255)));
        const x = new Array<number>(K).fill(sign);
        const z = multiply(matrix, x, { rows: 1, K, columns: 3, padding: 0, form, init: [] });
        same(
          z,
          oracle(matrix, x, K, () => 0, 1, 3),
          'z',
        );
      });
    });

    test.skipIf(!available)('from the smallest activations to the largest', () => {
      sweep({ size: [0, 1e-45, 1e-38, 1e-30, 1e-20, 1, 1e20, 3.4e38] }, ({ size }) => {
        const matrix = matrixOf(2, 9, (i) => (i % 2 ? 127 : -5));
        const x = numbers(9, size);
        const z = multiply(matrix, x, { rows: 1, K: 9, columns: 2, padding: 0, form, init: [] });
        same(
          z,
          oracle(matrix, x, 9, () => 0, 1, 2),
          'z',
        );
      });
    });

    test.skipIf(!available)(
      'a row with NaN or infinity is that of dequantised weights, its neighbours are as ever',
      () => {
        sweep({ special: [NaN, Infinity, -Infinity], K: [3, 8, 17] }, ({ special, K }) => {
          const columns = PANEL + 2;
          const matrix = matrixOf(columns, K, (i) => (i % 4 ? 127 - (i % 255) : 0));
          const x = numbers(3 * K);
          x[K + 1] = special;
          const z = multiply(matrix, x, { rows: 3, K, columns, padding: 0, form, init: [] });
          const expected = oracle(matrix, x, K, () => 0, 3, columns);
          for (let column = 0; column < columns; column++) {
            let sum = 0;
            for (let k = 0; k < K; k++) {
              const weight = Math.fround(matrix.data[column * K + k]! * matrix.scale[column]!);
              sum = Math.fround(sum + Math.fround(weight * Math.fround(x[K + k]!)));
            }
            expected[columns + column] = sum;
          }
          same(z, expected, 'z');
        });
      },
    );
  });
});

test('copy_rows: every number of rows and floats, rows apart or not', () => {
  const shapes = { rows: upTo(2 * TILE_ROWS + 1, 0), width: upTo(2 * PANEL + 1, 0), from: [0, 3], to: [0, 1] };
  sweep(shapes, ({ rows, width, from, to }) => {
    const values = numbers(rows * width).map(Math.fround);
    const buffers = { src: buffer('in', rows, width, values, from), dst: buffer('out', rows, width, undefined, to) };
    const { dst } = run(buffers, (at) =>
      kernels.copy_rows(at.dst, 4 * (width + to), at.src, 4 * (width + from), rows, width),
    );
    same(dst, values, 'dst');
  });
});

test('move_states: there and back, every number of groups, streams and floats', () => {
  const shapes = { groups: [1, 2, 3], n: upTo(4, 0), floats: upTo(2 * LANES + 1), before: [0, 5], after: [0, 3] };
  sweep(shapes, ({ groups, n, floats, before, after }) => {
    // own[s] lies `before` floats after the pointer in the table, which names the places from last to first
    const own = upTo(groups * n * floats).map(Math.fround);
    const stride = before + groups * floats + after;
    const rows: number[] = [];
    for (let g = 0; g < groups; g++) {
      for (let r = 0; r < n; r++) {
        const start = ((n - 1 - r) * groups + g) * floats;
        rows.push(...own.slice(start, start + floats));
      }
    }
    for (const back of [false, true]) {
      const places = { ...buffer(back ? 'out' : 'in', n, groups * floats, back ? undefined : own), stride };
      const buffers = {
        own: places,
        rows: buffer(back ? 'in' : 'out', groups * n, floats, back ? rows : undefined),
        table: {
          ...buffer('in', 1, n),
          words: (at: Readonly<Record<string, number>>) =>
            upTo(n).map((s) => at.own! + 4 * ((n - s) * stride - before)),
        },
      };
      const result = run(buffers, (at) => kernels.move_states(at.table, 4 * before, at.rows, groups, n, floats, back));
      same(back ? result.own : result.rows, back ? own : rows, back ? 'own' : 'rows');
    }
  });
});

test('move_states keeps the bits of a NaN', () => {
  const odd = [0x7fc00000, 0xffc00001, 0x7f800001, 0xff812345, 0x80000000];
  const block = allocate(64);
  const words = new Uint32Array(kernels.memory.buffer, block, 16);
  words.set([...odd, 0, 0, 0, 0, 0, block]);
  kernels.move_states(block + 40, 0, block + 20, 1, 1, 5, false);
  expect([...words.subarray(5, 10)]).toEqual(odd);
  release(block);
});

test('random_f32: every count and stride, and the state goes on', () => {
  sweep({ n: upTo(9, 0), stride: [1, PANEL], terms: [1, 12] }, ({ n, stride, terms }) => {
    const seed = Math.floor(random() * 2 ** 32);
    const next = uniforms(seed);
    const values = Array.from({ length: n * terms }, next);
    const expected = upTo(n).map((i) =>
      Math.fround(values.slice((i - 1) * terms, i * terms).reduce((a, b) => a + b, -3) * 0.7),
    );
    let state = 0;
    const { x } = run({ x: buffer('out', n, 1, undefined, stride - 1) }, (at) => {
      state = kernels.random_f32(at.x, n, 4 * stride, seed, terms, -3, 0.7);
    });
    same(x, expected, 'x');
    if (uniforms(state)() !== next()) throw new Error('another state than after as many numbers');
  });
});

test('dropout_f32: every count', () => {
  sweep({ n: upTo(9, 0), p: [0, 0.5, 1] }, ({ n, p }) => {
    const values = numbers(n).map(Math.fround);
    const next = uniforms(7);
    const expected = values.map((value) => (next() < p ? 0 : Math.fround(value * 2)));
    let state = 0;
    const { x } = run({ x: buffer('out', 1, n, values) }, (at) => {
      state = kernels.dropout_f32(at.x, n, p, 2, 7);
    });
    same(x, expected, 'x');
    if (uniforms(state)() !== next()) throw new Error('another state than after as many numbers');
  });
});

describe('lstm_gates_f32', () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

  /** z [4][H]: gates i, f, g, o */
  const gates = (H: number, z: readonly number[], c: readonly number[], hIsY: boolean) => {
    const count = Math.ceil(H / LANES);
    const cells = panels(count, 1, (column) => {
      const unit = Math.floor(column / PANEL) * LANES + (column % LANES);
      return unit < H ? z[(Math.floor(column / LANES) % 4) * H + unit] : undefined;
    });
    const result = run(
      {
        z: buffer('in', count, PANEL, cells),
        c: buffer('out', 1, H, c),
        h: buffer('out', 1, hIsY ? 0 : H),
        y: buffer('out', 1, H),
      },
      (at) => kernels.lstm_gates_f32(at.z, at.c, hIsY ? at.y : at.h, at.y, H),
    );
    if (!hIsY) same(result.h, result.y, 'h');
    return result;
  };

  test('every number of units: the float64 formula, and the bits of a unit alone', () => {
    sweep({ H: upTo(2 * PANEL + 1), hIsY: [false, true] }, ({ H, hIsY }) => {
      const z = numbers(4 * H, 4);
      const c0 = numbers(H, 2);
      const { c, y } = gates(H, z, c0, hIsY);
      const [i, f, g, o] = [0, 1, 2, 3].map((gate) => z.slice(gate * H, (gate + 1) * H)) as [
        number[],
        number[],
        number[],
        number[],
      ];
      const expected = c0.map((old, u) => sigmoid(f[u]!) * old + sigmoid(i[u]!) * Math.tanh(g[u]!));
      // wrong units and gates; activations.test.ts has the accuracy
      near(c, expected, () => 1e-6, 'c');
      near(
        y,
        expected.map((cell, u) => sigmoid(o[u]!) * Math.tanh(cell)),
        () => 1e-6,
        'y',
      );
      for (let u = 0; u < H; u++) {
        const alone = gates(1, [i[u]!, f[u]!, g[u]!, o[u]!], [c0[u]!], hIsY);
        same([c[u]!, y[u]!], [alone.c[0]!, alone.y[0]!], `unit ${u}`);
      }
    });
  });
});

describe.each([
  ['sigmoid_f32', (x: number) => 1 / (1 + Math.exp(-x)), 1e-6],
  ['tanh_f32', Math.tanh, 1e-6],
  ['relu_f32', (x: number) => Math.max(x, 0), 0],
] as const)('%s', (kernel, formula, bound) => {
  test('every length; an element has the bits it has alone', () => {
    sweep({ n: upTo(2 * PANEL + 1, 0) }, ({ n }) => {
      const values = numbers(n, 8).map((x, i) => (i % 7 === 5 ? NaN : x));
      const call = (values: readonly number[]) =>
        run({ x: buffer('out', 1, values.length, values) }, (at) => kernels[kernel](at.x, values.length)).x;
      const out = call(values);
      values.forEach((x, i) => {
        if (Number.isNaN(x)) same([out[i]!], [NaN], `x[${i}]`);
        else near([out[i]!], [formula(x)], () => bound, `x[${i}]`);
        same([out[i]!], call([x]), `x[${i}] alone`);
      });
    });
  });
});

describe('softmax_f32', () => {
  const softmax = (x: readonly number[], outer: number, n: number, inner: number) =>
    run({ x: buffer('out', outer * n, inner, x) }, (at) => kernels.softmax_f32(at.x, outer, n, inner)).x;

  const column = <T>(x: ArrayLike<T>, n: number, inner: number, o: number, i: number) =>
    upTo(n - 1, 0).map((k) => x[(o * n + k) * inner + i]!);

  test('every shape: the float64 formula, and the bits of a column alone', () => {
    const shapes = { outer: [0, 1, 3], n: [...upTo(2 * LANES + 1), 2 * PANEL + 1], inner: upTo(2 * LANES + 1) };
    sweep(shapes, ({ outer, n, inner }) => {
      const x = numbers(outer * n * inner, 10).map(Math.fround);
      const out = softmax(x, outer, n, inner);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const from = column(x, n, inner, o, i);
          const to = column(out, n, inner, o, i);
          const powers = from.map((value) => Math.exp(value - Math.max(...from)));
          const sum = powers.reduce((a, b) => a + b);
          const expected = powers.map((power) => power / sum);
          // n sums, and a difference of up to 20 whose rounding the exponential multiplies
          near(to, expected, (k) => (n + 20 + 8) * 2 ** -24 * expected[k]!, `column ${o}, ${i}`);
          same(to, softmax(from, 1, n, 1), `column ${o}, ${i} alone`);
        }
      }
    });
  });

  const third = Math.fround(1 / 3);
  const columns: readonly (readonly [name: string, from: readonly number[], to: readonly number[]])[] = [
    ['equal values', [0, -0, 0], [third, third, third]],
    ['only -Infinity', [-Infinity, -Infinity, -Infinity], [NaN, NaN, NaN]],
    ['-Infinity beside numbers', [-Infinity, 5, 5], [0, 0.5, 0.5]],
    ['Infinity', [Infinity, 0, 1], [NaN, NaN, NaN]],
    ['NaN', [0, NaN, 1], [NaN, NaN, NaN]],
    ['NaN beside Infinity', [Infinity, NaN, -Infinity], [NaN, NaN, NaN]],
    ['large values', [1e38, -1e38, 1e38], [0.5, 0, 0.5]],
    ['the largest values', [-3.4e38, 3.4e38, 0], [0, 1, 0]],
    ['values whose exponential overflows', [1000, 1000, 0], [0.5, 0.5, 0]],
    ['values whose exponential vanishes', [-1000, -1000, -2000], [0.5, 0.5, 0]],
  ];

  test.each(columns)('%s, in each lane, leave the other columns alone', (_, from, to) => {
    sweep({ inner: upTo(2 * LANES + 1), i: upTo(2 * LANES, 0) }, ({ inner, i }) => {
      const ordinary = [Math.LN2, 0, 0];
      const x = [0, 1, 2].flatMap((k) => upTo(inner - 1, 0).map((c) => (c === i ? from : ordinary)[k]!));
      const out = softmax(x, 1, 3, inner);
      for (let c = 0; c < inner; c++) {
        if (c === i) same(column(out, 3, inner, 0, c), to, 'the column');
        else near(column(out, 3, inner, 0, c), [0.5, 0.25, 0.25], () => 1e-7, `column ${c}`);
      }
    });
  });
});

describe('lstm_run', () => {
  interface Shape {
    I: number;
    H: number;
    P: number;
    L: number;
    D: number;
  }

  /** One layer in one direction, in panels. */
  interface Weights {
    readonly inputs: number;
    readonly buffers: Readonly<Record<'ih' | 'hh' | 'hr' | 'bias' | 'hrBias', Buffer>>;
  }

  /** Outputs of every step, and the last states of every layer and direction. */
  interface Rows {
    readonly output: readonly (readonly number[])[];
    readonly states: readonly State[];
  }

  const outputs = ({ H, P }: Shape) => P || H;

  /** Every layer and direction in panels, and in `matrices` under PyTorch's names. */
  function weights(shape: Shape, matrices: Map<string, Matrix>): Weights[] {
    const { I, H, P, L, D } = shape;
    const gateRow = (column: number) => {
      const unit = Math.floor(column / PANEL) * LANES + (column % LANES);
      return unit < H ? (Math.floor(column / LANES) % 4) * H + unit : undefined;
    };
    const projectionRow = (column: number) => (column < P ? column : undefined);
    const matrix = (name: string, count: number, rows: number, K: number, row: (column: number) => Cell) => {
      const data = numbers(rows * K, 0.75).map(Math.fround);
      if (rows) matrices.set(name, { data, dims: [rows, K] });
      const cells = panels(count, K, (column, k) => {
        const r = row(column);
        return r === undefined ? undefined : data[r * K + k]!;
      });
      return buffer('in', count * K, PANEL, cells);
    };
    return upTo(L * D - 1, 0).map((k) => {
      const layer = Math.floor(k / D);
      const suffix = `_l${layer}${k % D ? '_reverse' : ''}`;
      const inputs = layer ? D * outputs(shape) : I;
      const gates = Math.ceil(H / LANES);
      const projections = Math.ceil(P / PANEL);
      return {
        inputs,
        buffers: {
          ih: matrix(`weight_ih${suffix}`, gates, 4 * H, inputs, gateRow),
          hh: matrix(`weight_hh${suffix}`, gates, 4 * H, outputs(shape), gateRow),
          hr: matrix(`weight_hr${suffix}`, projections, P, H, projectionRow),
          bias: matrix(`bias_ih${suffix}`, gates, 4 * H, 1, gateRow),
          hrBias: buffer('in', projections, PANEL, new Array<number>(projections * PANEL).fill(0)),
        },
      };
    });
  }

  /** One step of one row from the kernels tested above. */
  function step({ H, P }: Shape, { inputs, buffers }: Weights, x: readonly number[], { h, c }: State): State {
    const gates = Math.ceil(H / LANES);
    const result = run(
      {
        ...buffers,
        x: buffer('in', 1, inputs, x),
        z: buffer('scratch', gates, PANEL),
        full: buffer('scratch', 1, P ? H : 0),
        projected: buffer('scratch', Math.ceil(P / PANEL), PANEL),
        h: buffer('out', 1, h.length, h),
        c: buffer('out', 1, H, c),
      },
      (at) => {
        kernels.gemv_f32(at.ih, at.x, inputs, at.bias, at.z, gates);
        kernels.gemv_f32(at.hh, at.h, h.length, at.z, at.z, gates);
        kernels.lstm_gates_f32(at.z, at.c, P ? at.full : at.h, P ? at.full : at.h, H);
        if (P) kernels.linear(0, at.hr, at.hrBias, at.full, H, at.h, P, 1, at.projected);
      },
    );
    return { h: [...result.h], c: [...result.c] };
  }

  /** One row alone through all layers, step by step. */
  function rowAlone(shape: Shape, all: readonly Weights[], x: readonly number[][], states: readonly State[]): Rows {
    let input = x;
    const last: State[] = [];
    for (let layer = 0; layer < shape.L; layer++) {
      const output = x.map((): number[] => []);
      for (let d = 0; d < shape.D; d++) {
        let state = states[last.length]!;
        for (const t of d ? [...x.keys()].reverse() : x.keys()) {
          state = step(shape, all[last.length]!, input[t]!, state);
          output[t]!.push(...state.h);
        }
        last.push(state);
      }
      input = output;
    }
    return { output: input, states: last };
  }

  /** The buffers of a model for lstm_run; Model and Direction in assembly/layer.ts have the order of fields. */
  function model({ I, H, P, D }: Shape, all: readonly Weights[]): Record<string, Buffer> {
    const named = all.flatMap(({ buffers }, k) => Object.entries(buffers).map(([name, b]) => [name + k, b] as const));
    const words = (at: Readonly<Record<string, number>>) => [
      ...[I, H, P, D, 0],
      ...all.flatMap((_, k) => ['ih', 'hh', 'hr', 'bias', 'hrBias'].map((name) => at[name + k]!)),
    ];
    return { ...Object.fromEntries(named), model: { ...buffer('in', 1, 5 + 5 * all.length), words } };
  }

  const scratch = ({ H, P }: Shape, rows: number) =>
    buffer('scratch', rows, (Math.ceil(H / LANES) + Math.ceil(P / PANEL)) * PANEL + (P ? H : 0));

  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;

  test('every number of units and rows: float64, and the bits of each row alone, step by step', () => {
    const shapes = { H: [...upTo(2 * LANES + 1), PANEL + 1], B: upTo(2 * TILE_ROWS + 1), draw: [1, 2] };
    sweep(shapes, ({ H, B }) => {
      const shape = {
        H,
        I: pick([0, 1, 3, PANEL + 1]),
        P: pick([0, 0, 1, 3, PANEL + 1]),
        L: pick([1, 2, 3]),
        D: pick([1, 2]),
      };
      const { I, L, D } = shape;
      const Ho = outputs(shape);
      const T = pick([1, 2, 5]);
      const blockRows = pick([1, TILE_ROWS, B, 2 * B + 1, 100]);
      const packed = pick([false, true]);
      const layerByLayer = pick([false, true]);
      const batchSizes = upTo(T, 1).map((t) => (packed ? Math.ceil(B / t) : B));
      const firstRows = batchSizes.map((_, t) => batchSizes.slice(0, t).reduce((a, b) => a + b, 0));
      const rows = firstRows[T - 1]! + batchSizes[T - 1]!;

      const matrices = new Map<string, Matrix>();
      const all = weights(shape, matrices);
      const x = numbers(rows * I);
      const h0 = numbers(L * D * B * Ho);
      const c0 = numbers(L * D * B * H, 2);
      const buffers = {
        ...model(shape, all),
        x: buffer('in', rows, I, x),
        even: buffer('out', rows, D * Ho),
        odd: buffer('out', L > 1 ? rows : 0, D * Ho),
        h: buffer('out', L * D * B, Ho, h0),
        c: buffer('out', L * D * B, H, c0),
        sizes: { ...buffer('in', 1, packed ? T : 0), words: () => (packed ? batchSizes : []) },
        z: scratch(shape, Math.max(blockRows, B)),
      };
      const result = run<string>(buffers, (at) => {
        for (let from = 0; from < L; from += layerByLayer ? 1 : L) {
          const to = layerByLayer ? from + 1 : L;
          const sizes = packed ? at.sizes! : 0;
          kernels.lstm_run(
            at.model!,
            from,
            to,
            at.x!,
            at.even!,
            at.odd!,
            at.h!,
            at.c!,
            T,
            B,
            sizes,
            rows,
            at.z!,
            blockRows,
          );
        }
      });
      const y = (L % 2 ? result.even : result.odd)!;

      const slice = (data: ArrayLike<number>, row: number, width: number) =>
        Array.from({ length: width }, (_, i) => data[row * width + i]!);
      for (let b = 0; b < B; b++) {
        const own = firstRows.filter((_, t) => batchSizes[t]! > b).map((first) => first + b);
        const states = (h: ArrayLike<number>, c: ArrayLike<number>) =>
          upTo(L * D - 1, 0).map((k) => ({ h: slice(h, k * B + b, Ho), c: slice(c, k * B + b, H) }));
        const inputs = own.map((row) => slice(x, row, I));
        const actual = { output: own.map((row) => slice(y, row, D * Ho)), states: states(result.h!, result.c!) };
        const alone = rowAlone(shape, all, inputs, states(h0, c0));
        const exact = sequence(matrices, L, D === 2, inputs, states(h0, c0));
        const flat = ({ output, states }: Rows) => [...output.flat(), ...states.flatMap(({ h, c }) => [...h, ...c])];
        same(flat(actual), flat(alone), `row ${b}`);
        near(flat(actual), flat(exact), () => 1e-5, `row ${b}`);
      }
    });
  });

  test('one row may put its outputs into the states, as a stream does', () => {
    sweep({ H: upTo(2 * LANES + 1), P: [0, 1, PANEL + 1], L: [1, 2, 3] }, ({ H, P, L }) => {
      const shape = { I: 3, H, P, L, D: 1 };
      const Ho = outputs(shape);
      const all = weights(shape, new Map());
      const x = numbers(shape.I);
      const states = upTo(L).map(() => ({ h: numbers(Ho), c: numbers(H, 2) }));
      const buffers = {
        ...model(shape, all),
        x: buffer('in', 1, shape.I, x),
        h: buffer(
          'out',
          L,
          Ho,
          states.flatMap(({ h }) => h),
        ),
        c: buffer(
          'out',
          L,
          H,
          states.flatMap(({ c }) => c),
        ),
        z: scratch(shape, 1),
      };
      const { h, c } = run<string>(buffers, (at) => {
        for (let layer = 0; layer < L; layer++) {
          const own = at.h! + 4 * layer * Ho;
          const below = own - 4 * Ho;
          const [even, odd] = layer % 2 ? [below, own] : [own, below];
          kernels.lstm_run(at.model!, layer, layer + 1, at.x!, even, odd, at.h!, at.c!, 1, 1, 0, 1, at.z!, 1);
        }
      });
      const alone = rowAlone(shape, all, [x], states);
      same(
        h!,
        alone.states.flatMap(({ h }) => h),
        'h',
      );
      same(
        c!,
        alone.states.flatMap(({ c }) => c),
        'c',
      );
    });
  });
});
