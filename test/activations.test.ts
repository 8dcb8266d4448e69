import { describe, expect, test } from 'vitest';
import { relu, sigmoid, softmax, type TensorLike, tanh } from '../src/index.ts';
import { PANEL } from '../src/memory/abi.ts';
import { allocate, release } from '../src/memory/arena.ts';
import { wasm } from '../src/memory/wasm.ts';

/** The promise for sigmoid and tanh: so far from the true value at most, for every float there is. */
const BOUND = 1e-7;

type Activation = (tensor: TensorLike) => TensorLike;

const sigmoid64 = (x: number) => 1 / (1 + Math.exp(-x));
const apply = (activation: Activation, x: ArrayLike<number>) =>
  activation({ data: new Float32Array(x), dims: [x.length] }).data;

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);
const fromBits = (bits: number) => {
  word[0] = bits;
  return float[0]!;
};
/** The float `steps` further from 0. */
const neighbour = (x: number, steps: number) => {
  float[0] = x;
  return fromBits(word[0]! + steps);
};
const bothSigns = (values: readonly number[]) => [...values, ...values.map((x) => -x)];

/** -20 to 20, rising */
const DENSE = Array.from({ length: 40 * 2 ** 14 + 1 }, (_, i) => i / 2 ** 14 - 20);

/** Zero, every denormal's and normal's exponent with the ends and some middles of its mantissas, infinity */
const EXPONENTS = bothSigns([
  ...Array.from({ length: 255 }, (_, exponent) =>
    [0, 1, 0x200000, 0x400000, 0x555555, 0x6aaaab, 0x7ffffe, 0x7fffff].map((m) => fromBits((exponent << 23) | m)),
  ).flat(),
  ...Array.from({ length: 23 }, (_, bit) => fromBits(1 << bit)),
  Infinity,
]);

// Where something changes: results that round to 0 or 1, powers of 2 that over- and underflow, clamps; and where a search
// through all floats found the largest errors.
const THRESHOLDS = bothSigns(
  [
    [8.491053581237793, 8.664340019226074, 9.010913848876953, 10.0503], // tanh: 1, 2^29
    [16.63553237915039, 17.328680038452148], // sigmoid: 1
    [87.3365, 87.6831, 88.02969193111305, 88.37627410888672, 88.722839111673, 103.97208], // 2^-126, 2^-127, 2^128, 2^-150
    [3.024634599685669, 1.0034210681915283, 0.0003449918294791132], // sigmoid's errors, absolute and relative
    [3.8123860359191895, 0.17332644760608673, 0.00022138231724966317], // tanh's
    [1.4678339958190918, 0.9745210409164429, 0.6933269500732422, 0.7030719518661499], // of other formulas for tanh
  ]
    .flat()
    .flatMap((x) => Array.from({ length: 65 }, (_, i) => neighbour(x, i - 32))),
);

const FINITE_AND_NOT = [...DENSE, ...EXPONENTS, ...THRESHOLDS];

/** The largest error and its place, as text that is short when all is well. */
function worst(activation: Activation, exact: (x: number) => number, x: readonly number[], bound: number): string {
  let error = 0;
  let where = NaN;
  apply(activation, x).forEach((y, i) => {
    const distance = Math.abs(y - exact(Math.fround(x[i]!)));
    if (!(distance <= error)) {
      error = Number.isNaN(distance) ? Infinity : distance;
      where = x[i]!;
    }
  });
  return error <= bound ? 'within the bound' : `${error} at ${where}`;
}

describe.each([
  ['sigmoid', sigmoid, sigmoid64, 0],
  ['tanh', tanh, Math.tanh, -1],
] as const)('%s', (_, activation, exact, lowest) => {
  test.each([
    ['a dense grid of -20 to 20', DENSE],
    ['the whole range of floats', EXPONENTS],
    ['neighbours of thresholds', THRESHOLDS],
  ])('is within 1e-7 on %s', (_, x) => {
    expect(worst(activation, exact, x, BOUND)).toBe('within the bound');
  });

  test('stays in its range and reaches the ends exactly', () => {
    const y = apply(activation, FINITE_AND_NOT);
    expect(y.every((value) => value >= lowest && value <= 1)).toBe(true);
    const ends = [Infinity, 3.4e38, 1000, 90, 18, -90, -1000, -3.4e38, -Infinity];
    expect([...apply(activation, ends)].map((value) => value + 0)).toEqual([1, 1, 1, 1, 1, ...Array(4).fill(lowest)]);
  });

  test('never falls by more than two roundings', () => {
    const y = apply(activation, DENSE);
    expect(y.every((value, i) => i === 0 || value >= y[i - 1]! - 2 ** -23)).toBe(true);
  });

  test('a NaN stays in its element, wherever that is', () => {
    const x = Array.from({ length: 13 }, (_, i) => i - 6);
    const y = apply(activation, x);
    for (let at = 0; at < x.length; at++) expect(apply(activation, x.with(at, NaN))).toEqual(y.with(at, NaN));
  });
});

describe('near zero', () => {
  test('sigmoid is one half', () => {
    expect([...apply(sigmoid, [0, -0, 1e-45, -1e-45, 1e-38, -1e-38, 2 ** -30])]).toEqual(Array(7).fill(0.5));
  });

  test('tanh is x within 4 units of its last place, denormals within one', () => {
    const x = [...EXPONENTS, ...THRESHOLDS].map(Math.fround).filter((value) => Math.abs(value) < 2 ** -12);
    const y = apply(tanh, x);
    const unit = (value: number) => neighbour(Math.abs(value), 1) - Math.abs(value);
    const wrong = x.filter((value, i) => {
      const units = Math.abs(value) < 2 ** -126 ? 1 : 4;
      return !(Math.abs(y[i]! - value) <= units * unit(value));
    });
    expect(wrong).toEqual([]);
    expect([...apply(tanh, [0, -0])]).toEqual([0, -0]);
  });
});

test('tanh is odd to the bit, zeros included', () => {
  const y = apply(tanh, FINITE_AND_NOT);
  const mirrored = apply(
    tanh,
    FINITE_AND_NOT.map((x) => -x),
  );
  expect(FINITE_AND_NOT.filter((x, i) => !Object.is(y[i], -mirrored[i]!) || y[i]! * Math.sign(x) < 0)).toEqual([]);
});

test('relu is exact, and a NaN stays', () => {
  const y = apply(relu, [...FINITE_AND_NOT, NaN]);
  expect(FINITE_AND_NOT.filter((x, i) => y[i] !== Math.fround(Math.max(x, 0)))).toEqual([]);
  expect(y.at(-1)).toBeNaN();
});

describe('softmax', () => {
  const dims = [3, 4, 5];
  const data = Float32Array.from({ length: 60 }, (_, i) => ((i * 7919) % 101) / 4 - 12);
  /** The indices that dimension `dim` sums over, one list for each sum */
  const lines = (dim: number) => {
    const n = dims[dim]!;
    const inner = dims.slice(dim + 1).reduce((a, b) => a * b, 1);
    const starts = [...data.keys()].filter((i) => Math.floor(i / inner) % n === 0);
    return starts.map((start) => Array.from({ length: n }, (_, k) => start + k * inner));
  };

  test.each([0, 1, 2, -1, -2, -3])('along dimension %d', (dim) => {
    const y = softmax({ data, dims }, dim).data;
    for (const line of lines(dim < 0 ? dim + 3 : dim)) {
      const sum = line.reduce((total, i) => total + Math.exp(data[i]!), 0);
      for (const i of line) expect(Math.abs(y[i]! - Math.exp(data[i]!) / sum)).toBeLessThanOrEqual(2 * BOUND);
    }
  });

  test.each([0, 1, 2])('a NaN spreads along dimension %d only', (dim) => {
    const y = softmax({ data, dims }, dim).data;
    for (const line of lines(dim)) {
      const spoilt = softmax({ data: data.with(line[1]!, NaN), dims }, dim).data;
      expect(spoilt).toEqual(y.map((value, i) => (line.includes(i) ? NaN : value)));
    }
  });

  test('of a pair is the sigmoid of their difference, however far apart', () => {
    const x = [...EXPONENTS, ...THRESHOLDS].map(Math.fround).filter(Number.isFinite);
    const pairs = new Float32Array(x.flatMap((value) => [value, 0]));
    const y = softmax({ data: pairs, dims: [x.length, 2] }, 1).data;
    x.forEach((value, i) => {
      expect(Math.abs(y[2 * i]! - sigmoid64(value))).toBeLessThanOrEqual(2 * BOUND);
      expect(Math.abs(y[2 * i + 1]! - sigmoid64(-value))).toBeLessThanOrEqual(2 * BOUND);
    });
  });
});

describe('gates', () => {
  const LANES = PANEL / 4;

  /** units: [i, f, g, o, c] of each */
  function gates(units: readonly (readonly number[])[]): { c: Float32Array; h: Float32Array } {
    const H = units.length;
    const zFloats = 4 * Math.ceil(H / LANES) * LANES;
    const block = allocate(4 * (zFloats + 2 * H));
    try {
      const { memory, lstm_gates_f32 } = wasm();
      const z = new Float32Array(memory.buffer, block, zFloats);
      const c = new Float32Array(memory.buffer, block + 4 * zFloats, H);
      const h = new Float32Array(memory.buffer, block + 4 * (zFloats + H), H);
      units.forEach((unit, u) => {
        for (let gate = 0; gate < 4; gate++) z[wasm().panel_index(gate * H + u, 1, H)] = unit[gate]!;
        c[u] = unit[4]!;
      });
      lstm_gates_f32(block, c.byteOffset, h.byteOffset, h.byteOffset, H);
      return { c: c.slice(), h: h.slice() };
    } finally {
      release(block);
    }
  }

  test('saturate where float64 does, and are NaN nowhere else', () => {
    const inputs = [-Infinity, -1e38, -143, -88.5, -1, 0, 1, 88.5, 143, 1e38, Infinity];
    const cells = [-1e38, -692, -1, 0, 1, 692, 1e38];
    const units = inputs.flatMap((i) =>
      inputs.flatMap((f) => inputs.flatMap((g) => inputs.flatMap((o) => cells.map((c) => [i, f, g, o, c] as const)))),
    );
    const { c, h } = gates(units);
    const wrong = units.filter(([i, f, g, o, old], u) => {
      const cell = sigmoid64(f) * old + sigmoid64(i) * Math.tanh(g);
      const out = sigmoid64(o) * Math.tanh(c[u]!);
      // two factors off by the bound each, and the roundings of their product and sum
      return !(Math.abs(c[u]! - cell) <= 3 * BOUND * (1 + Math.abs(old)) && Math.abs(h[u]! - out) <= 3 * BOUND);
    });
    expect(wrong).toEqual([]);
  });

  test('a NaN stays in its unit', () => {
    const units = Array.from({ length: 9 }, (_, u) => [u - 4, 4 - u, u / 2 - 2, u / 3, u - 3]);
    const expected = gates(units);
    for (let u = 0; u < units.length; u++) {
      for (let part = 0; part < 5; part++) {
        const { c, h } = gates(units.with(u, units[u]!.with(part, NaN)));
        const outputGate = part === 3;
        expect(c).toEqual(outputGate ? expected.c : expected.c.with(u, NaN));
        expect(h).toEqual(expected.h.with(u, NaN));
      }
    }
  });
});
